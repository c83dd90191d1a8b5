#include "test/sim/agreement_checker.hpp"

namespace paxtor::sim {

namespace {

std::string place(slot where, ballot at) {
  return "slot " + to_string(where) + " ballot " + to_string(at);
}

} // namespace

verdict agreement_checker::accepted(voter_id by, slot where, ballot at, const blob& value) {
  auto& ballots = tallies_[where];
  auto& count = ballots[at];
  if (count.voters.empty())
    count.value = value;
  else if (count.value != value)
    return wrong("agreement",
                 place(where, at) + ": voter " + to_string(by) + " accepted a second value");
  count.voters.insert(by);
  auto chosen = chosen_.find(where);
  if (chosen != chosen_.end()) {
    if (at > chosen->second.at && value != chosen->second.value)
      return wrong("agreement", place(where, at) + ": voter " + to_string(by)
                                  + " accepted another value than the one chosen at "
                                  + to_string(chosen->second.at));
  }
  if (count.voters.size() < majority_)
    return {};
  if (chosen == chosen_.end()) {
    chosen_.emplace(where, choice{at, value});
    // What was accepted above before this was chosen must be the same value, else the choice can be
    // lost.
    for (auto later = ballots.upper_bound(at); later != ballots.end(); ++later)
      if (later->second.value != value)
        return wrong("agreement", place(where, at) + " was chosen although ballot "
                                    + to_string(later->first) + " carries another value");
    return {};
  }
  if (chosen->second.value != value)
    return wrong("agreement", place(where, at) + ": a second value was chosen; the first at ballot "
                                + to_string(chosen->second.at));
  return {};
}

verdict agreement_checker::decided(voter_id by, slot where, const blob& value) {
  auto chosen = chosen_.find(where);
  if (chosen == chosen_.end())
    return wrong("agreement", "voter " + to_string(by) + " teaches slot " + to_string(where)
                                + ", in which nothing was chosen");
  if (chosen->second.value != value)
    return wrong("agreement", "voter " + to_string(by) + " teaches another value of slot "
                                + to_string(where) + " than the one chosen at ballot "
                                + to_string(chosen->second.at));
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
