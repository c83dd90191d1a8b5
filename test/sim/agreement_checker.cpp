#include "test/sim/agreement_checker.hpp"

#include <algorithm>

#include "libpaxtor/paxos/batches.hpp"

namespace paxtor::sim {

namespace {

std::string place(slot where, ballot at) {
  return "slot " + to_string(where) + " ballot " + to_string(at);
}

} // namespace

bool agreement_checker::has_majority(const tally& of, const paxos::configuration& voters) {
  const auto count = std::count_if(of.voters.begin(), of.voters.end(),
                                   [&voters](voter_id id) { return voters.contains(id); });
  return static_cast<std::size_t>(count) >= voters.majority();
}

const agreement_checker::choice* agreement_checker::chosen(slot where) const {
  auto i = chosen_.find(where);
  return i != chosen_.end() ? &i->second : nullptr;
}

verdict agreement_checker::accepted(voter_id by, slot where, ballot at, const blob& value) {
  auto& count = tallies_[where][at];
  if (count.voters.empty())
    count.value = value;
  else if (count.value != value)
    return wrong("agreement",
                 place(where, at) + ": voter " + to_string(by) + " accepted a second value");
  count.voters.insert(by);
  if (chosen(where) != nullptr)
    return judge(where, at, by);
  return choose_next();
}

verdict agreement_checker::judge(slot where, ballot at, voter_id by) const {
  const auto& first = chosen_.at(where);
  const auto& count = tallies_.at(where).at(at);
  if (count.value == first.value)
    return {};
  if (at > first.at)
    return wrong("agreement", place(where, at) + ": voter " + to_string(by)
                                + " accepted another value than the one chosen at "
                                + to_string(first.at));
  if (has_majority(count, voters_of(where)))
    return wrong("agreement", place(where, at) + ": a second value was chosen; the first at ballot "
                                + to_string(first.at));
  return {};
}

verdict agreement_checker::choose_next() {
  for (;;) {
    const auto where = chosen_upto().next();
    const auto ballots = tallies_.find(where);
    if (ballots == tallies_.end())
      return {};
    const auto& voters = voters_of(where);
    const auto found =
      std::find_if(ballots->second.begin(), ballots->second.end(),
                   [&voters](const auto& x) { return has_majority(x.second, voters); });
    if (found == ballots->second.end())
      return {};
    const auto& [at, count] = *found;
    chosen_.emplace(where, choice{at, count.value});
    // L6: in force from the next slot on.
    if (auto next = paxos::configuration_after(count.value))
      voters_[where.next()] = std::move(*next);
    // What was accepted above before this was known to be chosen must be the same value, else the
    // choice can be lost.
    for (auto later = std::next(found); later != ballots->second.end(); ++later)
      if (later->second.value != count.value)
        return wrong("agreement", place(where, at) + " was chosen although ballot "
                                    + to_string(later->first) + " carries another value");
  }
}

verdict agreement_checker::decided(voter_id by, slot where, const blob& value) const {
  const auto* what = chosen(where);
  if (what == nullptr)
    return wrong("agreement", "voter " + to_string(by) + " takes slot " + to_string(where)
                                + " for decided, but no majority of its voters holds one value");
  if (what->value != value)
    return wrong("agreement", "voter " + to_string(by) + " takes another value of slot "
                                + to_string(where) + " for decided than the one chosen at ballot "
                                + to_string(what->at));
  return {};
}

verdict agreement_checker::image(voter_id by, index last, std::uint64_t image_digest) {
  auto [seen, fresh] = images_.emplace(last, seen_image{by, image_digest});
  if (fresh)
    return {};
  ++compared_;
  if (seen->second.image_digest != image_digest)
    return wrong("agreement", "the registries of voters " + to_string(by) + " and "
                                + to_string(seen->second.by) + " differ after index "
                                + to_string(last));
  return {};
}

} // namespace paxtor::sim
