#pragma once

/// \file
/// What passes between the actors of one voter: structs, never encoded, never over the wire.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/cluster/lease_keeper.hpp"
#include "libpaxtor/cluster/lease_options.hpp"
#include "libpaxtor/cluster/messages.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::actors {

/// The other actors of the voter.
struct colleagues {
  caf::actor supervisor;
  caf::actor acceptor;
  caf::actor proposer;
  caf::actor learner;
  /// Null: the store is volatile, and written where the write arises.
  caf::actor storage;
  /// Makes the images of snapshots beside the learner.
  caf::actor snapshots;
};

/// supervisor -> roles: the cluster is formed, begin.
struct role_start {
  cluster_id cluster;
  std::shared_ptr<const paxos::recovered> state;
  paxos::configuration voters;
  /// What the learner begins with (after a snapshot that was recovered).
  paxos::configuration voters_now;
  slot decided_upto;
};

/// Between roles of this voter: the role is told by the mailbox.
struct own_message {
  paxos::message what;
};

/// learner -> proposer, in the order of the log.
struct applied_news {
  std::vector<cluster::applied_note> notes;
};

/// proposer -> learner, in this order: leadership, then what was asked under it.
struct keeper_news {
  std::optional<bool> leading;
  /// With `leading`: the ballot that is led, or followed.
  ballot at;
  std::vector<cluster::watermark_note> watermarks;
  std::vector<cluster::ready_read> reads;
};

/// learner -> supervisor and proposer, when one of them changes: who votes, and the last slot that
/// a durable snapshot covers.
struct log_news {
  cluster::voters_now voters;
  slot stored_upto;
};

/// supervisor -> learner and proposer: these vote now, as other nodes say. For a standby.
struct known_voters {
  std::vector<voter_id> ids;
};

/// Told on the storage actor's thread that all writes up to `upto` are durable: whoever has to
/// answer for them is spared the way back to its own thread.
class written_hook {
public:
  virtual ~written_hook() = default;
  virtual void written(write_id upto) = 0;
};

/// A role (or formation) -> storage. When all are durable, `told` hears of it, or without one the
/// sender by `written`, with the id of the last write.
struct write_order {
  std::vector<paxos::write> writes;
  std::shared_ptr<written_hook> told;
};
struct written {
  write_id upto;
};

/// learner -> snapshot maker: an image to make. Answered by `snapshot_image`; not at all if another
/// task comes first.
struct snapshot_order {
  std::shared_ptr<const paxos::snapshot_task> task;
};
struct snapshot_image {
  slot upto;
  blob image;
};

/// supervisor -> roles.
using meet_atom = caf::atom_constant<caf::atom("pxMeet")>;
/// A role -> itself.
using tick_atom = caf::atom_constant<caf::atom("pxTick")>;
/// A role -> supervisor: somebody speaks Paxos in this cluster (L5).
using heard_atom = caf::atom_constant<caf::atom("pxHeard")>;

} // namespace paxtor::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::colleagues)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::role_start)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::own_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::applied_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::keeper_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::log_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::known_voters)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::write_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::written)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::snapshot_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::snapshot_image)
