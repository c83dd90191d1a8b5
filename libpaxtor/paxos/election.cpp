#include "libpaxtor/paxos/election.hpp"

#include <algorithm>

namespace paxtor::paxos {

election::election(voter_id self, timing times, generator random, time_point now)
    : self_(self), times_(times), random_(random), heard_at_(now), back_off_(times.tick) {
  deadline_ = now + random_between(times_.election_min, times_.election_max);
}

duration election::random_between(duration low, duration high) {
  high = std::max(low, high);
  return duration{static_cast<duration::rep>(random_.between(
    static_cast<std::uint64_t>(low.count()), static_cast<std::uint64_t>(high.count())))};
}

void election::heard(time_point now, voter_id leader) {
  heard_at_ = now;
  heard_of_ = leader;
  asked_ = {};
  back_off_ = times_.tick;
  deadline_ = now + random_between(times_.election_min, times_.election_max);
}

bool election::hears_other(time_point now, voter_id asking) const {
  return heard_of_ != asking && now - heard_at_ < times_.election_min;
}

void election::begin(time_point now, ballot next) {
  asked_ = next;
  granted_.assign(1, self_);
  // A refusal is often only a matter of a few milliseconds, so the first tries come quickly.
  deadline_ = now + random_between(back_off_, 2 * back_off_);
  back_off_ = std::min(2 * back_off_, times_.election_max);
}

void election::grant(voter_id from, const configuration& voters) {
  if (voters.contains(from) && std::find(granted_.begin(), granted_.end(), from) == granted_.end())
    granted_.push_back(from);
}

bool election::won(const configuration& voters) const {
  const auto votes = std::count_if(granted_.begin(), granted_.end(),
                                   [&voters](voter_id id) { return voters.contains(id); });
  return asked_.valid() && static_cast<std::size_t>(votes) >= voters.majority();
}

void election::campaign(time_point now) {
  asked_ = {};
  deadline_ = now + random_between(times_.election_min, times_.election_max);
}

void election::retreat(time_point now) {
  asked_ = {};
  deadline_ = now + random_between(2 * times_.tick, times_.election_min);
}

} // namespace paxtor::paxos
