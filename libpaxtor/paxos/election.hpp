#pragma once

#include <cstdint>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/paxos/config.hpp"

namespace paxtor::paxos {

/// Who may try to lead, and when (L3): hears leaders, times out, counts the pre-vote. Changes
/// nothing by itself: the proposer that owns it sends what is to be sent, and lives as long.
///
/// A candidate wins only by reaching a majority itself, and a voter refuses whoever asks while it
/// hears another leader. A leader that reaches no majority stops being heard, so it is replaced
/// under a partial cut; a voter that is cut from the leader alone, or comes back after a cut,
/// disturbs nobody.
class election {
public:
  election(voter_id self, timing times, generator random, time_point now);

  /// A live leader was heard: nothing is tried until it has been silent for a random timeout.
  void heard(time_point now, voter_id leader);

  /// True while a leader other than `asking` was heard within election_min. Also just after the
  /// start, when a leader may live that has not been heard yet.
  [[nodiscard]] bool hears_other(time_point now, voter_id asking) const;

  /// True when it is time to try.
  [[nodiscard]] bool due(time_point now) const { return now >= deadline_; }

  /// Opens a pre-vote for `next`, with our own vote. The next one, if this fails, backs off.
  void begin(time_point now, ballot next);

  /// The ballot of the open pre-vote; not valid if none is open.
  [[nodiscard]] ballot asked() const { return asked_; }

  /// Counts a granted pre-vote of a distinct voter of `voters`.
  void grant(voter_id from, const configuration& voters);

  /// True if a majority of `voters` would promise.
  [[nodiscard]] bool won(const configuration& voters) const;

  /// Phase 1 begins: it has an election timeout to end.
  void campaign(time_point now);

  /// Phase 1 or the leadership was lost to a higher ballot: waits a little for its leader to show.
  void retreat(time_point now);

private:
  [[nodiscard]] duration random_between(duration low, duration high);

  voter_id self_;
  timing times_;
  generator random_;
  time_point deadline_;
  time_point heard_at_;
  voter_id heard_of_;
  ballot asked_;
  std::vector<voter_id> granted_;
  duration back_off_;
};

} // namespace paxtor::paxos
