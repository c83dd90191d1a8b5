#include "libpaxtor/cluster/leader_finder.hpp"

#include <algorithm>
#include <utility>

namespace paxtor::cluster {

leader_finder::leader_finder(std::vector<voter_id> voters, duration quick, duration slow,
                             generator random, time_point now)
    : voters_(std::move(voters)),
      quick_(quick),
      slow_(std::max(slow, quick)),
      random_(random),
      lost_at_(now),
      probe_at_(now) {
  // Nodes that start together should not all ask the same voter.
  if (!voters_.empty())
    target_ = voters_[random_.below(voters_.size())];
}

bool leader_finder::usable(voter_id voter) const {
  if (std::find(voters_.begin(), voters_.end(), voter) == voters_.end())
    return false;
  // Links are hints: a driver that never reports one still gets its messages out.
  bool some_up =
    std::any_of(voters_.begin(), voters_.end(), [this](voter_id x) { return up_.count(x) != 0; });
  return !some_up || up_.count(voter) != 0;
}

duration leader_finder::patience() const {
  return std::clamp(3 * round_trip_, 2 * quick_, std::max(slow_, 2 * quick_));
}

void leader_finder::turn() {
  hops_ = 0;
  if (voters_.empty()) {
    target_ = voter_id{};
    return;
  }
  auto i = std::find(voters_.begin(), voters_.end(), target_);
  auto at = i == voters_.end() ? voters_.size() - 1 : static_cast<std::size_t>(i - voters_.begin());
  for (std::size_t step = 1; step <= voters_.size(); ++step) {
    auto candidate = voters_[(at + step) % voters_.size()];
    if (usable(candidate)) {
      target_ = candidate;
      return;
    }
  }
}

void leader_finder::plan(time_point now) {
  // Often while an election is likely under way; then at the pace of renewals.
  auto every = now - lost_at_ < 3 * slow_ ? quick_ : slow_;
  auto jitter = random_.below(static_cast<std::uint64_t>(every.count()) / 8 + 1);
  probe_at_ = now + every + duration{static_cast<duration::rep>(jitter)};
}

void leader_finder::lose(time_point now) {
  if (known_)
    lost_at_ = now;
  known_ = false;
  waiting_since_.reset();
}

bool leader_finder::voters_are(time_point now, std::vector<voter_id> voters) {
  voters_ = std::move(voters);
  if (target_.valid() && usable(target_))
    return false;
  lose(now);
  turn();
  plan(now);
  return target_.valid();
}

bool leader_finder::link_up(time_point now, voter_id voter) {
  up_.insert(voter);
  // Until now another passed on what is for the leader.
  if (known_ && voter == leader_ && usable(voter))
    target_ = voter;
  if (known_ || usable(target_) || !usable(voter))
    return false;
  target_ = voter;
  hops_ = 0;
  plan(now);
  return true;
}

bool leader_finder::link_down(time_point now, voter_id voter) {
  up_.erase(voter);
  if (voter == leader_)
    leader_ = voter_id{}; // What was under way to it may be lost.
  if (voter != target_)
    return false;
  lose(now);
  turn();
  plan(now);
  return target_.valid();
}

bool leader_finder::heard_leader(voter_id from, ballot by) {
  // A late word of an old reign.
  if (by.valid() && by < seen_)
    return false;
  // A message that tells no ballot may be late, too; while a leader is known it changes nothing.
  if (!by.valid() && known_ && from != leader_)
    return false;
  bool other = from != leader_ || (by.valid() && by != seen_);
  leader_ = from;
  if (by.valid())
    seen_ = by;
  known_ = true;
  hops_ = 0;
  waiting_since_.reset();
  // Else the target passes on what is for the leader.
  if (usable(from))
    target_ = from;
  return other;
}

bool leader_finder::heard_not_leading(time_point now, voter_id from, voter_id leader, ballot at) {
  if (known_ && from != target_)
    return false; // Asked before the leader was found.
  if (at < seen_ && leader.valid() && leader != leader_)
    leader = voter_id{}; // It points at an older leader than the one seen.
  if (from == leader_)
    leader_ = voter_id{};
  bool was_known = known_;
  lose(now);
  if (leader.valid() && leader != from && usable(leader) && hops_ <= voters_.size()) {
    ++hops_;
    target_ = leader;
    plan(now);
    return true;
  }
  // No leader yet: soon again, at the next voter.
  if (was_known)
    plan(now);
  return false;
}

void leader_finder::sent(time_point now) {
  if (!waiting_since_)
    waiting_since_ = now;
}

void leader_finder::took(duration round_trip) {
  round_trip_ = (round_trip_ * 3 + round_trip) / 4;
}

bool leader_finder::tick(time_point now) {
  if (voters_.empty())
    return false;
  if (known_) {
    if (!waiting_since_ || now - *waiting_since_ < patience())
      return false;
    lose(now);
    turn();
    plan(now);
    return true;
  }
  if (now < probe_at_)
    return false;
  turn();
  plan(now);
  return true;
}

std::optional<time_point> leader_finder::next_wake() const {
  if (voters_.empty())
    return std::nullopt;
  if (!known_)
    return probe_at_;
  if (waiting_since_)
    return *waiting_since_ + patience();
  return std::nullopt;
}

} // namespace paxtor::cluster
