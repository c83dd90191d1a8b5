#pragma once

/// \file
/// Agents beside a real registry, without a log: one leader that decides at once, whose links and
/// messages a test can cut, lose and delay. Time moves in small steps.

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/cluster/agent.hpp"
#include "libpaxtor/cluster/sync_parts.hpp"
#include "libpaxtor/registry/machine.hpp"

namespace paxtor::cluster::agent_test {

using namespace std::chrono_literals;

inline term key(const std::string& text) {
  return term::from_canonical('"' + text + '"');
}

inline node_id node_of(std::size_t i) {
  return node_id{1000 + i};
}

class world {
public:
  struct member {
    agent self;
    std::vector<notice> heard;
    bool cut = false;          ///< nothing passes, either way
    bool lose_answers = false; ///< commands arrive, answers and effects do not
    bool lose_effects = false; ///< answers arrive, effects do not
    std::vector<std::pair<voter_id, node_message>> sent;
  };

  explicit world(std::size_t count, lease_options leases = {}, std::vector<std::string> types = {})
      : leases_(leases) {
    registry::outcome out;
    machine.begin_reign(next(), by, out);
    for (std::size_t i = 0; i < count; ++i)
      add("n" + std::to_string(i), types);
  }

  std::size_t add(const std::string& name, std::vector<std::string> types = {}) {
    node_info info;
    info.id = node_of(members.size());
    info.name = name;
    info.types = std::move(types);
    members.push_back({agent{info, leases_, voters, generator{members.size() + 1}, now},
                       {},
                       false,
                       false,
                       false,
                       {}});
    return members.size() - 1;
  }

  agent& at(std::size_t i) { return members[i].self; }

  /// Lets time pass, in steps of 5 ms.
  void run(duration by) {
    for (auto end = now + by; now < end;) {
      now += 5ms;
      for (std::size_t i = 0; i < members.size(); ++i) {
        members[i].self.tick(now);
        pump(i);
      }
      while (!delayed.empty() && delayed.front().when <= now) {
        auto x = std::move(delayed.front());
        delayed.pop_front();
        arrive(x.to, x.from, x.what);
      }
      settle();
      if (expiring)
        expire_silent();
    }
  }

  /// Carries all messages that wait, without time passing.
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (std::size_t i = 0; i < members.size(); ++i)
        busy = pump(i) || busy;
    }
  }

  /// Runs until `done` or `within`; tells whether it was done.
  bool until(const std::function<bool()>& done, duration within = 20s) {
    for (auto end = now + within; now < end;) {
      settle();
      if (done())
        return true;
      run(5ms);
    }
    return done();
  }

  void join_all() {
    REQUIRE(until([this] {
      for (auto& x : members)
        if (!x.self.session().valid())
          return false;
      return true;
    }));
  }

  /// S1, as the leader's lease keeper does it.
  void expire_silent() {
    for (auto& x : machine.open_sessions()) {
      auto since = heard_at.try_emplace(x.session, now).first->second;
      if (now - since > leases_.expire_after())
        expire(x.session);
    }
  }

  /// What only the leader's lease keeper does.
  void expire(session_id id) { apply(registry::expire_session{id, machine.reign()}); }

  void apply(registry::command what) {
    registry::outcome out;
    log.push_back(what);
    machine.apply(next(), what, out);
    deliver(out);
  }

  void new_leader(voter_id who) {
    leader = who;
    by = ballot{by.round + 1, who};
    registry::outcome out;
    machine.begin_reign(next(), by, out);
  }

  template <class T>
  std::vector<T> notices(std::size_t i) const {
    std::vector<T> result;
    for (auto& x : members[i].heard) {
      if constexpr (std::is_constructible_v<notice, T> && !std::is_constructible_v<completion, T>) {
        if (auto* y = std::get_if<T>(&x))
          result.push_back(*y);
      } else {
        if (auto* y = std::get_if<completion>(&x))
          if (auto* z = std::get_if<T>(y))
            result.push_back(*z);
      }
    }
    return result;
  }

  /// How request `id` ended, if it has.
  template <class T>
  std::optional<T> ended(std::size_t i, request_id id) const {
    std::optional<T> result;
    for (auto& x : notices<T>(i))
      if (x.id == id) {
        CHECK_FALSE(result.has_value());
        result = x;
      }
    return result;
  }

  request_id lock(std::size_t i, std::uint64_t actor, const std::string& what,
                  acquire_options options = {}) {
    return at(i).acquire(now, local_actor_id{actor}, {key(what)}, options);
  }

  void exit(std::size_t i, std::uint64_t actor) {
    at(i).owner_exited(now, local_actor_id{actor}, "done");
  }

  std::optional<owner_id> holder(const std::string& what) const {
    auto x = machine.holder_of(key(what));
    return x ? std::optional{x->owner} : std::nullopt;
  }

  /// How many commands of this kind reached the log.
  template <class T>
  std::size_t logged() const {
    std::size_t result = 0;
    for (auto& x : log)
      result += std::holds_alternative<T>(x) ? 1 : 0;
    return result;
  }

  time_point now{1h};
  std::vector<voter_id> voters{voter_id{1}, voter_id{2}, voter_id{3}};
  voter_id leader{1};
  bool leading = true;
  ballot by{1, voter_id{1}};
  duration latency{0};
  /// Of one message of a sync.
  std::size_t sync_bytes = std::size_t{1} << 20;
  /// True for parts of syncs that are lost.
  std::function<bool(const registry::effects_for&)> drop_part;
  /// Sessions that are silent expire by themselves.
  bool expiring = false;
  std::map<session_id, time_point> heard_at;
  registry::machine machine;
  std::vector<registry::command> log;
  std::deque<member> members;

