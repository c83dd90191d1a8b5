#include "libpaxtor/registry/locks.hpp"

#include <algorithm>

#include "libpaxtor/base/check.hpp"

namespace paxtor::registry {

std::vector<term> to_terms(const std::vector<lock_it>& keys) {
  std::vector<term> result;
  result.reserve(keys.size());
  for (auto key : keys)
    result.push_back(term::from_canonical(key->first));
  return result;
}

locks::locks() = default;

// -- small steps ----------------------------------------------------------------------------------

owner_extra& locks::extra_of(owner_it me) {
  if (!me->second.extra)
    me->second.extra = std::make_unique<owner_extra>();
  return *me->second.extra;
}

owner_it locks::ensure_owner(owner_id who) {
  auto [me, fresh] = owners_.try_emplace(who);
  if (fresh)
    me->second.held = locks_.end();
  return me;
}

bool locks::has_place(lock_it key, owner_it me) const {
  if (!key->second.queue || !me->second.extra)
    return false;
  for (const auto& req : me->second.extra->waits) {
    for (const auto& x : req->missing) {
      if (x.key == key)
        return true;
    }
  }
  return false;
}

/// REQUIRES: has_place(key, me).
place_it locks::own_place(lock_it key, owner_it me) const {
  for (const auto& req : me->second.extra->waits) {
    for (const auto& x : req->missing) {
      if (x.key == key)
        return x.where;
    }
  }
  check_failed("I14", "an owner without the place it has", __FILE__, __LINE__);
}

/// Free, and `me` is first. No barging: an owner without a place takes nothing that somebody waits
/// for.
bool locks::may_take(lock_it key, owner_it me) const {
  const auto& x = key->second;
  return x.who == const_cast<owner_map&>(owners_).end() && x.queue && x.queue->front().who == me;
}

bool locks::ready(const request& req, owner_it me) const {
  return std::all_of(req.missing.begin(), req.missing.end(),
                     [&](const wait& x) { return may_take(x.key, me); });
}

std::uint64_t locks::position(const request& req) const {
  std::uint64_t result = 0;
  for (const auto& x : req.missing) {
    auto& queue = *x.key->second.queue;
    auto rank = std::next(x.where) == queue.end()
                  ? queue.size()
                  : static_cast<std::size_t>(std::distance(queue.begin(), x.where)) + 1;
    result = std::max<std::uint64_t>(result, rank);
  }
  return result;
}

void locks::link(lock_it key, owner_it me, token grant, seq of, ownership kind) {
  auto& x = key->second;
  x.who = me;
  x.grant = grant.value;
  x.strict = kind == ownership::strict ? 1 : 0;
  x.of = of;
  x.next = me->second.held;
  me->second.held = key;
  ++held_;
  ++tallies_[me->first.session].held;
}

/// `me` owns `key` from here on: it leaves the queue with all its requests.
void locks::take(lock_it key, owner_it me, token grant, seq of, ownership kind) {
  PAXTOR_CHECK("I14", may_take(key, me));
  auto& x = key->second;
  for (auto& req : me->second.extra->waits)
    std::erase_if(req->missing, [&](const wait& w) { return w.key == key; });
  x.queue->pop_front();
  if (x.queue->empty())
    x.queue.reset();
  else
    ++me->second.contended;
  link(key, me, grant, of, kind);
}

void locks::forget_if_idle(owner_it me) {
  auto& x = me->second;
  if (x.extra && x.extra->waits.empty() && x.extra->mixed.empty())
    x.extra.reset();
  if (x.held == locks_.end() && !x.extra)
    owners_.erase(me);
}

void locks::drop_tally(session_id who) {
  auto pos = tallies_.find(who);
  if (pos != tallies_.end() && pos->second.held == 0 && pos->second.waits == 0)
    tallies_.erase(pos);
}

// -- acquire --------------------------------------------------------------------------------------

acquire_result locks::acquire(index at, owner_id who, seq of, const std::vector<term>& keys,
                              acquire_mode mode, ownership kind, std::vector<grant_note>& notes) {
  // For each key: its lock, or where a new one goes.
  found_.clear();
  auto me = owners_.find(who);
  bool now = true;
  for (const auto& key : keys) {
    auto pos = locks_.lower_bound(key.text());
    found_.push_back(pos);
    if (pos == locks_.end() || pos->first != key.text())
      continue; // free, nobody waits
    bool mine = me != owners_.end() && (pos->second.who == me || may_take(pos, me));
    now = now && mine;
  }
  if (now)
    return grant_now(at, who, of, keys, kind, notes);
  if (mode == acquire_mode::try_once)
    return {.code = status::busy, .grant = {}, .position = 0, .cycle = {}, .detail = ""};
  if (me != owners_.end()) {
    if (me->second.extra && me->second.extra->waits.size() >= max_waits_per_owner)
      return {.code = status::invalid,
              .grant = {},
              .position = 0,
              .cycle = {},
              .detail = "this owner waits for as many locks as one may; wait for one of them"};
    std::vector<lock_it> wanted;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      auto pos = found_[i];
      if (pos != locks_.end() && pos->first == keys[i].text() && pos->second.who != me
          && !has_place(pos, me))
        wanted.push_back(pos);
    }
    // R3: refuse what would close a cycle.
    auto cycle = find_cycle({locks_.end(), owners_.end()}, me, wanted);
    if (!cycle.empty())
      return {.code = status::deadlock,
              .grant = {},
              .position = 0,
              .cycle = std::move(cycle),
              .detail = ""};
  }
  return enqueue(at, who, of, keys, kind);
}

