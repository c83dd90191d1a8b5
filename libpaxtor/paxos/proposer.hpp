#pragma once

#include <cstdint>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::paxos {

/// The proposer: election (class election, L3), phase 1 recovery, phase 2 with batching and pipelining, heartbeats and
/// confirmation rounds. Owned by the proposer actor (or a replica). Blank voters do not run one before formation.
///
/// The first entry of each reign is `reign(ballot)` (S2); it is proposed by this class itself.
/// I5 in one ballot, one value per slot. I6 nothing is proposed in a slot before phase 1 has covered it.
/// I7 nothing is proposed beyond a `configure` until that is decided (L6).
class proposer {
public:
  proposer(voter_id self, configuration voters, slot decided_upto, ballot highest_seen, timing times,
           limits bounds, generator random, time_point now);

  /// Handles what is addressed to role::proposer.
  void step(time_point now, voter_id from, const message& what);

  /// Call at least every `timing::tick`.
  void tick(time_point now);

  /// Queues an entry for the next batch. Returns false if this proposer does not lead or its queue is full; the
  /// caller tells its client to try elsewhere. An entry that was taken may still be lost with the leadership, or be
  /// decided much later as a ghost (R1 and S3 make that harmless).
  [[nodiscard]] bool propose(entry what);

  /// Asks for a heartbeat round that starts after this call (S1, reads). Several calls share a round; at most one
  /// round is in flight per round trip. `id` is the caller's. REQUIRES: leading.
  void confirm(time_point now, std::uint64_t id);

  [[nodiscard]] proposer_output take_output();

  [[nodiscard]] const leadership& state() const;
};

} // namespace paxtor::paxos
