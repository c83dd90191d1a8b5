#include "test/sim/registry_checker.hpp"

#include <variant>

#include <nlohmann/json.hpp>

#include "test/sim/cases.hpp"
#include "test/sim/describe.hpp"

namespace paxtor::sim {

using registry::status;

verdict registry_checker::applied(index at, const registry::command& what,
                                  const registry::outcome& out) {
  ++applied_;
  std::string why;
  const auto from = registry::origin_of(what);
  const auto takes_effect =
    registry::validate(what, why)
    && (!from || (sessions_.is_open(from->session) && sessions_.counts(*from)));
  if (!takes_effect) {
    // R1: repeated, late, from a session that is over, or malformed.
    if (!out.effects.empty() || !out.events.empty())
      return wrong("once",
                   "entry " + to_string(at) + " took effect, and must not: " + describe(what));
    return {};
  }
  if (auto bad = events(what, at, out))
    return bad;
  if (from) {
    if (out.answers.size() != 1 || out.answers.front().what.number != from->number)
      return wrong("every request answered", "entry " + to_string(at) + " has "
                                               + std::to_string(out.answers.size())
                                               + " answers: " + describe(what));
    if (auto bad = carried_out(at, what, out.answers.front().what))
      return bad;
  }
  if (auto bad = effects(at, out))
    return bad;
  keep_versions(at);
  return locks_.settled();
}

verdict registry_checker::events(const registry::command& what, index at,
                                 const registry::outcome& out) {
  auto any_closed = false;
  for (const auto& event : out.events) {
    if (const auto* opened = std::get_if<registry::session_opened>(&event)) {
      if (auto bad = sessions_.opened(at, what, *opened))
        return bad;
    } else if (const auto* closed = std::get_if<registry::session_closed>(&event)) {
      any_closed = true;
      if (auto bad = sessions_.closed(what, *closed))
        return bad;
      // F5: what is held strictly outlives silence.
      locks_.end_session(closed->session, std::holds_alternative<registry::expire_session>(what));
      names_.end_session(closed->session);
      entries_.end_session(closed->session);
    }
  }
  return sessions_.should_have_closed(what, any_closed);
}

verdict registry_checker::carried_out(index at, const registry::command& what,
                                      const registry::answer& reply) {
  const auto from = *registry::origin_of(what);
  const auto owner = [&](local_actor_id actor) { return owner_id{from.session, actor}; };
  const auto has_ended = [&](local_actor_id actor) {
    return sessions_.find(from.session)->ended_owners.contains(actor);
  };
  const auto ok = reply.code == status::ok;
  if (const auto* x = std::get_if<registry::acquire>(&what)) {
    deadlocks_ += reply.code == status::deadlock ? 1 : 0;
    if (has_ended(x->actor) && (reply.code == status::granted || reply.code == status::queued))
      return wrong("once", to_string(owner(x->actor)) + " has ended, and is given or waits for "
                             + x->keys.front().text());
    if (reply.code == status::not_owner && !has_ended(x->actor))
      return wrong("once", to_string(owner(x->actor)) + " lives, and is told that it has ended");
    return locks_.acquired(at, owner(x->actor), *x, reply);
  }
  if (const auto* x = std::get_if<registry::withdraw>(&what)) {
    sessions_.void_acquire(from.session, x->of);
    return locks_.withdrawn(owner(x->actor), x->of, reply.code);
  }
  if (const auto* x = std::get_if<registry::owner_exited>(&what)) {
    if (ok)
      end_owner(*x);
  } else if (const auto* y = std::get_if<registry::put>(&what)) {
    const auto by = owner(local_actor_id{y->owner.value_or(0)});
    if (ok && y->owner && has_ended(by.actor))
      return wrong("once", to_string(by) + " has ended, and puts");
    if (ok)
      return entries_.put(by, *y, reply.value);
  } else if (std::holds_alternative<registry::resolve>(what)) {
    if (reply.code == status::located)
      return names_.located(reply.where.at(0));
  } else if (const auto* s = std::get_if<registry::started>(&what)) {
    if (ok)
      names_.runs(from.session, s->name, s->grant, s->actor);
  } else if (const auto* f = std::get_if<registry::start_failed>(&what)) {
    if (ok)
      names_.ended(from.session, f->name, f->grant);
  } else if (const auto* e = std::get_if<registry::singleton_exited>(&what)) {
    if (ok)
      names_.ended(from.session, e->name, e->grant);
  }
  return {};
}

void registry_checker::end_owner(const registry::owner_exited& what) {
  auto* whose = sessions_.find(what.owner_session);
  if (whose == nullptr)
    return;
  const owner_id ended{what.owner_session, what.actor};
  locks_.end_owner(ended);
  entries_.end_owner(ended);
  whose->ended_owners.insert(what.actor);
}

verdict registry_checker::effects(index at, const registry::outcome& out) {
  for (const auto& to : out.effects) {
    if (to.at != at)
      return wrong("effects", "those of entry " + to_string(at) + " say " + to_string(to.at));
    if (auto bad = sessions_.told(to))
      return bad;
    for (const auto& one : to.effects)
      if (auto bad = effect_of(at, to, one))
        return bad;
  }
  return {};
}

verdict registry_checker::effect_of(index at, const registry::effects_for& to,
                                    const registry::effect& what) {
  return std::visit(cases{
                      [&](const registry::lock_granted& x) {
                        return locks_.granted(at, {to.session, x.actor}, x);
                      },
                      [&](const registry::start_singleton& x) {
                        return names_.started_by_order(at, to.session,
                                                       sessions_.find(to.session)->what, x);
                      },
                      [&](const registry::name_located& x) { return names_.located(x.where); },
                      [](const registry::name_gone&) { return verdict{}; },
                      [](const registry::hand_over&) { return verdict{}; },
                    },
                    what);
}

void registry_checker::keep_versions(index at) {
  last_key_.clear();
  for (const auto& key : locks_.take_touched()) {
    reads_.changed(at, "why " + key, locks_.text(key));
    last_key_ = key;
  }
  for (const auto& name : names_.take_touched())
    reads_.changed(at, "name " + name, names_.text(name));
  for (const auto& place : entries_.take_touched())
    reads_.changed(at, "get " + place, entries_.text(place));
}

verdict registry_checker::looks_at(const registry::machine& state, const std::string& key) const {
  const auto says = text_of_why(state.ask(registry::query_why{term::from_canonical(key)}, {}));
  const auto is = locks_.text(key);
  if (says == is)
    return {};
  return wrong("why agrees", "why(" + key + ") says '" + says + "', but it is '" + is + "'");
}

verdict registry_checker::looks(const registry::machine& state) const {
  const auto says = nlohmann::json::parse(state.ask(registry::query_counts{}, {}), nullptr, false);
  const auto is = locks_.count();
  const lock_model::sizes told{says["locks"].get<std::uint64_t>(),
                               says["owners"].get<std::uint64_t>(),
                               says["waiters"].get<std::uint64_t>()};
  if (told == is && says["kv"].get<std::uint64_t>() == entries_.size()
      && says["sessions"].get<std::uint64_t>() == sessions_.open_count())
    return {};
  return wrong("no residue", "the registry holds " + says.dump() + ", but there are "
                               + std::to_string(is.held) + " locks, " + std::to_string(is.owners)
                               + " owners, " + std::to_string(is.waiting) + " waits, "
                               + std::to_string(entries_.size()) + " entries");
}

verdict registry_checker::delivered(session_id session, const cluster::granted& what) const {
  const auto about = to_string(owner_id{session, what.actor}) + " is given "
                     + (what.keys.empty() ? "nothing" : what.keys.front().text()) + " with token "
                     + to_string(what.grant);
  if (!sessions_.is_open(session))
    return wrong("a grant only to an open session", about + ", but its session is over");
  if (!locks_.holds({session, what.actor}, what.keys, what.grant))
    return wrong("a grant that was asked for", about + ", but the log does not say so");
  return {};
}

} // namespace paxtor::sim
