#include "test/sim/durability_checker.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

namespace paxtor::sim {

verdict durability_checker::check(slot where, voter_id by, const char* what) {
  const auto* chosen = log_.chosen(where);
  if (chosen == nullptr)
    return {};
  ++checked_;
  // Cheap and nearly always so.
  if (auto mine = stores_.find(by);
      mine != stores_.end() && mine->second.holds(where, chosen->value))
    return {};
  const auto& voters = log_.voters_of(where);
  // Those that can promise to a later leader and would not mention the value.
  const auto ignorant =
    std::count_if(voters.members.begin(), voters.members.end(), [&](const paxos::member& m) {
      auto i = stores_.find(m.id);
      return i != stores_.end() && !i->second.holds(where, chosen->value);
    });
  if (static_cast<std::size_t>(ignorant) < voters.majority())
    return {};
  return wrong("durability", "voter " + to_string(by) + " " + what + ": " + std::to_string(ignorant)
                               + " of the " + std::to_string(voters.members.size())
                               + " voters of slot " + to_string(where)
                               + " would not mention the value that was chosen there at ballot "
                               + to_string(chosen->at));
}

verdict durability_checker::wrote(voter_id by, const paxos::write& what) {
  auto& mine = stores_[by];
  // Slots of which this store may hold less than before.
  std::map<slot, const char*> suspect;
  for (const auto& op : what.ops) {
    if (const auto* x = std::get_if<paxos::write_accepted>(&op)) {
      mine.accepted[x->where] = x->value.value;
      suspect[x->where] = "accepted something else";
    } else if (const auto* y = std::get_if<paxos::write_snapshot>(&op)) {
      // A store keeps one snapshot: an older one in its place forgets what lies between.
      for (auto i = y->upto.next(); i <= mine.snapshot_upto; i = i.next())
        suspect[i] = "replaced its snapshot by an older one";
      mine.snapshot_upto = y->upto;
    } else if (const auto* z = std::get_if<paxos::write_truncate>(&op)) {
      auto end = mine.accepted.upper_bound(z->upto);
      for (auto i = mine.accepted.begin(); i != end; ++i)
        suspect[i->first] = "cut its log";
      mine.accepted.erase(mine.accepted.begin(), end);
    }
  }
  // A write is durable as a whole: judged after all of it.
  for (const auto& [where, did] : suspect)
    if (auto found = check(where, by, did))
      return found;
  return {};
}

verdict durability_checker::starts(voter_id by, const paxos::recovered& state) {
  store now;
  for (const auto& [where, value] : state.accepted)
    now.accepted.emplace(where, value.value);
  if (state.snapshot)
    now.snapshot_upto = state.snapshot->upto;
  auto& mine = stores_[by];
  const auto before = std::exchange(mine, std::move(now));
  for (auto i = slot{1}; i <= log_.chosen_upto(); i = i.next()) {
    const auto& value = log_.chosen(i)->value;
    if (!before.holds(i, value) || mine.holds(i, value))
      continue;
    if (auto found = check(i, by, "came back without what it held"))
      return found;
  }
  return {};
}

verdict durability_checker::at_rest(voter_id by, slot decided_upto) const {
  if (decided_upto >= log_.chosen_upto())
    return {};
  return wrong("durability", "voter " + to_string(by) + " is at rest at slot "
                               + to_string(decided_upto) + ", but values are chosen up to slot "
                               + to_string(log_.chosen_upto()));
}

} // namespace paxtor::sim
