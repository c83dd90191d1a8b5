// R7: answers from state, as JSON text. Every shape is in README.md.

#include <algorithm>
#include <chrono>

#include <nlohmann/json.hpp>

#include "libpaxtor/registry/machine_impl.hpp"

namespace paxtor::registry {

namespace {

using nlohmann::json;

/// How much of a long queue, list or cycle is shown.
constexpr std::size_t max_waiting_shown = 100;
constexpr std::uint64_t max_listed = 1000;
constexpr std::size_t max_hops_shown = 16;
constexpr std::size_t max_ended_shown = 20;
constexpr std::size_t max_key_shown = 256;

/// Texts of peers may hold bytes that are not UTF-8: shown with a replacement, never thrown over.
std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// A term as JSON; null for one that a peer made up.
json value_of(const std::string& text) {
  auto result = json::parse(text, nullptr, false);
  return result.is_discarded() ? json(nullptr) : result;
}

/// Random 64-bit ids are texts: many readers of JSON have no integers of that size.
std::string text_of(node_id id) {
  return std::to_string(id.value);
}

const char* text_of(ownership kind) {
  return kind == ownership::strict ? "strict" : "bounded";
}

json milliseconds(duration x) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(x).count();
}

/// What the leader knows of a session's silence; null where nobody does.
void add_silence(json& to, const session* of, const std::map<session_id, silence>& silent,
                 bool only_proof) {
  to["silent_ms"] = nullptr;
  to["release_due_in_ms"] = nullptr;
  auto known = of != nullptr ? silent.find(of->id) : silent.end();
  if (known == silent.end())
    return;
  to["silent_ms"] = milliseconds(known->second.silent);
  if (!only_proof)
    to["release_due_in_ms"] = milliseconds(known->second.release_due_in);
}

const char* text_of(end_reason reason) {
  switch (reason) {
    case end_reason::exited:
      return "exited";
    case end_reason::left:
      return "left";
    case end_reason::expired:
      return "expired";
    case end_reason::process_died:
      return "process_died";
    case end_reason::store_reopened:
      return "store_reopened";
    case end_reason::forced:
      return "forced";
  }
  return "ended";
}

json describe_end(const ended_session& x) {
  json result;
  result["session"] = x.session.value;
  result["node"] = x.name;
  result["node_id"] = text_of(x.node);
  result["reason"] = text_of(x.reason);
  result["detail"] = x.detail;
  result["index"] = x.at.value;
  return result;
}

/// Whose end made this grant: the token is the index of the entry that ended it (S5). Null if the
/// owner before exited on a node that lives on, or there was none.
json taken_from(token grant, const sessions& who) {
  const auto* before = who.ended_by(index{grant.value});
  return before != nullptr ? describe_end(*before) : json(nullptr);
}

json describe_owner(const owner_id& id, const session* of) {
  json result;
  result["session"] = id.session.value;
  result["actor"] = id.actor.value;
  result["node"] = of != nullptr ? json(of->name) : json(nullptr);
  result["node_id"] = of != nullptr ? json(text_of(of->node)) : json(nullptr);
  return result;
}

const char* state_of(const singleton& x) {
  if (x.moving.valid())
    return "moving";
  return x.actor.valid() ? "running" : "starting";
}

json describe_name(const names& among, const sessions& who, const term& name, const singleton& x) {
  auto where = among.where(name, x);
  json result;
  result["state"] = state_of(x);
  result["type"] = x.spec.type;
  result["node"] = where.node_name;
  result["node_id"] = text_of(where.node);
  result["endpoint"] = where.endpoint;
  result["session"] = x.host.value;
  result["actor"] = x.actor.valid() ? json(x.actor.value) : json(nullptr);
  result["token"] = x.grant.value;
  result["taken_from"] = taken_from(x.grant, who);
  result["restarts"] = x.restarts;
  result["watchers"] = json::array();
  for (auto id : x.watchers) {
    if (result["watchers"].size() >= max_waiting_shown)
      break;
    result["watchers"].push_back(who.find(id)->name);
  }
  result["watcher_count"] = x.watchers.size();
  return result;
}

json describe_entry(const term& key, const kv::entry& x, const sessions& who) {
  json result;
  result["key"] = value_of(key.text());
  result["value"] = value_of(x.value);
  result["since"] = x.since.value;
  result["owner"] = x.owner ? describe_owner(*x.owner, who.find(x.owner->session)) : json(nullptr);
  return result;
}

/// A key in an error: whole if it is short.
json brief(const std::string& key) {
  if (key.size() <= max_key_shown)
    return value_of(key);
  auto end = max_key_shown - 3;
  while (end > 0 && (static_cast<unsigned char>(key[end]) & 0xc0) == 0x80)
    --end; // not within a character
  return key.substr(0, end) + "...";
}

} // namespace

