#include "test/sim/lock_model.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace paxtor::sim {

namespace {

std::vector<std::string> texts(const std::vector<term>& keys) {
  std::vector<std::string> out;
  for (const auto& key : keys)
    out.push_back(key.text());
  return out;
}

std::string joined(const std::vector<std::string>& keys) {
  std::string out;
  for (const auto& key : keys)
    out += (out.empty() ? "" : "+") + key;
  return out;
}

/// An answer to why names so many of those that wait, and how many there are.
constexpr std::size_t most_shown = 100;

std::string more_than_shown(std::size_t all) {
  return all > most_shown ? " of " + std::to_string(all) : "";
}

std::string line(const std::string& holder, const std::string& waiters) {
  return (holder.empty() ? "free" : "held by " + holder)
         + (waiters.empty() ? "" : ", wanted by" + waiters);
}

} // namespace

bool lock_model::mine(const std::string& key, owner_id who) const {
  auto i = keys_.find(key);
  return i != keys_.end() && i->second.held && i->second.held->who == who;
}

bool lock_model::may_take(const std::string& key, owner_id who) const {
  auto i = keys_.find(key);
  if (i == keys_.end())
    return true;
  const auto& x = i->second;
  return !x.held && (x.queue.empty() || x.queue.front() == who);
}

bool lock_model::can_have(const std::vector<std::string>& keys, owner_id who) const {
  return std::all_of(keys.begin(), keys.end(),
                     [&](const auto& key) { return mine(key, who) || may_take(key, who); });
}

void lock_model::add_waited_for(const std::string& key, owner_id who,
                                std::vector<owner_id>& out) const {
  auto i = keys_.find(key);
  if (i == keys_.end() || mine(key, who))
    return;
  if (i->second.held)
    out.push_back(i->second.held->who);
  for (const auto& earlier : i->second.queue) {
    if (earlier == who)
      break;
    out.push_back(earlier);
  }
}

bool lock_model::closes_cycle(const std::vector<std::string>& keys, owner_id who) const {
  std::vector<owner_id> open;
  for (const auto& key : keys)
    add_waited_for(key, who, open);
  std::set<owner_id> seen;
  while (!open.empty()) {
    const auto next = open.back();
    open.pop_back();
    if (next == who)
      return true;
    if (!seen.insert(next).second)
      continue;
    for (const auto& x : waits_)
      if (x.who == next)
        for (const auto& key : x.keys)
          add_waited_for(key, next, open);
  }
  return false;
}

verdict lock_model::acquired(index at, owner_id who, const registry::acquire& what,
                             const registry::answer& reply) {
  using registry::status;
  const auto keys = texts(what.keys);
  const auto about = [&] { return to_string(who) + " for " + joined(keys); };
  const auto free = can_have(keys, who);
  const auto tries = what.mode == registry::acquire_mode::try_once;
  switch (reply.code) {
    case status::granted: {
      if (!free)
        return wrong("first come, first served",
                     about() + " was granted at once, out of turn: " + text(keys.front()));
      token highest;
      for (const auto& key : keys) {
        if (!mine(key, who))
          take(key, who, token{at.value}, what.kind == registry::ownership::strict);
        highest = std::max(highest, keys_[key].held->grant);
      }
      if (reply.grant != highest)
        return wrong("token order", about() + " was granted with token " + to_string(reply.grant)
                                      + " at index " + to_string(at));
      return {};
    }
    case status::busy:
      if (!tries || free)
        return wrong("first come, first served",
                     about() + " was told busy, " + (free ? "but may have it" : "but waits"));
      return {};
    case status::deadlock:
      if (tries || free || !closes_cycle(keys, who))
        return wrong("deadlock", about() + " was refused, but closes no cycle");
      return {};
    case status::queued:
      if (tries || free)
        return wrong("first come, first served",
                     about() + " has to wait, " + (free ? "but may have it" : "but only tried"));
      if (closes_cycle(keys, who))
        return wrong("deadlock", about() + " waits in a cycle");
      for (const auto& key : keys) {
        auto& x = keys_[key];
        touched_.insert(key);
        if (!mine(key, who) && std::find(x.queue.begin(), x.queue.end(), who) == x.queue.end())
          x.queue.push_back(who);
      }
      waits_.push_back({who, what.from.number, keys, what.kind == registry::ownership::strict});
      return {};
    default:
      return {}; // refused for other reasons: nothing was done
  }
}

verdict lock_model::granted(index at, owner_id who, const registry::lock_granted& what) {
  auto wait = std::find_if(waits_.begin(), waits_.end(),
                           [&](const request& x) { return x.who == who && x.of == what.of; });
  const auto about = to_string(who) + " for " + joined(texts(what.keys));
  if (wait == waits_.end())
    return wrong("a grant that was asked for",
                 about + " was granted, but does not wait any more, or never did");
  if (texts(what.keys) != wait->keys)
    return wrong("all keys at once", about + " was granted, but asked for " + joined(wait->keys));
  if (!can_have(wait->keys, who))
    return wrong("first come, first served", about + " was granted out of turn");
  if (what.grant.value != at.value)
    return wrong("token order", about + " was granted with token " + to_string(what.grant)
                                  + " at index " + to_string(at));
  const auto done = *wait;
  waits_.erase(wait);
  for (const auto& key : done.keys)
    if (!mine(key, who))
      take(key, who, what.grant, done.strict);
  return {};
}

