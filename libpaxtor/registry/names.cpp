#include "libpaxtor/registry/names.hpp"

#include <vector>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/registry/image.hpp"
#include "libpaxtor/registry/placement.hpp"

namespace paxtor::registry {

namespace {

std::string describe_no_host(const sessions& among, const singleton_spec& spec) {
  auto result = "no node in the cluster hosts the type " + spec.type
                + (spec.labels.empty() ? "" : " with the wanted labels") + " and has room";
  for (auto id : among.drained()) {
    const auto* who = among.find_open(id);
    if (who != nullptr && can_host(*who, spec))
      return result + " but " + who->name
             + ", which is drained; start another, or say paxtor drain " + who->name + " --undo";
  }
  return result + "; start one that does";
}

bool check_type(const resolve& what, const singleton& x, answer& reply) {
  if (x.spec.type == what.spec.type)
    return true;
  reply.code = status::type_mismatch;
  reply.detail = "it runs as type " + x.spec.type + ", not " + what.spec.type
                 + "; use another name, or that type";
  return false;
}

} // namespace

const singleton* names::find(const term& name) const {
  auto pos = all_.find(name);
  return pos != all_.end() ? &pos->second : nullptr;
}

location names::where(const term& name, const singleton& x) const {
  const auto* host = sessions_.find(x.host);
  PAXTOR_CHECK("I13", host != nullptr);
  return {name, x.grant, host->id, host->node, host->name, host->endpoint, x.actor, x.spec.type};
}

void names::watch(session& who, name_it what, seq since) {
  what->second.watchers.insert(who.id);
  auto& known = who.watching[what];
  known = std::max(known, since);
}

/// R5: placed by what all replicas know. The start order is derived from this state (R4).
bool names::place(index at, name_it what, effect_list& out) {
  auto* host = sessions_.find_open(what->second.next);
  if (host == nullptr)
    host = choose_host(sessions_, what->first, what->second.spec);
  if (host == nullptr)
    return false;
  start_at(at, what, *host, out);
  return true;
}

/// Forgets the name, and says so to all who wait for it or use it. R6.
void names::gone(name_it what, bool failed, const std::string& reason, effect_list& out) {
  for (auto id : what->second.watchers) {
    auto* watcher = sessions_.find(id);
    PAXTOR_CHECK("I13", watcher != nullptr);
    watcher->watching.erase(what);
    out.add(id, name_gone{what->first, what->second.grant, failed, reason});
  }
  stop_moving(what);
  if (auto* host = sessions_.find(what->second.host))
    host->hosted.erase(what);
  all_.erase(what);
}

void names::resolve(index at, session& from, const registry::resolve& what, answer& reply,
                    effect_list& out) {
  auto [pos, fresh] = all_.try_emplace(what.name);
  if (fresh) {
    pos->second.spec = what.spec;
    bool full = all_.size() > max_names;
    if (full || !place(at, pos, out)) {
      all_.erase(pos);
      reply.code = full ? status::invalid : status::no_host;
      reply.detail = full ? "as many names run as may" : describe_no_host(sessions_, what.spec);
      return;
    }
  } else if (!check_type(what, pos->second, reply)) {
    return;
  }
  watch(from, pos, what.from.number);
  locate(from, what, reply);
}

void names::locate(const session& from, const registry::resolve& what, answer& reply) const {
  const auto* x = find(what.name);
  // R1: a repeated resolve watches nothing anew, so what runs now under the name is no answer to
  // it: the session would wait for news that never comes.
  if (x == nullptr || !x->watchers.contains(from.id)) {
    reply.code = status::ended;
    reply.detail = "it has ended since it was resolved; resolve it again";
    return;
  }
  if (!check_type(what, *x, reply))
    return;
  reply.grant = x->grant;
  // One that moves takes no new senders where it still runs.
  if (!x->actor.valid() || x->moving.valid()) {
    reply.code = status::starting;
    return;
  }
  reply.code = status::located;
  reply.where.push_back(where(what.name, *x));
}

void names::forget(session& from, const registry::forget& what) {
  auto pos = all_.find(what.name);
  if (pos == all_.end())
    return;
  auto watched = from.watching.find(pos);
  // R1: an old forget does not undo a newer resolve.
  if (watched == from.watching.end() || watched->second > what.from.number)
    return;
  from.watching.erase(watched);
  pos->second.watchers.erase(from.id);
}

/// The name, if `from` hosts it under this token. A report about an older run is nobody's.
name_it names::hosted_by(const session& from, const term& name, token grant) {
  auto pos = all_.find(name);
  if (pos != all_.end() && (pos->second.host != from.id || pos->second.grant != grant))
    return all_.end();
  return pos;
}

status names::started(index at, session& from, const registry::started& what, effect_list& out) {
  auto pos = hosted_by(from, what.name, what.grant);
  if (pos == all_.end())
    return status::not_owner;
  auto& x = pos->second;
  if (x.actor.valid()) // after a sync the host says it again
    return x.actor == what.actor ? status::ok : status::not_owner;
  x.actor = what.actor;
  if (from.drained && try_to_move(at, pos, out))
    return status::ok; // Those who wait are told when it has arrived.
  for (auto id : x.watchers)
    out.add(id, name_located{where(pos->first, x)});
  return status::ok;
}

status names::start_failed(session& from, const registry::start_failed& what, effect_list& out) {
  auto pos = hosted_by(from, what.name, what.grant);
  if (pos == all_.end() || pos->second.actor.valid())
    return status::not_owner;
  gone(pos, true, what.error, out);
  return status::ok;
}

status names::exited(index at, session& from, const singleton_exited& what, effect_list& out) {
  auto pos = hosted_by(from, what.name, what.grant);
  if (pos == all_.end())
    return status::not_owner;
  auto& x = pos->second;
  if (x.moving.valid()) {
    // However it ended: it was to be started elsewhere, and that is no restart by policy.
    from.hosted.erase(pos);
    if (!place(at, pos, out))
      start_at(at, pos, from, out); // Rather where it was than nowhere.
    return status::ok;
  }
  bool again = x.spec.restart == restart_policy::always
               || (x.spec.restart == restart_policy::on_failure && what.failed);
  if (!again) {
    gone(pos, what.failed, what.reason, out);
    return status::ok;
  }
  if (at.value - x.grant.value >= settled_after)
    x.restarts = 0;
  if (x.restarts >= max_restarts) {
    gone(pos, true,
         "ended again after " + std::to_string(max_restarts) + " restarts: " + what.reason, out);
    return status::ok;
  }
  ++x.restarts;
  from.hosted.erase(pos);
  // A drained node gets no new ones, but may keep what no other can take.
  if (place(at, pos, out))
    return status::ok;
  if (from.drained) {
    start_at(at, pos, from, out);
    return status::ok;
  }
  x.host = {};
  gone(pos, true, "no node can host it any more: " + what.reason, out);
  return status::ok;
}

void names::end_session(index at, session& who, std::string_view why, effect_list& out) {
  for (const auto& [what, since] : who.watching)
    what->second.watchers.erase(who.id);
  who.watching.clear();
  turn_away(who);
  std::vector<name_it> hosted{who.hosted.begin(), who.hosted.end()};
  who.hosted.clear();
  for (auto what : hosted) {
    if (!place(at, what, out)) {
      what->second.host = {};
      gone(what, false,
           "its node " + who.name + " " + std::string{why} + ", and no other can host it", out);
    }
  }
}

const char* names::audit() const {
  std::size_t hosted = 0;
  std::size_t watching = 0;
  for (const auto& [id, who] : sessions_.all()) {
    hosted += who.hosted.size();
    watching += who.watching.size();
  }
  for (auto pos = all_.begin(); pos != all_.end(); ++pos) {
    const auto& x = pos->second;
    const auto* host = sessions_.find_open(x.host);
    auto me = const_cast<name_map&>(all_).find(pos->first);
    if (host == nullptr || !host->hosted.contains(me) || !x.grant.valid())
      return "I13";
    --hosted;
    for (auto id : x.watchers) {
      const auto* watcher = sessions_.find_open(id);
      if (watcher == nullptr || !watcher->watching.contains(me))
        return "I13";
      --watching;
    }
  }
  return hosted == 0 && watching == 0 ? audit_moves() : "I13";
}

void names::save(image_writer& out) const {
  out.number(all_.size());
  for (auto pos = all_.begin(); pos != all_.end(); ++pos) {
    const auto& x = pos->second;
    out.text(pos->first.text());
    out.text(x.spec.type);
    out.text(x.spec.args.view());
    out.number(x.spec.labels.size());
    for (const auto& [key, value] : x.spec.labels) {
      out.text(key);
      out.text(value);
    }
    out.number(static_cast<std::uint64_t>(x.spec.where));
    out.number(static_cast<std::uint64_t>(x.spec.restart));
    out.id(x.host);
    out.id(x.grant);
    out.id(x.actor);
    out.number(x.restarts);
    if (out.version() >= image_with_drains) {
      out.id(x.moving);
      out.id(x.next);
    }
    out.number(x.watchers.size());
    auto me = const_cast<name_map&>(all_).find(pos->first);
    for (auto id : x.watchers) {
      out.id(id);
      out.id(sessions_.find(id)->watching.at(me));
    }
  }
}

bool names::load(image_reader& in) {
  auto size = in.count();
  for (std::size_t i = 0; in.ok() && i < size; ++i) {
    auto [pos, fresh] =
      all_.try_emplace(term::from_canonical(std::string{in.text(max_term_bytes)}));
    if (!fresh)
      return false;
    auto& x = pos->second;
    x.spec.type = in.text(max_text_bytes);
    x.spec.args = blob{std::string{in.text(max_value_bytes)}};
    auto labels = in.count();
    for (std::size_t k = 0; in.ok() && k < labels; ++k) {
      std::string key{in.text(max_text_bytes)};
      std::string value{in.text(max_text_bytes)};
      if (!x.spec.labels.emplace(std::move(key), std::move(value)).second)
        return false;
    }
    x.spec.where =
      static_cast<placement>(in.number_upto(static_cast<std::uint64_t>(placement::fewest)));
    x.spec.restart = static_cast<restart_policy>(
      in.number_upto(static_cast<std::uint64_t>(restart_policy::always)));
    x.host = in.id<session_id>();
    x.grant = in.id<token>();
    x.actor = in.id<local_actor_id>();
    x.restarts = static_cast<std::uint32_t>(in.number_upto(max_restarts));
    if (in.version() >= image_with_drains) {
      x.moving = in.id<index>();
      x.next = in.id<session_id>();
    }
    auto* host = sessions_.find_open(x.host);
    auto* next = sessions_.find_open(x.next);
    if (!in.ok() || host == nullptr || (x.next.valid() && next == nullptr))
      return false;
    host->hosted.insert(pos);
    if (next != nullptr)
      next->incoming.insert(pos);
    auto watchers = in.count();
    for (std::size_t k = 0; in.ok() && k < watchers; ++k) {
      auto id = in.id<session_id>();
      auto since = in.id<seq>();
      auto* watcher = sessions_.find_open(id);
      if (watcher == nullptr || !x.watchers.insert(id).second)
        return false;
      watcher->watching.emplace(pos, since);
    }
  }
  return in.ok();
}

} // namespace paxtor::registry
