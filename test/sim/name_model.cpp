#include "test/sim/name_model.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace paxtor::sim {

namespace {

std::string place_of(session_id host, token grant) {
  return "session " + to_string(host) + " token " + to_string(grant);
}

bool can_host(const registry::open_session& host, const registry::singleton_spec& what) {
  return std::find(host.types.begin(), host.types.end(), what.type) != host.types.end()
         && std::all_of(what.labels.begin(), what.labels.end(), [&](const auto& label) {
              auto has = host.labels.find(label.first);
              return has != host.labels.end() && has->second == label.second;
            });
}

} // namespace

verdict name_model::started_by_order(index at, session_id to, const registry::open_session& host,
                                     const registry::start_singleton& what) {
  const auto& name = what.name.text();
  if (what.grant.value != at.value)
    return wrong("token order", name + " is started under token " + to_string(what.grant)
                                  + " by entry " + to_string(at));
  if (auto i = all_.find(name); i != all_.end())
    return wrong("one live singleton", name + " is started at " + place_of(to, what.grant)
                                         + " while it is at "
                                         + place_of(i->second.host, i->second.grant));
  if (!can_host(host, what.spec))
    return wrong("placement", name + " is started at " + place_of(to, what.grant)
                                + ", which does not host " + what.spec.type);
  auto load =
    std::count_if(all_.begin(), all_.end(), [to](const auto& x) { return x.second.host == to; });
  if (host.capacity != 0 && static_cast<std::uint64_t>(load) >= host.capacity)
    return wrong("placement",
                 name + " is started at " + place_of(to, what.grant) + ", which has no room");
  all_[name] = {to, what.grant, {}};
  touched_.insert(name);
  return {};
}

void name_model::runs(session_id host, const term& name, token grant, local_actor_id actor) {
  auto i = all_.find(name.text());
  if (i != all_.end() && i->second.host == host && i->second.grant == grant)
    i->second.actor = actor;
}

void name_model::ended(session_id host, const term& name, token grant) {
  auto i = all_.find(name.text());
  if (i == all_.end() || i->second.host != host || i->second.grant != grant)
    return;
  touched_.insert(i->first);
  all_.erase(i);
}

void name_model::end_session(session_id who) {
  std::erase_if(all_, [&](const auto& x) {
    if (x.second.host != who)
      return false;
    touched_.insert(x.first);
    return true;
  });
}

verdict name_model::located(const registry::location& where) const {
  auto i = all_.find(where.name.text());
  if (i != all_.end() && i->second.grant == where.grant && i->second.host == where.session
      && i->second.actor == where.actor)
    return {};
  return wrong("one live singleton", "somebody is told that " + where.name.text() + " is at "
                                       + place_of(where.session, where.grant) + "; it is at "
                                       + text(where.name.text()));
}

std::string name_model::text(const std::string& name) const {
  auto i = all_.find(name);
  return i == all_.end() ? nothing_there : place_of(i->second.host, i->second.grant);
}

std::string text_of_name(const std::string& json) {
  const auto answer = nlohmann::json::parse(json, nullptr, false);
  if (!answer.is_object() || !answer.contains("state"))
    return "unreadable: " + json;
  if (answer["state"] == "none")
    return nothing_there;
  return place_of(session_id{answer["session"].get<std::uint64_t>()},
                  token{answer["token"].get<std::uint64_t>()});
}

verdict entry_model::put(owner_id from, const registry::put& what, const std::string& answered) {
  const auto place = what.bucket + "/" + what.key.text();
  auto [i, fresh] = all_.try_emplace(place, entry{what.value, what.owner.has_value(), from});
  if (fresh)
    touched_.insert(place);
  if (i->second.value == answered)
    return {};
  return wrong("put once", place + " is answered as " + answered + ", and is " + i->second.value);
}

template <class Ends>
void entry_model::erase(Ends&& ends) {
  std::erase_if(all_, [&](const auto& x) {
    if (!x.second.owned || !ends(x.second.owner))
      return false;
    touched_.insert(x.first);
    return true;
  });
}

void entry_model::end_owner(owner_id who) {
  erase([who](owner_id x) { return x == who; });
}

void entry_model::end_session(session_id who) {
  erase([who](owner_id x) { return x.session == who; });
}

std::string entry_model::text(const std::string& place) const {
  auto i = all_.find(place);
  return i == all_.end() ? nothing_there : i->second.value;
}

std::string text_of_get(const std::string& json) {
  const auto answer = nlohmann::json::parse(json, nullptr, false);
  if (!answer.is_object())
    return "unreadable: " + json;
  return answer.contains("value") ? answer["value"].dump() : nothing_there;
}

} // namespace paxtor::sim
