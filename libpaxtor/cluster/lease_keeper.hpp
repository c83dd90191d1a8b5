#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/cluster/lease_options.hpp"
#include "libpaxtor/cluster/messages.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::cluster {

/// A question that may be answered now: the registrar answers once `upto` is applied.
struct ready_read {
  node_id node;
  std::uint64_t id = 0;
  registry::query what;
  slot upto;
  std::map<session_id, registry::silence> silent;
};

/// A renewal said that its session has missed effects, perhaps: the registrar compares and syncs (R4).
struct watermark_note {
  session_id session;
  index watermark;
};

/// What the registrar applied: local, registrar -> lease keeper, in log order.
struct applied_note {
  slot upto;
  index last;
  std::vector<registry::session_event> events;
};

struct lease_output {
  /// For proposer::propose, in order, with the node to tell if it is refused.
  struct proposal {
    node_id node;
    std::string command;  ///< encode(registry::command)
  };
  std::vector<proposal> proposals;
  /// For proposer::confirm.
  std::vector<std::uint64_t> confirms;
  std::vector<to_node> send;
  /// For the registrar.
  std::vector<ready_read> reads;
  std::vector<watermark_note> watermarks;
};

/// The leader's side of sessions (S1, S2, S3) and the door for commands and reads. It sits beside the proposer, in the same
/// actor; on a voter that does not lead it answers `not_leading`.
///
/// I16 `renewed` leaves only in the reign that confirmed it, after the own reign entry is applied, for a session that is
///     open and that no expire is in flight for.
/// I17 expire is proposed only after ttl * (1 + rho) + tick of silence within this reign.
class lease_keeper {
public:
  lease_keeper(voter_id self, lease_options options);

  /// The proposer's `changed`. `now` of becoming leader is the moment phase 1 ended (S1).
  void leadership_changed(time_point now, const paxos::leadership& state);

  /// From the registrar.
  void applied(time_point now, const applied_note& note);

  /// From a node.
  void step(time_point now, node_id from, node_message what);

  /// The proposer's confirmations.
  void confirmed(time_point now, const paxos::proposer_output::confirmed& done);

  /// The proposer refused this proposal: its queue is full or it does not lead.
  void refused(const lease_output::proposal& what);

  void tick(time_point now);

  [[nodiscard]] lease_output take_output();

  [[nodiscard]] const paxos::leadership& state() const;
};

} // namespace paxtor::cluster
