/// \file
/// The agent's singletons: the names that this node uses, and the singletons that it hosts.

#include <algorithm>
#include <utility>

#include "libpaxtor/cluster/agent_impl.hpp"

namespace paxtor::cluster {

// -- names that handles of this node use -------------------------------------------------------

void agent::impl::resolve(request_id id, const resolve_request& what) {
  auto& state = names[what.name];
  state.waiting.insert(id);
  if (state.where && !state.suspect && up && usable(now)) {
    serve(state); // No round trip: the registry tells every move.
    return;
  }
  if (state.asked)
    return;
  state.spec = what.spec;
  ask_again(what.name, state);
}

void agent::impl::ask_again(const term& name, name_state& state) {
  state.asked = true;
  commands.push(registry::resolve{{}, name, state.spec});
}

void agent::impl::serve(name_state& state) {
  auto where = *state.where;
  for (auto id : std::set<request_id>{state.waiting}) {
    auto& wanted = std::get<resolve_request>(requests.at(id)).spec.type;
    if (wanted == where.type)
      complete(id, located{id, where});
    else
      fail(id, failure::type_mismatch,
           where.name.text() + " runs as type " + where.type + ", not " + wanted);
  }
}

void agent::impl::answer_to(request_id, const registry::resolve& was,
                            const registry::answer& what) {
  auto i = names.find(was.name);
  if (i == names.end())
    return; // Forgotten meanwhile; the registry has been told.
  auto& state = i->second;
  state.asked = false;
  switch (what.code) {
    case registry::status::located:
      state.watched = true;
      if (!what.where.empty())
        name_is(what.where.front());
      return;
    case registry::status::starting:
      state.watched = true;
      // Unless the news has overtaken this answer, it follows.
      if (what.grant > state.gone) {
        state.asked = !state.where || state.suspect;
        // R4: a sync that overtook this answer may have covered the news, by not naming it.
        if (state.asked && what.grant.value <= watermark.value) {
          state.asked = false;
          // One that moves may take its time to end: less often each time.
          suspects[was.name] = now + suspicion_delay(state);
        }
      } else if (!state.waiting.empty() || state.suspect)
        ask_again(was.name, state);
      return;
    case registry::status::no_host:
      refused(was, failure::no_host, what.detail);
      return;
    case registry::status::type_mismatch:
      refused(was, failure::type_mismatch, what.detail);
      return;
    case registry::status::ended:
      // The first answer was lost, and so is what it said.
      if (!state.waiting.empty() || state.suspect)
        ask_again(was.name, state);
      return;
    case registry::status::ok:
    case registry::status::granted:
    case registry::status::queued:
    case registry::status::withdrawn:
    case registry::status::busy:
    case registry::status::deadlock:
    case registry::status::name_taken:
    case registry::status::no_session:
    case registry::status::not_owner:
    case registry::status::no_node:
    case registry::status::invalid:
      break;
  }
  refused(was, failure::invalid, what.detail);
}

void agent::impl::refused(const registry::resolve& was, failure code, const std::string& detail) {
  auto& state = names.at(was.name);
  if (state.suspect) {
    state.where.reset();
    unsuspect(was.name, state);
    tell(name_moved{was.name, std::nullopt, true, detail});
  }
  for (auto id : std::set<request_id>{state.waiting})
    if (std::get<resolve_request>(requests.at(id)).spec == was.spec)
      fail(id, code, detail);
  if (state.waiting.empty() || state.asked)
    return;
  // The others want it made in another way.
  state.spec = std::get<resolve_request>(requests.at(*state.waiting.begin())).spec;
  ask_again(was.name, state);
}

void agent::impl::name_is(const registry::location& where) {
  auto i = names.find(where.name);
  if (i == names.end())
    return;
  auto& state = i->second;
  if (state.where && state.where->grant > where.grant)
    return; // Late news of an older life.
  if (where.grant <= state.gone) {
    // Its end has overtaken this answer.
    if (!state.asked && (!state.waiting.empty() || state.suspect))
      ask_again(where.name, state);
    return;
  }
  bool news = state.where != where || state.suspect;
  state.where = where;
  state.watched = true;
  state.asked = false;
  unsuspect(where.name, state);
  serve(state);
  // The same place again is news for whoever suspected it: it may try again.
  if (news)
    tell(name_moved{where.name, where, false, {}});
}

void agent::impl::name_is_not(const term& name, std::optional<token> ended, bool failed,
                              const std::string& reason) {
  auto i = names.find(name);
  if (i == names.end())
    return;
  auto& state = i->second;
  if (ended && state.where && state.where->grant > *ended)
    return; // Late news of an older life.
  bool news = state.where.has_value() || state.suspect || failed;
  if (ended)
    state.gone = std::max(state.gone, *ended);
  state.where.reset();
  unsuspect(name, state);
  if (news)
    tell(name_moved{name, std::nullopt, failed, reason});
  if (failed)
    for (auto id : std::set<request_id>{state.waiting})
      fail(id, failure::start_failed, reason);
  if (!state.waiting.empty())
    ask_again(name, state);
  else
    state.asked = false;
}

void agent::impl::handle(const registry::name_located& what) {
  name_is(what.where);
}

void agent::impl::handle(const registry::name_gone& what) {
  name_is_not(what.name, what.grant, what.failed, what.reason);
}

void agent::impl::names_after_sync(const std::set<term>& listed, index upto) {
  // R4: a sync holds all names that this session resolved and that run; the others are gone.
  std::vector<term> gone;
  for (auto& [name, state] : names) {
    // What was started after the sync was made may be missing in it.
    bool older = !state.where || state.where->grant.value <= upto.value;
    if (state.watched && older && listed.count(name) == 0 && (state.where || state.asked))
      gone.push_back(name);
  }
  // No proof that this life has ended: the sync may have been overtaken by the answer to a resolve
  // that it is older than.
  for (auto& name : gone)
    name_is_not(name, std::nullopt, false, "it does not run any more");
}

void agent::impl::forget_name(const term& name) {
  auto i = names.find(name);
  if (i == names.end() || !i->second.waiting.empty())
    return;
  bool known_there = i->second.watched || i->second.asked;
  suspects.erase(name);
  names.erase(i);
  if (known_there && at != phase::leaving && at != phase::left)
    commands.push(registry::forget{{}, name});
}

void agent::impl::suspected(const term& name) {
  auto i = names.find(name);
  if (i == names.end() || i->second.suspect || !i->second.where)
    return; // Unknown, or there will be news anyway.
  auto& state = i->second;
  // Longer each time: the host may be dying, and the registry moves the name when its session ends.
  if (now - state.suspected_at > 2 * options.ttl)
    state.suspicions = 0;
  state.suspected_at = now;
  state.suspect = true;
  suspects[name] = now + suspicion_delay(state);
}

duration agent::impl::suspicion_delay(name_state& state) {
  auto delay = std::min(finder.quick() * (1 << std::min(state.suspicions, 6U)), options.ttl / 2);
  ++state.suspicions;
  return delay;
}

void agent::impl::unsuspect(const term& name, name_state& state) {
  state.suspect = false;
  suspects.erase(name);
}

void agent::impl::run_suspicions() {
  if (!up)
    return; // The next session_up tells them all to ask anew.
  for (auto i = suspects.begin(); i != suspects.end();) {
    if (i->second > now) {
      ++i;
      continue;
    }
    auto name = i->first;
    i = suspects.erase(i);
    auto& state = names.at(name);
    if (!state.asked)
      ask_again(name, state);
  }
}

void agent::impl::forget_locations() {
  // A new session hears no news of what older ones resolved: the next message asks anew.
  for (auto& [name, state] : names) {
    bool told = state.where.has_value() || state.suspect;
    state.where.reset();
    state.suspect = false;
    if (told)
      tell(name_moved{name, std::nullopt, false, "this node has a new session"});
  }
  suspects.clear();
}

// -- singletons that this node hosts -----------------------------------------------------------

void agent::impl::handle(const registry::start_singleton& what) {
  // By token: the same order may come again (R4).
  if (!hosted.try_emplace({what.name, what.grant}).second)
    return;
  ++hosted_alive;
  tell(what);
}

void agent::impl::handle(const registry::hand_over& what) {
  // R4: the same order may come again, or come when it has ended already.
  auto i = hosted.find({what.name, what.grant});
  if (i == hosted.end() || i->second.now != hosted_state::phase::running
      || std::exchange(i->second.moves, true))
    return;
  tell(what);
}

void agent::impl::singleton_started(const term& name, token grant, local_actor_id actor) {
  auto i = hosted.find({name, grant});
  bool ours = i != hosted.end() && i->second.now == hosted_state::phase::starting;
  if (ours) {
    i->second.now = hosted_state::phase::running;
    i->second.actor = actor;
  }
  if (ours && at == phase::open)
    commands.push(registry::started{{}, name, grant, actor});
  else // F1: it was still starting when the others were stopped.
    tell(fence{{}, {actor}, "its session ended while it was starting"});
}

void agent::impl::singleton_ended(const term& name, token grant, registry::command report) {
  auto i = hosted.find({name, grant});
  if (i == hosted.end() || i->second.now == hosted_state::phase::ended)
    return;
  --hosted_alive;
  i->second.now = hosted_state::phase::ended;
  if (at == phase::open) {
    commands.push(std::move(report));
    return;
  }
  hosted.erase(i);
  progress();
}

void agent::impl::answer_to(request_id, const registry::started& was,
                            const registry::answer& what) {
  if (what.code == registry::status::ok)
    return;
  // The registry has given it to somebody else, or ended it.
  if (auto i = hosted.find({was.name, was.grant});
      i != hosted.end() && i->second.now == hosted_state::phase::running)
    tell(fence{{}, {was.actor}, "the cluster did not take it: " + what.detail});
}

void agent::impl::answer_to(request_id, const registry::start_failed& was,
                            const registry::answer&) {
  hosted.erase({was.name, was.grant});
}

void agent::impl::answer_to(request_id, const registry::singleton_exited& was,
                            const registry::answer&) {
  hosted.erase({was.name, was.grant});
}

void agent::impl::answer_to(request_id, const registry::forget&, const registry::answer&) {
  // Told once; nobody waits for it.
}

} // namespace paxtor::cluster
