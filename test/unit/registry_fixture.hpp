#pragma once

/// \file
/// A registry with named nodes, for tests: numbers commands as session agents do, and keeps what
/// came out.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "libpaxtor/registry/machine.hpp"

namespace paxtor::registry::test {

inline term key(const std::string& text) {
  term result;
  std::string why;
  REQUIRE(term::from_user(text, result, why));
  return result;
}

struct world {
  machine reg;
  index at{0};
  outcome last;
  std::map<session_id, std::uint64_t> seqs;
  std::uint64_t next_node = 100;
  /// Every effect so far, per session, with the chain checked.
  std::map<session_id, std::vector<effect>> told;
  std::map<session_id, index> seen;

  /// Applies one command and checks everything.
  const outcome& apply(const command& what) {
    at = at.next();
    last = {};
    reg.apply(at, what, last);
    reg.check_all();
    for (const auto& x : last.effects) {
      auto known = seen.find(x.session);
      if (known != seen.end())
        CHECK(x.previous == known->second);
      CHECK(x.at == at);
      CHECK_FALSE(x.effects.empty());
      seen[x.session] = x.at;
      for (const auto& y : x.effects)
        told[x.session].push_back(y);
    }
    return last;
  }

  answer ask(const command& what) {
    apply(what);
    REQUIRE(last.answers.size() == 1);
    return last.answers.front().what;
  }

  void begin_reign(std::uint64_t round) {
    at = at.next();
    last = {};
    reg.begin_reign(at, ballot{round, voter_id{1}}, last);
  }

  session_id join(const std::string& name, std::vector<std::string> types = {},
                  std::uint64_t capacity = 0) {
    open_session what;
    what.node = node_id{next_node++};
    what.name = name;
    what.types = std::move(types);
    what.capacity = capacity;
    auto reply = ask(what);
    REQUIRE(reply.code == status::ok);
    seen[reply.opened] = reg.last_effect(reply.opened);
    return reply.opened;
  }

  /// The next command of a session that has all answers so far.
  origin from(session_id session) {
    auto number = ++seqs[session];
    return {session, seq{number}, seq{number}};
  }

  /// The same, with nothing answered yet.
  origin open_from(session_id session, std::uint64_t number) {
    seqs[session] = std::max(seqs[session], number);
    return {session, seq{number}, seq{1}};
  }

  acquire make_acquire(session_id session, std::uint64_t actor, std::vector<std::string> keys,
                       acquire_mode mode = acquire_mode::wait,
                       ownership kind = ownership::bounded) {
    acquire what;
    what.from = from(session);
    what.actor = local_actor_id{actor};
    for (const auto& x : keys)
      what.keys.push_back(key(x));
    what.mode = mode;
    what.kind = kind;
    return what;
  }

  answer lock(session_id session, std::uint64_t actor, std::vector<std::string> keys,
              acquire_mode mode = acquire_mode::wait, ownership kind = ownership::bounded) {
    return ask(make_acquire(session, actor, std::move(keys), mode, kind));
  }

  answer exit(session_id session, std::uint64_t actor) {
    return ask(owner_exited{from(session), session, local_actor_id{actor}, "done"});
  }

  /// "session/actor" of the holder, or "".
  std::string holder(const std::string& name) const {
    auto x = reg.holder_of(key(name));
    return x ? to_string(x->owner) : std::string{};
  }

  nlohmann::json query(const registry::query& what,
                       const std::map<session_id, silence>& silent = {}) const {
    return nlohmann::json::parse(reg.ask(what, silent));
  }

  template <class Effect>
  std::vector<Effect> told_of(session_id session) const {
    std::vector<Effect> result;
    auto pos = told.find(session);
    if (pos == told.end())
      return result;
    for (const auto& x : pos->second) {
      if (const auto* y = std::get_if<Effect>(&x))
        result.push_back(*y);
    }
    return result;
  }
};

inline std::string name_of(owner_id x) {
  return to_string(x);
}

inline std::string owner_name(session_id session, std::uint64_t actor) {
  return to_string(owner_id{session, local_actor_id{actor}});
}

} // namespace paxtor::registry::test
