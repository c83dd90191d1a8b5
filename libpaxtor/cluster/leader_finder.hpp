#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/base/time.hpp"

namespace paxtor::cluster {

/// Which voter a node talks to: the leader if it can be reached, else a voter that knows it. Owned
/// by the agent. Never decides anything about leases: a wrong guess costs time only.
///
/// A leader is *known* once a voter has sent what only leaders send. It is given up when its link
/// goes down, when it says that it does not lead, or when something sent to it stays unanswered for
/// `patience()`; then the voters are tried in turn, often at first (a new leader is elected within
/// fractions of a second), later every `slow`.
class leader_finder {
public:
  /// `quick`: how long an answer takes at most, roughly (one heartbeat). `slow`: between tries when
  /// no leader was found for a while.
  leader_finder(std::vector<voter_id> voters, duration quick, duration slow, generator random,
                time_point now);

  // Those that return true ask the caller to send to `target()` at once what shows who leads.
  [[nodiscard]] bool voters_are(time_point now, std::vector<voter_id> voters);
  [[nodiscard]] bool link_up(time_point now, voter_id voter);
  [[nodiscard]] bool link_down(time_point now, voter_id voter);
  [[nodiscard]] bool heard_not_leading(time_point now, voter_id from, voter_id leader, ballot at);
  [[nodiscard]] bool tick(time_point now);

  /// `from` sent what only a leader sends; `by` is its ballot if the message tells. Returns true if
  /// this is another leader or reign than before: what is unanswered should be sent again.
  [[nodiscard]] bool heard_leader(voter_id from, ballot by);

  /// Something that will be answered was sent to `target()`.
  void sent(time_point now);

  /// An answer took this long.
  void took(duration round_trip);

  /// Not valid() while there is nobody to talk to.
  [[nodiscard]] voter_id target() const { return target_; }
  [[nodiscard]] bool known() const { return known_; }
  /// Who leads, which is not the target where another passes on; not valid() if it is not known.
  [[nodiscard]] voter_id leader() const { return known_ ? leader_ : voter_id{}; }
  [[nodiscard]] ballot seen() const { return seen_; }
  [[nodiscard]] duration quick() const { return quick_; }
  [[nodiscard]] duration slow() const { return slow_; }
  [[nodiscard]] std::optional<time_point> next_wake() const;

private:
  [[nodiscard]] bool usable(voter_id voter) const;
  [[nodiscard]] duration patience() const;
  void lose(time_point now);
  void turn();
  void plan(time_point now);

  std::vector<voter_id> voters_;
  std::set<voter_id> up_;
  duration quick_;
  duration slow_;
  generator random_;
  voter_id target_;
  /// Who led when the leader was last known; kept while it is looked for, to see whether it
  /// changed.
  voter_id leader_;
  ballot seen_;
  bool known_ = false;
  /// Hints followed since the last try by the clock: two voters may point at each other.
  std::size_t hops_ = 0;
  std::optional<time_point> waiting_since_;
  time_point lost_at_;
  time_point probe_at_;
  duration round_trip_{0};
};

} // namespace paxtor::cluster