private:
  struct late {
    time_point when;
    std::size_t to;
    voter_id from;
    voter_message what;
  };

  index next() { return last_ = last_.next(); }

  bool pump(std::size_t i) {
    auto out = members[i].self.take_output();
    bool busy = !out.send.empty() || !out.notices.empty();
    for (auto& x : out.notices)
      members[i].heard.push_back(std::move(x));
    for (auto& x : out.send) {
      members[i].sent.emplace_back(x.voter, x.what);
      if (members[i].cut)
        continue;
      if (x.voter != leader || !leading)
        reply(i, x.voter, not_leading{leading ? leader : voter_id{}, by});
      else
        std::visit([&](auto& y) { handle(i, y); }, x.what);
    }
    return busy;
  }

  void handle(std::size_t, submit& what) {
    for (auto& bytes : what.commands) {
      registry::command x;
      REQUIRE(decode(bytes, x));
      apply(std::move(x));
    }
  }

  void handle(std::size_t i, renew& what) {
    if (!machine.is_open(what.session)) {
      reply(i, leader, session_over{what.session});
      return;
    }
    heard_at[what.session] = now;
    reply(i, leader, renewed{what.session, what.n, by});
    if (machine.last_effect(what.session) > what.watermark)
      for (auto& part : split(*machine.sync(what.session, what.watermark), last_, sync_bytes))
        if (!drop_part || !drop_part(part))
          reply(i, leader, part);
  }

  void handle(std::size_t, change_voters&) { FAIL("this world has no steward"); }
  void handle(std::size_t, voter_report&) { FAIL("an agent reports no voter"); }

  void handle(std::size_t i, certify& what) {
    registry::outcome out;
    log.push_back(what.proof);
    machine.apply(next(), what.proof, out);
    deliver(out);
    for (auto& event : out.events)
      if (auto* x = std::get_if<registry::end_certified>(&event))
        reply(i, leader, certified{what.proof.node, what.proof.session, x->closed, x->problem});
  }

  void handle(std::size_t i, read& what) {
    reply(i, leader, read_answer{what.id, machine.ask(what.what, {})});
  }

  void deliver(registry::outcome& out) {
    for (auto& x : out.answers)
      if (auto i = index_of(x.node))
        reply(*i, leader, answers{x.session, {x.what}});
    for (auto& x : out.effects)
      if (auto i = index_of(x.node); i && !members[*i].lose_effects)
        reply(*i, leader, x);
  }

  std::optional<std::size_t> index_of(node_id id) const {
    auto i = id.value - 1000;
    return i < members.size() ? std::optional{static_cast<std::size_t>(i)} : std::nullopt;
  }

  void reply(std::size_t i, voter_id from, voter_message what) {
    if (latency > duration{0})
      delayed.push_back({now + latency, i, from, std::move(what)});
    else
      arrive(i, from, what);
  }

  void arrive(std::size_t i, voter_id from, const voter_message& what) {
    auto& to = members[i];
    bool answer =
      std::holds_alternative<answers>(what) || std::holds_alternative<registry::effects_for>(what);
    if (to.cut || (to.lose_answers && answer))
      return;
    to.self.step(now, from, what);
  }

  lease_options leases_;
  index last_{0};
  std::deque<late> delayed;
};

} // namespace paxtor::cluster::agent_test
