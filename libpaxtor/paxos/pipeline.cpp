#include "libpaxtor/paxos/pipeline.hpp"

#include <algorithm>
#include <utility>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/paxos/bounds.hpp"

namespace paxtor::paxos {

pipeline::pipeline(ballot at, const limits& bounds, slot decided_upto,
                   std::map<slot, recovered_value> recovered)
    : window_(std::clamp<std::size_t>(bounds.slots_in_flight, 1, max_slots_ahead)),
      recovery_window_(std::clamp<std::size_t>(bounds.slots_recovering, 1, max_slots_ahead)),
      recovery_bytes_(bounds.batch_bytes),
      first_(decided_upto.next()),
      next_(first_),
      recovered_(std::move(recovered)),
      queue_(bounds) {
  recovered_.erase(recovered_.begin(), recovered_.upper_bound(decided_upto));
  keep_long_runs(bounds.slots_known_decided);
  reign_slot_ = recovered_.empty() ? first_ : recovered_.rbegin()->first.next();
  // S2: the barrier of this reign, before anything that a client proposes.
  [[maybe_unused]] const bool taken = queue_.add(entry{entry_kind::reign, encode(at)});
}

void pipeline::keep_long_runs(std::size_t least) {
  for (auto i = recovered_.begin(); i != recovered_.end();) {
    const auto first = i;
    std::size_t length = 0;
    auto expected = i->first;
    while (i != recovered_.end() && i->second.decided && i->first == expected) {
      expected = expected.next();
      ++length;
      ++i;
    }
    if (length == 0)
      ++i;
    else if (length < least)
      std::for_each(first, i, [](auto& known) { known.second.decided = false; });
  }
}

bool pipeline::next_is_decided() const {
  return !recovered_.empty() && recovered_.begin()->first == next_
         && recovered_.begin()->second.decided;
}

slot pipeline::bound() const {
  return std::max(reign_slot_, slot{next_.value - 1});
}

bool pipeline::idle() const {
  return in_flight_.empty() && recovered_.empty() && queue_.empty();
}

bool pipeline::has_room() const {
#ifndef PAXTOR_CANARY_DECIDED_BEFORE_ITS_PAST
  // L6: by a majority of the slot's voters, and those are known when all before it is decided.
  if (next_is_decided() && !in_flight_.empty() && !in_flight_.back().decided)
    return false;
#endif
  return in_flight_.size() < window_
         || (next_ < reign_slot_ && in_flight_.size() < recovery_window_
             && bytes_in_flight_ < recovery_bytes_);
}

bool pipeline::next_value(batch& value, std::optional<configuration>& changes) {
  if (next_ < reign_slot_) {
    auto pos = recovered_.find(next_);
    if (pos == recovered_.end()) {
      // No majority accepted anything here below our ballot, so nothing can be decided here but
      // what we propose.
      value = make_batch({entry{}});
      return true;
    }
    value = std::move(pos->second.value);
    changes = std::move(pos->second.changes);
    recovered_.erase(pos);
    return true;
  }
  if (queue_.empty())
    return false;
  auto ready = queue_.take();
  value = std::move(ready.value);
  changes = std::move(ready.changes);
  return true;
}

std::vector<pipeline::proposal> pipeline::cut(time_point now) {
  std::vector<proposal> result;
  while (has_room()) {
#ifndef PAXTOR_CANARY_PROPOSES_BEYOND_CONFIGURE
    // I7, L6: nothing beyond a configure until that is decided.
    if (changing_)
      break;
#endif
    const bool decided = next_is_decided();
    batch value;
    std::optional<configuration> changes;
    if (!next_value(value, changes))
      break;
    // I5: each slot is proposed in once in a ballot. I6: only where phase 1 has asked.
    PAXTOR_CHECK("I5", in_flight_.empty() || in_flight_.back().where < next_);
    PAXTOR_CHECK("I6", next_ >= first_);
    in_flight_.push_back(flying{next_, value, now, {}, decided});
    bytes_in_flight_ += value.size();
    if (decided)
      already_decided_.values.emplace_hint(already_decided_.values.end(), next_, std::move(value));
    else
      result.push_back(proposal{next_, std::move(value)});
    if (changes) {
      changing_ = std::move(changes);
      changing_slot_ = next_;
    }
    next_ = next_.next();
  }
  return result;
}

std::vector<pipeline::proposal> pipeline::overdue(time_point now, duration patience,
                                                  duration most) {
  std::vector<proposal> result;
  for (auto& open : in_flight_) {
    if (open.patience == duration{})
      open.patience = patience;
    if (open.decided || now - std::max(open.sent_at, decided_at_) < open.patience)
      continue;
    open.sent_at = now;
    open.patience = std::min(2 * open.patience, most);
    result.push_back(proposal{open.where, open.value});
  }
  return result;
}

void pipeline::decided(time_point now, slot upto) {
  decided_at_ = now;
  while (!in_flight_.empty() && in_flight_.front().where <= upto) {
    bytes_in_flight_ -= in_flight_.front().value.size();
    in_flight_.pop_front();
  }
  if (changing_ && changing_slot_ <= upto)
    changing_.reset();
  // Late votes of our own older reign can decide recovered slots before they are proposed again.
  if (next_ <= upto && upto < reign_slot_) {
    next_ = upto.next();
    recovered_.erase(recovered_.begin(), recovered_.lower_bound(next_));
  }
}

} // namespace paxtor::paxos