acquire_result locks::grant_now(index at, owner_id who, seq of, const std::vector<term>& keys,
                                ownership kind, std::vector<grant_note>& notes) {
  if (tally(who.session).held + keys.size() > max_keys_per_session)
    return {.code = status::invalid,
            .grant = {},
            .position = 0,
            .cycle = {},
            .detail = "the owners of this node hold as many keys as one node's may"};
  auto me = ensure_owner(who);
  std::uint64_t highest = 0;
  std::size_t fresh = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto pos = found_[i];
    if (pos == locks_.end() || pos->first != keys[i].text()) {
      pos = locks_.try_emplace(pos, keys[i].text());
      found_[i] = pos;
      link(pos, me, token{at.value}, of, kind);
      ++fresh;
    } else if (pos->second.who != me) {
      take(pos, me, token{at.value}, of, kind);
      ++fresh;
    }
    highest = std::max<std::uint64_t>(highest, pos->second.grant);
  }
  if (fresh != 0 && fresh < keys.size())
    extra_of(me).mixed.push_back({of, token{at.value}, found_});
  // A key that came by the owner's own place may complete its other requests.
  if (me->second.extra)
    settle(at, me, notes);
  return {
    .code = status::granted, .grant = token{highest}, .position = 0, .cycle = {}, .detail = ""};
}

acquire_result locks::enqueue(index at, owner_id who, seq of, const std::vector<term>& keys,
                              ownership kind) {
  if (auto x = tally(who.session);
      x.waits >= max_waits_per_session || x.held + keys.size() > max_keys_per_session)
    return {.code = status::invalid,
            .grant = {},
            .position = 0,
            .cycle = {},
            .detail = "the owners of this node hold or wait for as many keys as one node's may"};
  auto me = ensure_owner(who);
  auto req = std::make_unique<request>();
  req->id = at;
  req->of = of;
  req->kind = kind;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto key = found_[i];
    if (key == locks_.end() || key->first != keys[i].text()) {
      key = locks_.try_emplace(key, keys[i].text());
      key->second.who = owners_.end();
      key->second.next = locks_.end();
    }
    req->keys.push_back(key);
    auto& x = key->second;
    if (x.who == me)
      continue;
    if (has_place(key, me)) {
      auto where = own_place(key, me);
      ++where->requests;
      req->missing.push_back({key, where});
      continue;
    }
    if (!x.queue) {
      x.queue = std::make_unique<place_list>();
      if (x.who != owners_.end())
        ++x.who->second.contended;
    }
#ifdef PAXTOR_CANARY_NEWEST_FIRST
    x.queue->push_front({me, at, 1});
    req->missing.push_back({key, x.queue->begin()});
#else
    x.queue->push_back({me, at, 1});
    req->missing.push_back({key, std::prev(x.queue->end())});
#endif
  }
  PAXTOR_CHECK("I14", !ready(*req, me));
  auto rank = position(*req);
  extra_of(me).waits.push_back(std::move(req));
  ++waiting_;
  ++tallies_[who.session].waits;
  return {.code = status::queued, .grant = {}, .position = rank, .cycle = {}, .detail = ""};
}

// -- grants to those who waited -------------------------------------------------------------------

void locks::grant_request(index at, owner_it me, std::size_t which,
                          std::vector<grant_note>& notes) {
  auto& waits = me->second.extra->waits;
  auto req = std::move(waits[which]);
  waits.erase(waits.begin() + static_cast<std::ptrdiff_t>(which));
  --waiting_;
  --tallies_[me->first.session].waits;
  auto missing = req->missing;
  for (const auto& x : missing) {
#ifdef PAXTOR_CANARY_PART_OF_THE_KEYS
    std::vector<lock_it> touched;
    if (!may_take(x.key, me)) {
      leave(x, me, touched);
      continue;
    }
#endif
    take(x.key, me, token{at.value}, req->of, req->kind);
  }
  // R4: what the locks alone cannot tell is kept, so that a sync can say it again.
  if (missing.size() < req->keys.size())
    me->second.extra->mixed.push_back({req->of, token{at.value}, req->keys});
  notes.push_back({me->first, req->of, token{at.value}, to_terms(req->keys)});
}