std::string machine::impl::describe(const std::vector<cycle_hop>& cycle) const {
  auto result = json::array();
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    if (cycle.size() > max_hops_shown && i == max_hops_shown - 1) {
      result.push_back({{"omitted", cycle.size() - max_hops_shown}});
      i = cycle.size() - 1;
    }
    const auto& hop = cycle[i];
    // What the one before in the cycle waits for: held by this owner, or wanted earlier by it.
    const auto& wanted = cycle[i > 0 ? i - 1 : cycle.size() - 1].key->second;
    bool holds = !held.is_free(wanted) && wanted.who->first == hop.who;
    const auto* of = who.find(hop.who.session);
    json x;
    x["owner"] = to_string(hop.who);
    x["node"] = of != nullptr ? json(of->name) : json(nullptr);
    x["waits_for"] = brief(hop.key->first);
    x["token"] = holds ? json(static_cast<std::uint64_t>(wanted.grant)) : json(nullptr);
    result.push_back(std::move(x));
  }
  return dump(result);
}

std::string machine::impl::describe_drain(const session& whose) const {
  json result;
  result["node"] = whose.name;
  result["node_id"] = text_of(whose.node);
  result["session"] = whose.id.value;
  result["drained"] = whose.drained;
  result["singletons"] = whose.hosted.size();
  result["left"] = json::array();
  std::uint64_t moving = 0;
  std::uint64_t stay = 0;
  for (auto what : whose.hosted) {
    const auto& x = what->second;
    const bool moves = x.moving.valid();
    const bool stays = whose.drained && x.actor.valid() && !moves;
    moving += moves ? 1 : 0;
    stay += stays ? 1 : 0;
    if (result["left"].size() >= max_waiting_shown)
      continue;
    const auto* next = who.find_open(x.next);
    json one;
    one["name"] = brief(what->first.text());
    one["type"] = x.spec.type;
    one["state"] = state_of(x);
    one["to"] = next != nullptr ? json(next->name) : json(nullptr);
    one["stays"] = stays;
    result["left"].push_back(std::move(one));
  }
  result["moving"] = moving;
  result["staying"] = stay;
  result["more"] = whose.hosted.size() > result["left"].size();
  return dump(result);
}

std::string machine::impl::ask(const query_get& what, const silences&) const {
  const auto* x = entries.get(what.bucket, what.key);
  json result;
  result["bucket"] = what.bucket;
  result["found"] = x != nullptr;
  if (x != nullptr)
    result.update(describe_entry(what.key, *x, who));
  else
    result["key"] = value_of(what.key.text());
  return dump(result);
}

std::string machine::impl::ask(const query_list& what, const silences&) const {
  json result;
  result["bucket"] = what.bucket;
  result["entries"] = json::array();
  result["more"] = false;
  const auto* all = entries.list(what.bucket);
  if (all != nullptr) {
    auto limit = std::min(what.limit, max_listed);
    auto pos =
      what.after.empty() ? all->begin() : all->upper_bound(term::from_canonical(what.after));
    for (; pos != all->end(); ++pos) {
      if (result["entries"].size() >= limit) {
        result["more"] = true;
        break;
      }
      result["entries"].push_back(describe_entry(pos->first, pos->second, who));
    }
  }
  return dump(result);
}

