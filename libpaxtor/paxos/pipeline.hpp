#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/paxos/batches.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/paxos/phase_one.hpp"

namespace paxtor::paxos {

/// Phase 2 of one reign: first what phase 1 recovered, gaps filled by no-ops, then the reign's own
/// entry (S2), then what clients propose, batched by what waits, so many slots at a time. Where
/// phase 1 found many slots in a row decided already, they are not proposed. Owned by the proposer;
/// lives for one reign. Carries out I5, I6 and I7 of the proposer.
class pipeline {
public:
  struct proposal {
    slot where;
    batch value;
  };

  pipeline(ballot at, const limits& bounds, slot decided_upto,
           std::map<slot, recovered_value> recovered);

  /// Queues an entry. Returns false if it cannot be taken (see batch_queue::add).
  [[nodiscard]] bool add(const entry& what) { return queue_.add(what); }

  /// Puts what waits into the free slots.
  [[nodiscard]] std::vector<proposal> cut(time_point now);

  /// What cut() passed over since the last call, because it is decided already: for the own
  /// learner.
  [[nodiscard]] already_decided take_already_decided() {
    return std::exchange(already_decided_, {});
  }

  /// What has been undecided for too long since it was last sent, and since anything was decided:
  /// `patience`, doubling up to `most`. While decisions come the rest is under way.
  [[nodiscard]] std::vector<proposal> overdue(time_point now, duration patience, duration most);

  /// All slots up to `upto` are decided.
  void decided(time_point now, slot upto);

  /// The first slot that this reign may propose in.
  [[nodiscard]] slot first() const { return first_; }

  /// The slot of the reign's own entry: what lies before it was taken over.
  [[nodiscard]] slot reign_slot() const { return reign_slot_; }

  /// The last slot that anything decided in this reign so far can be in: the last proposed, at
  /// least the slot of the reign's own entry.
  [[nodiscard]] slot bound() const;

  /// True if nothing waits for a slot or is undecided in one.
  [[nodiscard]] bool idle() const;

  /// The voters that an undecided `configure` in flight names.
  [[nodiscard]] const std::optional<configuration>& changing() const { return changing_; }

private:
  struct flying {
    slot where;
    batch value;
    time_point sent_at;
    duration patience{};
    /// Not proposed: the own learner was told of it.
    bool decided = false;
  };

  /// Short runs of decided slots are proposed like the rest.
  void keep_long_runs(std::size_t least);
  /// The next slot is decided already, and in a run that is not proposed.
  [[nodiscard]] bool next_is_decided() const;
  /// The next slot may be proposed in, or passed over.
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool next_value(batch& value, std::optional<configuration>& changes);

  std::size_t window_;
  std::size_t recovery_window_;
  std::size_t recovery_bytes_;
  slot first_;
  slot next_;
  slot reign_slot_;
  std::map<slot, recovered_value> recovered_;
  batch_queue queue_;
  already_decided already_decided_;
  std::deque<flying> in_flight_;
  std::size_t bytes_in_flight_ = 0;
  time_point decided_at_;
  std::optional<configuration> changing_;
  slot changing_slot_;
};

} // namespace paxtor::paxos