void lock_model::take(const std::string& key, owner_id who, token grant, bool strict) {
  auto& x = keys_[key];
  std::erase(x.queue, who);
  x.held = holding{who, grant, strict};
  touched_.insert(key);
}

verdict lock_model::withdrawn(owner_id who, seq of, registry::status code) {
  auto wait = std::find_if(waits_.begin(), waits_.end(),
                           [&](const request& x) { return x.who == who && x.of == of; });
  if (wait == waits_.end())
    return {};
  if (code != registry::status::withdrawn)
    return wrong("withdraw", "the wait of " + to_string(who) + " for " + joined(wait->keys)
                               + " was to end, and goes on");
  const auto keys = wait->keys;
  waits_.erase(wait);
  leave(who, keys);
  return {};
}

void lock_model::leave(owner_id who, const std::vector<std::string>& keys) {
  for (const auto& key : keys) {
    const auto wanted = std::any_of(waits_.begin(), waits_.end(), [&](const request& x) {
      return x.who == who && std::find(x.keys.begin(), x.keys.end(), key) != x.keys.end();
    });
    auto i = keys_.find(key);
    if (wanted || i == keys_.end())
      continue;
    std::erase(i->second.queue, who);
    touched_.insert(key);
    forget_if_free(key);
  }
}

void lock_model::forget_if_free(const std::string& key) {
  auto i = keys_.find(key);
  if (i != keys_.end() && !i->second.held && i->second.queue.empty())
    keys_.erase(i);
}

void lock_model::end_owner(owner_id who) {
  std::erase_if(waits_, [&](const request& x) { return x.who == who; });
  for (auto i = keys_.begin(); i != keys_.end();) {
    auto& x = i->second;
    const auto changed = std::erase(x.queue, who) != 0 || (x.held && x.held->who == who);
    if (x.held && x.held->who == who)
      x.held.reset();
    if (changed)
      touched_.insert(i->first);
    i = !x.held && x.queue.empty() ? keys_.erase(i) : std::next(i);
  }
}

void lock_model::end_session(session_id who, bool keep_strict) {
  const auto of_it = [who](owner_id x) { return x.session == who; };
  std::erase_if(waits_, [&](const request& x) { return of_it(x.who); });
  for (auto i = keys_.begin(); i != keys_.end();) {
    auto& x = i->second;
    auto changed = std::erase_if(x.queue, of_it) != 0;
    if (x.held && of_it(x.held->who) && !(keep_strict && x.held->strict)) {
      x.held.reset();
      changed = true;
    }
    if (changed)
      touched_.insert(i->first);
    i = !x.held && x.queue.empty() ? keys_.erase(i) : std::next(i);
  }
}

verdict lock_model::settled() const {
  for (const auto& x : waits_)
    if (can_have(x.keys, x.who))
      return wrong("first come, first served",
                   to_string(x.who) + " waits for " + joined(x.keys) + ", which it may have");
  return {};
}

bool lock_model::holds(owner_id who, const std::vector<term>& keys, token grant) const {
  token highest;
  for (const auto& key : keys) {
    if (!mine(key.text(), who))
      return false;
    highest = std::max(highest, keys_.at(key.text()).held->grant);
  }
  return highest == grant;
}

bool lock_model::holds_any(session_id who) const {
  return std::any_of(keys_.begin(), keys_.end(), [who](const auto& x) {
    return x.second.held && x.second.held->who.session == who;
  });
}

lock_model::sizes lock_model::count() const {
  sizes out;
  std::set<owner_id> owners;
  for (const auto& [key, x] : keys_)
    if (x.held) {
      ++out.held;
      owners.insert(x.held->who);
    }
  for (const auto& x : waits_)
    owners.insert(x.who);
  out.owners = owners.size();
  out.waiting = waits_.size();
  return out;
}

std::string lock_model::text(const std::string& key) const {
  auto i = keys_.find(key);
  if (i == keys_.end())
    return line("", "");
  std::string holder;
  if (const auto& held = i->second.held)
    holder =
      to_string(held->who) + " token " + to_string(held->grant) + (held->strict ? " strict" : "");
  std::string waiters;
  const auto& queue = i->second.queue;
  for (std::size_t n = 0; n < std::min(queue.size(), most_shown); ++n)
    waiters += " " + to_string(queue[n]);
  return line(holder, waiters + more_than_shown(queue.size()));
}

std::string text_of_why(const std::string& json) {
  const auto answer = nlohmann::json::parse(json, nullptr, false);
  if (!answer.is_object() || !answer.contains("holder") || !answer.contains("waiting"))
    return "unreadable: " + json;
  const auto owner = [](const nlohmann::json& x) {
    return to_string(owner_id{session_id{x["session"].get<std::uint64_t>()},
                              local_actor_id{x["actor"].get<std::uint64_t>()}});
  };
  std::string holder;
  if (const auto& held = answer["holder"]; held.is_object())
    holder = owner(held) + " token " + std::to_string(held["token"].get<std::uint64_t>())
             + (held["ownership"] == "strict" ? " strict" : "");
  std::string waiters;
  for (const auto& who : answer["waiting"])
    waiters += " " + owner(who);
  return line(holder, waiters + more_than_shown(answer.value("waiting_count", std::size_t{0})));
}

} // namespace paxtor::sim