std::string machine::impl::ask(const query_why& what, const silences& silent) const {
  json result;
  result["key"] = value_of(what.key.text());
  result["state"] = "free";
  result["holder"] = nullptr;
  result["waiting"] = json::array();
  result["waiting_count"] = 0;
  result["cycle"] = nullptr; // I15: what would close one is refused
  if (const auto* x = held.find(what.key)) {
    // Free with a queue: the first in it waits for another key as well.
    result["state"] = held.is_free(*x) ? "reserved" : "held";
    if (!held.is_free(*x)) {
      const auto* of = who.find(x->who->first.session);
      auto holder = describe_owner(x->who->first, of);
      holder["token"] = static_cast<std::uint64_t>(x->grant);
      holder["ownership"] = text_of(x->strict == 1 ? ownership::strict : ownership::bounded);
      holder["taken_from"] = taken_from(token{x->grant}, who);
      holder["session_open"] = of != nullptr && of->open;
#ifdef PAXTOR_CANARY_WHY_LIES
      holder["actor"] = 0;
#endif
      add_silence(holder, of, silent, x->strict == 1);
      result["holder"] = std::move(holder);
    }
    if (x->queue) {
      result["waiting_count"] = x->queue->size();
      std::uint64_t position = 0;
      for (const auto& p : *x->queue) {
        if (++position > max_waiting_shown)
          break;
        auto waiter = describe_owner(p.who->first, who.find(p.who->first.session));
        waiter["position"] = position;
        waiter["since"] = p.since.value;
        result["waiting"].push_back(std::move(waiter));
      }
    }
  }
  result["singleton"] = nullptr;
  if (const auto* x = singletons.find(what.key))
    result["singleton"] = describe_name(singletons, who, what.key, *x);
  return dump(result);
}

std::string machine::impl::ask(const query_members& what, const silences& silent) const {
  json result;
  result["members"] = json::array();
  result["more"] = false;
  for (const auto& [id, x] : who.all()) {
    if (result["members"].size() >= std::min(what.limit, max_listed)) {
      result["more"] = true;
      break;
    }
    json member;
    member["session"] = id.value;
    member["node"] = x.name;
    member["node_id"] = text_of(x.node);
    member["endpoint"] = x.endpoint;
    member["open"] = x.open;
    member["types"] = x.types;
    member["labels"] = x.labels;
    member["capacity"] = x.capacity;
    auto has = held.tally(id);
    member["locks"] = has.held;
    member["waits"] = has.waits;
    member["singletons"] = x.hosted.size();
    member["drained"] = x.drained;
    add_silence(member, &x, silent, !x.open);
    result["members"].push_back(std::move(member));
  }
  result["ended"] = json::array();
  const auto& ended = who.ended();
  for (auto x = ended.rbegin(); x != ended.rend() && result["ended"].size() < max_ended_shown;
       ++x) {
    // Commands come and go all day: only those that did not leave by themselves are news.
    if (x->reason != end_reason::left)
      result["ended"].push_back(describe_end(*x));
  }
  return dump(result);
}

std::string machine::impl::ask(const query_name& what, const silences&) const {
  json result;
  if (const auto* x = singletons.find(what.name))
    result = describe_name(singletons, who, what.name, *x);
  else
    result["state"] = "none";
  result["name"] = value_of(what.name.text());
  return dump(result);
}

std::string machine::impl::ask(const query_counts&, const silences&) const {
  std::uint64_t open = 0;
  for (const auto& [id, x] : who.all())
    open += x.open ? 1 : 0;
  json result;
  result["sessions"] = open;
  result["expired_with_strict_locks"] = who.all().size() - open;
  result["locks"] = held.held();
  result["owners"] = held.owners();
  result["waiters"] = held.waiting();
  result["names"] = singletons.all().size();
  result["kv"] = entries.size();
  result["last_index"] = last.value;
  result["reign"] = to_string(reign);
  return dump(result);
}

} // namespace paxtor::registry
