#pragma once

/// \file
/// The node's links to other nodes, as its actors see them: who is reachable, and where frames go.
/// The hub (hub.hpp) keeps it up to date; role actors and the agent send through it without a hop
/// of their own.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/fwd.hpp>
#include <caf/message.hpp>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/cluster/frame.hpp"
#include "libpaxtor/paxos/messages.hpp"

namespace paxtor::net {

/// Routes through a relay that are remembered at once; more are forgotten, oldest node id first.
inline constexpr std::size_t max_routes = 4096;

/// The mailboxes of a node that frames are addressed to. Handles are null where a node has no such
/// role.
struct mailboxes {
  caf::strong_actor_ptr hub;
  caf::strong_actor_ptr agent; ///< voter_frame
  caf::strong_actor_ptr
    host; ///< answers (get, name, token) with the singleton's handle: CAF's own message
  caf::strong_actor_ptr acceptor; ///< paxos_frame to role::acceptor
  caf::strong_actor_ptr proposer; ///< paxos_frame to role::proposer; node_frame
  caf::strong_actor_ptr learner;  ///< paxos_frame to role::learner
};

/// What is known of a linked node.
struct peer {
  cluster::hello_frame hello;
  mailboxes boxes;
};

/// One that is linked here but is no node of CAF's: a guardian. Gets encoded voter_frames.
class guest {
public:
  virtual ~guest();
  /// Any thread; does not block. False: it cannot take it now.
  virtual bool take(const std::string& frame) = 0;
};

/// Thread-safe; shared by all actors of a node. Sending never blocks: what cannot be sent is
/// dropped (the protocol expects loss) and counted. A node is always linked to itself: frames to
/// its own voter or agent go to the local mailboxes.
class peers {
public:
  /// One CAF message that carries `bytes`; made once, sent to many.
  [[nodiscard]] static caf::message wrap(std::string bytes);

  /// A frame to one role of a voter. False if there is no link to it now.
  bool to_voter(voter_id to, paxos::role role, const caf::message& wrapped) const;

  /// The version of frames for all of these voters: the lowest that one of them needs. Who is not
  /// linked gets nothing, so does not count.
  [[nodiscard]] std::uint8_t version_for(const std::vector<voter_id>& all) const;
  [[nodiscard]] std::uint8_t version_for(voter_id voter) const;
  /// For a node's agent; the lowest that this build writes if it is not linked here (it is reached
  /// through a relay) or is a guardian.
  [[nodiscard]] std::uint8_t version_for(node_id node) const;

  /// A frame to a node's agent: directly if linked, else through the voter that relayed its last
  /// message (that voter's hub passes it on). False if there is neither.
  bool to_node(node_id to, const caf::message& wrapped) const;

  /// As to_node, but only if it is linked with this very node: a relay never relays to a relay.
  bool to_linked(node_id to, const caf::message& wrapped) const;

  /// A node's message came through `relay` (not valid(): directly).
  void note_route(node_id node, voter_id relay);

  /// The peer if it is linked; this node is found too.
  [[nodiscard]] std::optional<peer> find(node_id node) const;
  [[nodiscard]] std::optional<peer> find(voter_id voter) const;

  /// All linked nodes but this one.
  [[nodiscard]] std::vector<peer> all() const;

  /// This node; empty before its hub runs.
  [[nodiscard]] peer self() const;

  /// Frames that had nowhere to go.
  [[nodiscard]] std::uint64_t dropped() const;

  // -- the hub's ----------------------------------------------------------------------------------
  void set_self(peer who);
  void linked(peer who);
  void unlinked(node_id node);
  /// Frames to this id go to `who` from now on; the newest of one id wins. A node is never hidden
  /// by a guest.
  void guest_came(node_id id, std::shared_ptr<guest> who);
  /// If it is still `who` that is known by this id.
  void guest_went(node_id id, const guest* who);
  /// The hub has ended: forgets everything, this node's mailboxes too.
  void clear();

private:
  /// What stands for a node here: a mailbox, or a guest.
  struct way {
    caf::strong_actor_ptr box;
    std::shared_ptr<guest> visitor;
  };
  [[nodiscard]] way linked_way(node_id to) const;
  [[nodiscard]] bool send(const way& how, const caf::message& wrapped) const;
  [[nodiscard]] const peer* lookup(node_id node) const;
  [[nodiscard]] const peer* lookup(voter_id voter) const;

  mutable std::mutex mutex_;
  peer self_;
  std::map<node_id, peer> nodes_;
  std::map<voter_id, node_id> voters_;
  std::map<node_id, voter_id> routes_;
  std::map<node_id, std::shared_ptr<guest>> guests_;
  mutable std::uint64_t dropped_ = 0;
};

} // namespace paxtor::net
