#include "libpaxtor/paxos/phase_one.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "libpaxtor/paxos/batches.hpp"
#include "libpaxtor/paxos/bounds.hpp"

namespace paxtor::paxos {

namespace {

bool well_formed(const promise& what) {
  if (what.parts == 0 || what.parts > max_promise_parts || what.part >= what.parts)
    return false;
  const auto floor = std::max(what.from.value, what.truncated_upto.value);
  return std::all_of(what.accepted.begin(), what.accepted.end(), [&](const auto& held) {
    // An acceptor holds max_slots_held slots; nothing further away becomes a gap to fill. Nor can
    // it have accepted, before it promised, in this ballot or above.
    return held.first >= what.from && held.first.value - what.from.value <= floor + max_slots_held
           && held.second.at < what.at;
  });
}

} // namespace

bool phase_one::add(voter_id from, const promise& what) {
  if (what.at != at_ || what.from != from_ || !well_formed(what))
    return false;
  // Whose promise is not asked for is not kept either: nobody fills the memory with promises.
  if (answers_.size() >= 4 * max_voters && answers_.count(from) == 0)
    return false;
  auto& mine = answers_[from];
  if (mine.whole)
    return true;
  if (mine.parts != what.parts || mine.truncated_upto != what.truncated_upto) {
    // An answer to a repeated prepare, cut differently: parts of the two do not make a whole.
    mine = answer{};
    mine.parts = what.parts;
    mine.truncated_upto = what.truncated_upto;
    mine.asked_upto = promise_parts_at_once;
  }
  if (mine.got.insert_or_assign(what.part, what.accepted).second)
    ++parts_;
  while (mine.got.count(mine.next) != 0)
    ++mine.next;
  if (mine.got.size() < mine.parts)
    return true;
  mine.whole = true;
  truncated_upto_ = std::max(truncated_upto_, mine.truncated_upto);
  mine.bit = next_bit_;
  next_bit_ <<= 1; // none is left for a 65th
  for (const auto& [part, accepted] : mine.got)
    merge(accepted, mine.bit);
  mine.got.clear();
  return true;
}

void phase_one::merge(const std::map<slot, accepted_value>& accepted, std::uint64_t bit) {
  for (const auto& [where, held] : accepted) {
    auto& best = values_[where];
    // L2: per slot, the accepted value of the highest ballot.
#ifdef PAXTOR_CANARY_RECOVERS_ANY_VALUE
    const bool better = !best.at.valid();
#else
    const bool better = best.at < held.at;
#endif
    if (better) {
      best = recovered_value{held.at, held.value, configuration_after(held.value), false, 0};
      if (best.changes)
        changes_.insert(where);
      else
        changes_.erase(where);
    }
    // One ballot has one value per slot; who says otherwise is not counted.
#ifndef PAXTOR_CANARY_COUNTS_ANY_BALLOT
    if (best.at == held.at && best.value == held.value)
#endif
      best.held_by |= bit;
  }
}

std::map<slot, recovered_value> phase_one::take_values(slot decided_upto,
                                                       const configuration& voters) {
  std::uint64_t counted = 0;
  for (const auto& member : voters.members) {
    if (const auto pos = answers_.find(member.id); pos != answers_.end())
      counted |= pos->second.bit;
  }
  for (auto i = values_.upper_bound(decided_upto); i != values_.end(); ++i) {
    // L2: accepted by a majority of the slot's voters in one ballot. A promise waits until all that
    // it tells of is durable (L1).
    auto& here = i->second;
    here.decided =
      static_cast<std::size_t>(std::popcount(here.held_by & counted)) >= voters.majority();
#ifndef PAXTOR_CANARY_OLD_VOTERS_DECIDE
    if (here.changes)
      break;
#endif
  }
  return std::move(values_);
}

std::uint32_t phase_one::next_part(voter_id id) const {
  const auto pos = answers_.find(id);
  return pos != answers_.end() ? pos->second.next : 0;
}

std::optional<std::uint32_t> phase_one::ask_on(voter_id id) {
  const auto pos = answers_.find(id);
  if (pos == answers_.end() || pos->second.whole || pos->second.next < pos->second.asked_upto)
    return std::nullopt;
  pos->second.asked_upto = pos->second.next + promise_parts_at_once;
  return pos->second.next;
}

bool phase_one::promised(voter_id id) const {
  const auto pos = answers_.find(id);
  return pos != answers_.end() && pos->second.whole;
}

std::vector<configuration> phase_one::chain([[maybe_unused]] slot decided_upto,
                                            const configuration& voters) const {
  std::vector<configuration> result{voters};
#ifndef PAXTOR_CANARY_RECOVERY_ASKS_OLD_VOTERS
  for (auto i = changes_.upper_bound(decided_upto); i != changes_.end(); ++i)
    result.push_back(*values_.at(*i).changes);
#endif
  return result;
}

std::vector<voter_id> phase_one::missing(slot decided_upto, const configuration& voters) const {
  std::vector<voter_id> result;
  for (const auto& part : chain(decided_upto, voters)) {
    for (const auto& member : part.members) {
      const bool known = std::find(result.begin(), result.end(), member.id) != result.end();
      if (!known && !promised(member.id))
        result.push_back(member.id);
    }
  }
  return result;
}

bool phase_one::complete(slot decided_upto, const configuration& voters) const {
  if (!promised(self_) || decided_upto < truncated_upto_)
    return false;
  const auto parts = chain(decided_upto, voters);
  return std::all_of(parts.begin(), parts.end(), [this](const configuration& part) {
    const auto count = std::count_if(part.members.begin(), part.members.end(),
                                     [this](const member& m) { return promised(m.id); });
    return static_cast<std::size_t>(count) >= part.majority();
  });
}

} // namespace paxtor::paxos
