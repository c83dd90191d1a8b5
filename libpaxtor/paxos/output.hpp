#pragma once

/// \file
/// What the roles hand to whoever drives them. The driver sends `send`, in order, to `outgoing::to`
/// (the voter itself included: its own roles), carries out `writes` in order and answers each with
/// `persisted(id)`.
/// L1: what must not leave before a write is durable is held back inside the role until
/// `persisted`, so a driver cannot get it wrong.

#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/messages.hpp"

namespace paxtor::paxos {

/// What a store keeps for the acceptor.
struct write_promise {
  ballot promised;
  MSGPACK_DEFINE(promised)
};
struct write_accepted {
  slot where;
  accepted_value value;
  MSGPACK_DEFINE(where, value)
};
struct write_truncate {
  slot upto;
  MSGPACK_DEFINE(upto)
};
/// What a store keeps for the learner: an image of the registry that covers all slots up to `upto`.
struct write_snapshot {
  slot upto;
  index last;
  configuration voters;
  blob image;
  /// The slot of the `configure` that named these voters; 0: they are the initial ones.
  slot voters_since{};
  MSGPACK_DEFINE(upto, last, voters, image, voters_since)
};
/// What a store keeps for formation (L5): the pledge, and whether the cluster is formed.
struct write_formation {
  cluster_id cluster;
  configuration voters;
  bool formed = false;
  MSGPACK_DEFINE(cluster, voters, formed)
};

using write_op =
  std::variant<write_promise, write_accepted, write_truncate, write_snapshot, write_formation>;

/// To be durable as a whole, in order of `id`.
struct write {
  write_id id;
  std::vector<write_op> ops;
};

/// What a store gives back at start. A blank store gives `blank() == true`.
struct recovered {
  voter_id self;
  std::optional<write_formation> formation;
  ballot promised;
  std::map<slot, accepted_value> accepted;
  slot truncated_upto;
  std::optional<write_snapshot> snapshot;

  [[nodiscard]] bool blank() const {
    return !formation && !promised.valid() && accepted.empty() && !snapshot;
  }
};

struct acceptor_output {
  std::vector<outgoing> send;
  std::vector<write> writes;
};

/// One decided entry, in order of `at`; every index comes exactly once, without gaps (unless a
/// snapshot is installed).
struct decided_entry {
  index at;
  slot where;
  entry what;
};

/// What a snapshot is made of: the snapshot before, and the values of all slots behind it. All of
/// it is immutable, so whoever makes it can do so at any pace while the log goes on (L4).
struct snapshot_task {
  /// None: from the beginning of the log.
  std::optional<write_snapshot> base;
  /// The slots behind `base`, up to `upto`.
  std::vector<batch> since;
  slot upto;
  index last;
};

struct learner_output {
  std::vector<outgoing> send;
  std::vector<write> writes;
  /// Install this image in place of the registry *before* handling `decided`.
  std::optional<write_snapshot> install;
  std::vector<decided_entry> decided;
  /// Make this image, now or later, and hand it to `learner::snapshot_made`. A later task, or an
  /// `install`, makes it void.
  std::optional<snapshot_task> want_snapshot;
};

/// Leadership as seen by one proposer.
struct leadership {
  /// True from the end of phase 1 on, until it steps down.
  bool leading = false;
  /// The ballot that is led, or the highest ballot whose leader was heard.
  ballot at;
  /// Who leads, as far as known here; not valid() if unknown.
  voter_id leader;

  bool operator==(const leadership&) const = default;
};

struct proposer_output {
  std::vector<outgoing> send;
  /// Confirmations asked for by `confirm(id)` that are now done: a majority has confirmed the
  /// ballot in a heartbeat round that started after the call (S1). What is decided by then is
  /// decided up to `upto`: a linearizable read waits until the registry has applied it.
  struct confirmed {
    std::uint64_t id = 0;
    slot upto;
  };
  std::vector<confirmed> confirmations;
  /// Set when leadership changed since the last take_output(). On loss all open confirmations, and
  /// reads that still wait for their `upto`, are void and must be asked again.
  std::optional<leadership> changed;
};

} // namespace paxtor::paxos
