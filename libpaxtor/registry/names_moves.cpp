// Singletons that move off a node that an operator drains (R5). Decided here: that one moves, and
// where it goes. It is started there only after the entry that says it has ended where it was: its
// own node's singleton_exited, or the end of that node's session.

#include <algorithm>
#include <vector>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/registry/names.hpp"
#include "libpaxtor/registry/placement.hpp"

namespace paxtor::registry {

void names::start_at(index at, name_it what, session& host, effect_list& out) {
  stop_moving(what);
  auto& x = what->second;
  x.host = host.id;
  x.grant = token{at.value};
  x.actor = {};
  host.hosted.insert(what);
  out.add(host.id, start_singleton{what->first, x.grant, x.spec});
}

void names::stop_moving(name_it what) {
  auto& x = what->second;
  if (auto* next = sessions_.find_open(x.next))
    next->incoming.erase(what);
  x.next = {};
  x.moving = {};
}

bool names::try_to_move(index at, name_it what, effect_list& out) {
  if (what->second.moving.valid())
    return true;
  // One that is being started is looked at when it has: its node knows it only then.
  if (!what->second.actor.valid())
    return false;
  auto* next = choose_host(sessions_, what->first, what->second.spec);
  if (next == nullptr)
    return false; // It runs on where it is, rather than nowhere.
  begin_to_move(at, what, *next, out);
  return true;
}

void names::begin_to_move(index at, name_it what, session& next, effect_list& out) {
  auto& x = what->second;
  PAXTOR_CHECK("I55", x.actor.valid() && !x.moving.valid() && next.id != x.host && !next.drained);
  x.moving = at;
  x.next = next.id;
  next.incoming.insert(what);
  out.add(x.host, hand_over{what->first, x.grant});
}

void names::turn_away(session& whose) {
  std::vector<name_it> incoming{whose.incoming.begin(), whose.incoming.end()};
  whose.incoming.clear();
  for (auto what : incoming) {
    auto& x = what->second;
    // It may have been told to end already, so it moves on, and if need be its place is found when
    // it has.
    auto* next = choose_host(sessions_, what->first, x.spec);
    if (next != nullptr && next->id == x.host)
      next = nullptr; // Its own node, which is not drained any more, keeps no room for it.
    x.next = next != nullptr ? next->id : session_id{};
    if (next != nullptr)
      next->incoming.insert(what);
  }
}

void names::drain(index at, session& whose, bool on, effect_list& out) {
  sessions_.drain(whose, on);
  if (!on)
    return;
  turn_away(whose);
  for (auto what : whose.hosted)
    try_to_move(at, what, out);
}

void names::offer(index at, session& fresh, effect_list& out) {
  if (fresh.drained)
    return;
  for (auto id : sessions_.drained()) {
    auto* whose = sessions_.find_open(id);
    PAXTOR_CHECK("I55", whose != nullptr);
    for (auto what : whose->hosted) {
      const auto& x = what->second;
      // The others had no host before, so this one or none.
      if (x.actor.valid() && !x.moving.valid() && can_host(fresh, x.spec))
        begin_to_move(at, what, fresh, out);
    }
  }
}

bool names::has_moves() const {
  return std::any_of(all_.begin(), all_.end(),
                     [](const auto& x) { return x.second.moving.valid(); });
}

const char* names::audit_moves() const {
  std::size_t incoming = 0;
  for (const auto& [id, who] : sessions_.all())
    incoming += who.incoming.size();
  for (auto pos = all_.begin(); pos != all_.end(); ++pos) {
    const auto& x = pos->second;
    if (!x.moving.valid()) {
      if (x.next.valid())
        return "I55";
      continue;
    }
    if (!x.actor.valid() || x.moving.value <= x.grant.value)
      return "I55";
    if (!x.next.valid())
      continue;
    const auto* next = sessions_.find_open(x.next);
    auto me = const_cast<name_map&>(all_).find(pos->first);
    if (next == nullptr || next->drained || next->id == x.host || !next->incoming.contains(me))
      return "I55";
    --incoming;
  }
  return incoming == 0 ? nullptr : "I55";
}

} // namespace paxtor::registry