/// Grants all requests of `me` that can be, in the order of the log.
void locks::settle(index at, owner_it me, std::vector<grant_note>& notes) {
  for (bool again = true; again && me->second.extra;) {
    again = false;
    auto& waits = me->second.extra->waits;
    for (std::size_t i = 0; i < waits.size(); ++i) {
#ifdef PAXTOR_CANARY_PART_OF_THE_KEYS
      const bool some = std::any_of(waits[i]->missing.begin(), waits[i]->missing.end(),
                                    [&](const wait& x) { return may_take(x.key, me); });
      if (some) {
#else
      if (ready(*waits[i], me)) {
#endif
        grant_request(at, me, i, notes);
        again = true;
        break;
      }
    }
  }
  if (me->second.extra)
    forget_if_idle(me);
}

/// Serves the queues of keys that became free or whose first waiter left. A grant frees no key and
/// moves no queue of a free one, so one pass is enough. In the order of the keys: the same
/// everywhere.
void locks::serve(index at, std::vector<lock_it>& touched, std::vector<grant_note>& notes) {
  std::sort(touched.begin(), touched.end(),
            [](lock_it x, lock_it y) { return x->first < y->first; });
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (auto key : touched) {
    if (key->second.who != owners_.end())
      continue;
    if (!key->second.queue)
      locks_.erase(key); // R6
    else
      settle(at, key->second.queue->front().who, notes);
  }
}

// -- ends -----------------------------------------------------------------------------------------

void locks::leave(const wait& from, owner_it me, std::vector<lock_it>& touched) {
  auto& x = from.key->second;
  PAXTOR_CHECK("I14", from.where->who == me && from.where->requests > 0);
  if (--from.where->requests > 0)
    return;
  x.queue->erase(from.where);
  if (x.queue->empty()) {
    x.queue.reset();
    if (x.who != owners_.end())
      --x.who->second.contended;
  }
  if (x.who == owners_.end())
    touched.push_back(from.key);
}

bool locks::withdraw(index at, owner_id who, seq of, std::vector<grant_note>& notes) {
  auto me = owners_.find(who);
  if (me == owners_.end() || !me->second.extra)
    return false;
  auto& waits = me->second.extra->waits;
  auto pos = std::find_if(waits.begin(), waits.end(), [&](const auto& x) { return x->of == of; });
  if (pos == waits.end())
    return false;
  auto req = std::move(*pos);
  waits.erase(pos);
  --waiting_;
  --tallies_[who.session].waits;
  std::vector<lock_it> touched;
  for (const auto& x : req->missing)
    leave(x, me, touched);
  forget_if_idle(me);
  serve(at, touched, notes);
  drop_tally(who.session);
  return true;
}

void locks::drop_waits(owner_it me, std::vector<lock_it>& touched) {
  if (!me->second.extra)
    return;
  auto& waits = me->second.extra->waits;
  for (const auto& req : waits) {
    for (const auto& x : req->missing)
      leave(x, me, touched);
  }
  waiting_ -= waits.size();
  tallies_[me->first.session].waits -= waits.size();
  waits.clear();
}

void locks::release(owner_it me, bool keep_strict, std::vector<lock_it>& touched) {
  auto key = me->second.held;
  std::vector<lock_it> kept;
  std::uint64_t freed = 0;
  while (key != locks_.end()) {
    auto next = key->second.next;
    auto& x = key->second;
    if (keep_strict && x.strict == 1) {
      kept.push_back(key);
    } else {
      ++freed;
      if (x.queue) {
        x.who = owners_.end();
        x.next = locks_.end();
        --me->second.contended;
        touched.push_back(key);
      } else {
        locks_.erase(key);
      }
    }
    key = next;
  }
  held_ -= freed;
  tallies_[me->first.session].held -= freed;
  me->second.held = locks_.end();
  for (auto x = kept.rbegin(); x != kept.rend(); ++x) {
    (*x)->second.next = me->second.held;
    me->second.held = *x;
  }
  // Grants that involve a key that went are told by the locks that stayed.
  me->second.extra.reset();
}

void locks::end_owner(index at, owner_id who, std::vector<seq>& dropped,
                      std::vector<grant_note>& notes) {
  auto me = owners_.find(who);
  if (me == owners_.end())
    return;
  if (me->second.extra) {
    for (const auto& req : me->second.extra->waits)
      dropped.push_back(req->of);
  }
  std::vector<lock_it> touched;
#ifdef PAXTOR_CANARY_ENDED_WAITERS_STAY
  if (me->second.extra && !me->second.extra->waits.empty())
    return;
#endif
  drop_waits(me, touched);
  release(me, false, touched);
  owners_.erase(me);
  serve(at, touched, notes);
  drop_tally(who.session);
}

void locks::end_session(index at, session_id who, bool keep_strict,
                        std::vector<grant_note>& notes) {
  std::vector<lock_it> touched;
  auto me = owners_.lower_bound(owner_id{who, local_actor_id{0}});
  while (me != owners_.end() && me->first.session == who) {
    auto next = std::next(me);
    drop_waits(me, touched);
    release(me, keep_strict, touched);
    forget_if_idle(me);
    me = next;
  }
#ifndef PAXTOR_CANARY_HEIRS_ARE_FORGOTTEN
  // S5: the heirs are granted by the same entry.
  serve(at, touched, notes);
#endif
  drop_tally(who);
}

} // namespace paxtor::registry
