/// \file
/// The agent's lease, its fence, and its way from one session to the next (S4, F1, F3, F5, R4).

#include <algorithm>
#include <utility>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/cluster/agent_impl.hpp"

namespace paxtor::cluster {

bool agent::impl::usable(time_point when) const {
  return at == phase::open && lease_end && when < fence_at();
}

duration agent::impl::retry_after() {
  auto result = finder.quick() * 2 * (1 << std::min(drive_tries, 6U));
  ++drive_tries;
  return std::min(result, finder.slow());
}

duration agent::impl::quiet() const {
  // The leader's clock may be slower than ours by rho, and its tick may come late.
  auto silence = options.expire_after();
  return silence + silence * 2 * options.rho_permille / 1000 + 4 * options.tick
         + 4 * finder.quick();
}

// -- what is sent again and again --------------------------------------------------------------

void agent::impl::drive() {
  if (at == phase::fenced || at == phase::left)
    return;
  if (!finder.target().valid()) {
    drive_at = now + finder.quick();
    return;
  }
  switch (at) {
    case phase::opening: {
#ifndef PAXTOR_CANARY_NEXT_SESSION_AT_ONCE
      PAXTOR_CHECK("I21", nothing_to_end());
#endif
      registry::open_session open{info.id,    nth,         info.name,     info.endpoint,
                                  info.types, info.labels, info.capacity, info.seal};
      send(submit{{encode(registry::command{std::move(open)})}});
      finder.sent(now);
      open_sent = true;
      drive_at = now + retry_after();
      return;
    }
    case phase::open:
    case phase::leaving:
      send_renewal();
      drive_at = now + options.renew_every();
      return;
    case phase::closing:
      if (strict_owners_alive()) {
        // F5: it may not be closed while a strict owner lives, so it must expire; each renewal
        // would keep it open for another ttl. One after that much silence tells whether it is over.
        if (!renewed_at || now >= *renewed_at + quiet())
          send_renewal();
        drive_at = *renewed_at + quiet();
        return;
      }
      // F3: all that the session owned has ended. The renewal asks whether it is over.
      send(submit{{encode(registry::command{registry::close_session{
        session, registry::end_reason::left, "all its owners have ended"}})}});
      send_renewal();
      drive_at = now + retry_after();
      return;
    case phase::fenced:
    case phase::left:
      return;
  }
}

void agent::impl::send_renewal() {
  // S4: noted before it leaves, never after.
  renewals.emplace(++last_renewal, now);
  if (renewals.size() > max_renewals)
    renewals.erase(renewals.begin());
  renewed_at = now;
  send(renew{session, last_renewal, watermark});
  finder.sent(now);
}

// -- open --------------------------------------------------------------------------------------

void agent::impl::opened(const registry::answer& what) {
  if (what.code == registry::status::no_session) {
    // It was opened and has ended without our hearing of it: nothing was done in it.
    ++nth;
    drive_at = now + retry_after();
    return;
  }
  if (what.code != registry::status::ok || !what.opened.valid()) {
    bool taken = what.code == registry::status::name_taken;
    tell(session_down{session_id{}, (taken ? "name_taken: " : "refused: ") + what.detail});
    drive_at = now + options.renew_every();
    if (leave_by)
      finish_leaving();
    return;
  }
  session = newest = what.opened;
  // Nothing can have happened to it before it was opened.
  watermark = index{session.value};
  syncing = {};
  over = false;
  lease_end.reset();
  renewals.clear();
  renewed_at.reset();
  drive_tries = 0;
  at = leave_by ? phase::leaving : phase::open;
  // It is of use only once a renewal is answered: opening grants no lease.
  drive();
  if (at == phase::leaving)
    progress();
}

void agent::impl::note_left() {
  if (lease_end)
    least_left = std::min(least_left, *lease_end - now);
}

void agent::impl::lease_answered(const renewed& what) {
  auto i = renewals.find(what.n);
  if (i == renewals.end() || (at != phase::open && at != phase::leaving)) {
    ++dropped;
    return;
  }
  auto sent = i->second;
  renewals.erase(renewals.begin(), std::next(i));
  finder.took(now - sent);
  // S4, I19: bounded by the time of sending, however late the answer is.
#ifdef PAXTOR_CANARY_LEASE_FROM_ARRIVAL
  auto end = now + options.ttl;
#else
  auto end = sent + options.ttl;
#endif
  PAXTOR_CHECK("I19", end <= now + options.ttl);
  if (!lease_end && now >= end - options.margin())
    return; // Too late to be of use; another renewal is on its way.
  note_left();
  lease_end = lease_end ? std::max(*lease_end, end) : end;
  if (up || at != phase::open)
    return;
  up = true;
  tell(session_up{session});
  forget_locations();
}

bool agent::impl::take_part(const registry::effects_for& what) {
  auto identity = std::pair{what.as_of, what.previous};
  auto current = std::pair{syncing.as_of, syncing.previous};
  // A newer sync begins anew; one in a single part needs no other. A repeated or late part of this
  // one or of an older one says nothing new.
  if (what.part == 0 && (identity > current || what.parts <= 1)) {
    syncing.as_of = what.as_of;
    syncing.previous = what.previous;
    syncing.next = 0;
    syncing.names.clear();
  } else if (identity != current || what.part != syncing.next) {
    if (identity > current || (identity == current && what.part > syncing.next))
      ask_for_sync(); // The parts before it were lost.
    return false;
  }
  ++syncing.next;
  for (auto& x : what.effects)
    if (auto* located = std::get_if<registry::name_located>(&x);
        located != nullptr && names.count(located->where.name) != 0)
      syncing.names.insert(located->where.name);
  return true;
}

void agent::impl::take_effects(const registry::effects_for& what) {
  if (what.at <= watermark)
    return; // Repeated.
  // R4: only what follows on what was seen; a sync may reach back further.
  bool follows = what.complete ? what.previous <= watermark : what.previous == watermark;
  if (!follows) {
    ask_for_sync();
    return;
  }
  if (what.complete && !take_part(what))
    return;
  auto seen = watermark;
  // All up to `at` is known only with the last part.
  bool all = !what.complete || syncing.next >= what.parts;
  if (all)
    watermark = what.at;
  for (auto& x : what.effects) {
    // R4: agents drop what they have already done, by token.
    if (auto* lock = std::get_if<registry::lock_granted>(&x);
        lock != nullptr && lock->grant.value <= seen.value)
      continue;
    if (auto* start = std::get_if<registry::start_singleton>(&x);
        start != nullptr
        && (start->grant.value <= seen.value
            || !syncing.starts.insert({start->name, start->grant}).second))
      continue;
    std::visit([this](const auto& y) { handle(y); }, x);
  }
  if (!all)
    return;
  if (what.complete)
    names_after_sync(std::exchange(syncing.names, {}), what.at);
  // From here on the watermark tells.
  std::erase_if(syncing.starts,
                [this](const auto& x) { return x.second.value <= watermark.value; });
}

void agent::impl::ask_for_sync() {
  auto soonest = renewed_at ? *renewed_at + finder.quick() : now;
  if (now >= soonest)
    drive();
  else
    drive_at = std::min(drive_at, soonest);
}

// -- fence -------------------------------------------------------------------------------------

void agent::impl::order_end(const std::string& reason, bool strict_too) {
  fence order;
  order.reason = reason;
  if (strict_too)
    for (auto& x : old_strict)
      order.owners.push_back(x.actor);
  for (auto& [actor, state] : owners) {
    // F5: if the session expires instead of being closed, what was granted strictly stays with its
    // owner, also a grant that nobody heard of. So its end is told whatever becomes of the session.
    bool strict_there = state.known_there && state.asked_strict;
    if (state.held.empty()) {
      // Told of nothing, it holds nothing: that is proof enough, though the actor lives on.
      if (strict_there)
        commands.push(registry::owner_exited{{}, session, actor, "it was never told of a grant"});
      continue;
    }
    if (strict_there)
      old_strict.insert({session, actor});
    if (strict_too || bounded.count(actor) != 0) {
      ending.insert(actor);
      order.owners.push_back(actor);
    }
  }
  for (auto i = hosted.begin(); i != hosted.end();) {
    // What has ended needs no report: the whole session goes.
    if (i->second.now == hosted_state::phase::ended) {
      i = hosted.erase(i);
      continue;
    }
    // One that is still starting is stopped as soon as its host says `started`.
    if (i->second.now == hosted_state::phase::running)
      order.singletons.push_back(i->second.actor);
    ++i;
  }
  bounded.clear();
#ifdef PAXTOR_CANARY_FENCE_STOPS_NOBODY
  ending.clear();
  return;
#endif
  if (!order.owners.empty() || !order.singletons.empty())
    tell(std::move(order));
}

void agent::impl::lose_session(const std::string& reason, bool is_over) {
  note_left();
  // F1: stop them first, then talk.
  order_end(reason, false);
  if (std::exchange(up, false))
    tell(session_down{session, reason});
  over = is_over;
  at = phase::fenced;
  renewals.clear();
  drive_tries = 0;
  hold_until.reset();
  carry_over();
  progress();
}

void agent::impl::carry_over() {
  owners.clear();
  queued.clear();
  for (auto& [name, state] : names) {
    state.watched = false;
    state.asked = false;
  }
  std::set<request_id> sent;
  for (auto& x : commands.start_over()) {
    if (x.ever_sent)
      sent.insert(x.request);
    // F5: proof of an end is told even if its session is over by then: it may have held strictly.
    if (std::holds_alternative<registry::owner_exited>(x.what))
      commands.push(std::move(x.what));
  }
  std::vector<request_id> ids;
  for (auto& [id, what] : requests)
    ids.push_back(id);
  for (auto id : ids) {
    auto& what = requests.at(id);
    if (auto* lock = std::get_if<acquire_request>(&what)) {
      lock->queued_as = seq{};
      if (lock->withdrawing) {
        fail(id, failure::timed_out, lock->why); // The session's end has withdrawn it.
        continue;
      }
      if (ending.count(lock->actor) != 0) {
        fail(id, failure::session_lost, "the node lost its session, and its owners are stopped");
        continue;
      }
      if (old_strict.count({session, lock->actor}) != 0) {
        fail(id, failure::session_lost,
             "the actor holds strict locks of a session that was lost: end it, then lock anew");
        continue;
      }
    } else if (auto* put = std::get_if<put_request>(&what)) {
      // Without an owner it can be done again: the value chosen first stays.
      if (put->what.owner && sent.count(id) != 0) {
        fail(id, failure::outcome_unknown, "the session ended before the answer");
        continue;
      }
    }
    queue_request(id, what);
  }
}

// -- from one session to the next --------------------------------------------------------------

bool agent::impl::strict_owners_alive() const {
  auto i = old_strict.lower_bound({session, local_actor_id{}});
  return i != old_strict.end() && i->session == session;
}

void agent::impl::progress() {
  switch (at) {
    case phase::fenced:
#ifndef PAXTOR_CANARY_NEXT_SESSION_AT_ONCE
      if (!nothing_to_end())
        return;
#endif
      if (over) {
        next_session();
        return;
      }
      at = phase::closing;
      drive();
      return;
    case phase::closing:
      if (over)
        next_session();
      return;
    case phase::leaving:
      if (!nothing_to_end())
        return;
      if (over) {
        next_session();
        return;
      }
      // Ends of strict owners go through this session, lest it expires before it is closed.
      if (!old_strict.empty() || !commands.idle())
        return;
      at = phase::closing;
      drive_tries = 0;
      drive();
      return;
    case phase::opening:
    case phase::open:
    case phase::left:
      return;
  }
}

void agent::impl::next_session() {
  if (leave_by && old_strict.empty() && commands.idle()) {
    finish_leaving();
    return;
  }
#ifndef PAXTOR_CANARY_NEXT_SESSION_AT_ONCE
  PAXTOR_CHECK("I21", nothing_to_end());
#endif
  session = session_id{};
  lease_end.reset();
  renewed_at.reset();
  ++nth;
  open_sent = false;
  drive_tries = 0;
  at = phase::opening;
  drive();
}

void agent::impl::start_leaving() {
  if (leave_by)
    return;
  leave_by = now + options.ttl;
  fail_all(failure::not_joined, "this node is leaving the cluster");
  // Closing the session reports all that happened in it.
  commands.keep_if([this](const registry::command& what) {
    auto* exited = std::get_if<registry::owner_exited>(&what);
    return exited != nullptr && exited->owner_session != session;
  });
  switch (at) {
    case phase::opening:
      // An open_session on its way may still open one; then it is closed in good order.
      if (!open_sent && old_strict.empty() && commands.idle())
        finish_leaving();
      else
        order_end("this node leaves the cluster", true);
      return;
    case phase::open:
      order_end("this node leaves the cluster", true);
      if (std::exchange(up, false))
        tell(session_down{session, "this node leaves the cluster"});
      at = phase::leaving;
      progress();
      return;
    case phase::fenced:
    case phase::closing:
      order_end("this node leaves the cluster", true);
      return;
    case phase::leaving:
    case phase::left:
      return;
  }
}

void agent::impl::finish_leaving() {
  at = phase::left;
  up = false;
  names.clear();
  suspects.clear();
  tell(session_left{});
}

} // namespace paxtor::cluster
