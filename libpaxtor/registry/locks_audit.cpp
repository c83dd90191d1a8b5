// The full check of I11, I13, I14 and I15 as far as locks go, for tests, the simulator and images.

#include <algorithm>
#include <set>

#include "libpaxtor/registry/locks.hpp"

namespace paxtor::registry {

bool locks::all_strict(const owner& x) const {
  auto none = const_cast<lock_map&>(locks_).end();
  for (auto key = x.held; key != none; key = key->second.next) {
    if (key->second.strict == 0)
      return false;
  }
  return true;
}

const char* locks::audit() const {
  std::uint64_t held = 0;
  std::uint64_t waiting = 0;
  std::map<session_id, lock_tally> tallies;
  for (auto me = owners_.begin(); me != owners_.end(); ++me) {
    if (const char* broken = audit_owner(me))
      return broken;
    auto& sum = tallies[me->first.session];
    auto none = const_cast<lock_map&>(locks_).end();
    for (auto key = me->second.held; key != none; key = key->second.next)
      ++sum.held;
    if (me->second.extra)
      sum.waits += me->second.extra->waits.size();
  }
  for (const auto& [id, sum] : tallies) {
    auto known = tally(id);
    if (known.held != sum.held || known.waits != sum.waits)
      return "I13";
    held += sum.held;
    waiting += sum.waits;
  }
  if (tallies.size() != tallies_.size() || held != held_ || waiting != waiting_)
    return "I13";
  if (const char* broken = audit_queues())
    return broken;
  return audit_cycles();
}

/// What hangs on one owner: its list, its requests, their places.
const char* locks::audit_owner(owner_map::const_iterator me) const {
  auto none = const_cast<lock_map&>(locks_).end();
  auto mine = const_cast<owner_map&>(owners_).find(me->first);
  const auto& x = me->second;
  if (x.held == none && (!x.extra || x.extra->waits.empty()))
    return "I13";
  std::uint32_t contended = 0;
  std::uint64_t steps = 0;
  for (auto key = x.held; key != none; key = key->second.next) {
    if (key->second.who != mine || key->second.grant == 0 || ++steps > held_)
      return "I11";
    contended += key->second.queue ? 1 : 0;
  }
  if (contended != x.contended)
    return "I13";
  if (!x.extra)
    return nullptr;
  if (x.extra->waits.empty() && x.extra->mixed.empty())
    return "I13";
  for (const auto& grant : x.extra->mixed) {
    for (auto key : grant.keys) {
      if (key->second.who != mine)
        return "I11";
    }
  }
  index before;
  for (const auto& req : x.extra->waits) {
    if (req->missing.empty() || req->id <= before || ready(*req, mine))
      return "I14";
    before = req->id;
    std::size_t missing = 0;
    for (std::size_t i = 0; i < req->keys.size(); ++i) {
      auto key = req->keys[i];
      if (i > 0 && !(req->keys[i - 1]->first < key->first))
        return "I14";
      if (key->second.who == mine)
        continue;
      if (missing >= req->missing.size() || req->missing[missing].key != key
          || req->missing[missing].where->who != mine)
        return "I14";
      ++missing;
    }
    if (missing != req->missing.size())
      return "I14";
  }
  return nullptr;
}

const char* locks::audit_queues() const {
  std::map<const place*, std::uint32_t> users;
  for (const auto& [id, x] : owners_) {
    if (!x.extra)
      continue;
    for (const auto& req : x.extra->waits) {
      for (const auto& w : req->missing)
        ++users[&*w.where];
    }
  }
  std::uint64_t held = 0;
  for (const auto& [key, x] : locks_) {
    held += is_free(x) ? 0 : 1;
    if (key.empty() || (is_free(x) && !x.queue))
      return "I13";
    if (!x.queue)
      continue;
    if (x.queue->empty())
      return "I13";
    index before;
    std::set<owner_id> seen;
    for (const auto& p : *x.queue) {
      auto used = users.find(&p);
#ifdef PAXTOR_CANARY_NEWEST_FIRST
      before = {};
#endif
      if (p.since <= before || p.who == x.who || !seen.insert(p.who->first).second
          || used == users.end() || used->second != p.requests)
        return "I14";
      before = p.since;
      users.erase(used);
    }
  }
  if (held != held_)
    return "I11";
  return users.empty() ? nullptr : "I14";
}

/// I15. An edge to the place before and to the holder is enough: the rest follows along the queue.
const char* locks::audit_cycles() const {
  std::map<owner_id, std::set<owner_id>> waits_for;
  for (const auto& [key, x] : locks_) {
    if (!x.queue)
      continue;
    const place* before = nullptr;
    for (const auto& p : *x.queue) {
      if (before != nullptr)
        waits_for[p.who->first].insert(before->who->first);
      else if (!is_free(x))
        waits_for[p.who->first].insert(x.who->first);
      before = &p;
    }
  }
  // Take away who waits for nobody, until nobody is left or only cycles are.
  std::map<owner_id, std::vector<owner_id>> waited_by;
  std::vector<owner_id> idle;
  for (const auto& [id, targets] : waits_for) {
    for (auto target : targets) {
      auto [pos, fresh] = waited_by.try_emplace(target);
      pos->second.push_back(id);
      if (fresh && !waits_for.contains(target))
        idle.push_back(target);
    }
  }
  // The first of a free key's queue waits for another key, or for nobody at all.
  std::map<owner_id, std::size_t> left;
  for (const auto& [id, targets] : waits_for)
    left[id] = targets.size();
  while (!idle.empty()) {
    auto done = idle.back();
    idle.pop_back();
    for (auto id : waited_by[done]) {
      if (--left[id] == 0) {
        left.erase(id);
        idle.push_back(id);
      }
    }
  }
  return left.empty() ? nullptr : "I15";
}

} // namespace paxtor::registry
