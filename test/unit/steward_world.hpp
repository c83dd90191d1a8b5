#pragma once

/// \file
/// Voters and standbys whose membership changes, joined by links that deliver at once unless one
/// end is down. Time goes on by hand.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/cluster/voter.hpp"
#include "libpaxtor/storage/memory_store.hpp"

namespace paxtor::cluster::test {

using namespace std::chrono_literals;

class steward_world {
public:
  /// Voters a, b, c with the ids 1, 2, 3.
  steward_world() {
    for (std::uint64_t i = 1; i <= 3; ++i)
      initial_.members.push_back({voter_id{i}, std::string(1, static_cast<char>('a' + i - 1)), {}});
    for (const auto& who : initial_.members)
      start(who.id, who.name);
    REQUIRE(until([this] { return leader().has_value(); }));
  }

  /// A blank store if the id is new; else what it kept.
  void start(voter_id id, const std::string& name) {
    auto& one = all_[id];
    one.name = name;
    if (!one.store)
      one.store = std::make_unique<storage::memory_store>(id);
    auto state = one.store->load().state;
    one.x.emplace(state, initial_, timing_for(3s), bounds, lease_options{},
                  generator{id.value * 7 + ++starts_}, now);
    one.x->get_steward().introduce(name, address(id));
    // What its links' hellos tell in production.
    one.x->get_steward().ask_of(voters_now());
  }

  void kill(voter_id id) { all_.at(id).x.reset(); }

  /// Its writes are not durable until they are let go.
  void hold_disk(voter_id id) { held_.insert(id); }
  void release_disk(voter_id id) { held_.erase(id); }

  void run(duration by) {
    for (auto end = now + by; now < end; now += 5ms) {
      for (auto& [id, one] : all_)
        if (one.x)
          one.x->tick(now);
      settle();
    }
  }

  bool until(const std::function<bool()>& done, duration within = 20s) {
    for (auto end = now + within; now < end && !done();)
      run(5ms);
    return done();
  }

  [[nodiscard]] std::optional<voter_id> leader() const {
    for (const auto& [id, one] : all_)
      if (one.x && one.x->state().leading && one.x->replica().get_proposer().settled())
        return id;
    return std::nullopt;
  }

  [[nodiscard]] voter& at(voter_id id) { return *all_.at(id).x; }

  /// The leader's answer now.
  nlohmann::json ask(change_voters what) {
    REQUIRE(until([this] { return leader().has_value(); }));
    what.id = ++questions_;
    at(*leader()).step(now, operator_node, what);
    settle();
    REQUIRE(answers_.count(what.id) == 1);
    return nlohmann::json::parse(answers_.at(what.id));
  }

  /// Asks until it is done or refused; the last answer.
  nlohmann::json change(const change_voters& what, duration within = 20s) {
    nlohmann::json last;
    (void)until(
      [&] {
        last = ask(what);
        return last["state"] != "waiting";
      },
      within);
    return last;
  }

  [[nodiscard]] std::string names() {
    std::string result;
    for (const auto& who : at(*leader()).replica().get_learner().voters().members)
      result += who.name;
    return result;
  }

  /// Something is decided.
  bool commit() {
    if (!until([this] { return leader().has_value(); }))
      return false;
    const auto first = leader();
    registry::open_session what;
    what.node = node_id{1000 + ++sessions_};
    what.name = "n" + std::to_string(sessions_);
    const auto before = at(*first).replica().get_learner().last_index();
    at(*first).step(now, what.node, submit{{encode(registry::command{what})}});
    return until([&] {
      const auto l = leader();
      return l && at(*l).replica().get_learner().last_index() > before;
    });
  }

  static std::string address(voter_id id) { return "10.0.0." + std::to_string(id.value) + ":4800"; }

  time_point now{1h};
  paxos::limits bounds;

private:
  struct one {
    std::string name;
    std::unique_ptr<storage::memory_store> store;
    std::vector<paxos::write> writing;
    std::optional<voter> x;
  };

  static constexpr node_id operator_node{500};

  [[nodiscard]] std::vector<voter_id> voters_now() const {
    std::vector<voter_id> result;
    const auto l = leader();
    const auto& voters = l ? all_.at(*l).x->replica().get_learner().voters() : initial_;
    for (const auto& who : voters.members)
      result.push_back(who.id);
    return result;
  }

  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& [id, x] : all_)
        if (x.x)
          busy = pump(id, x) || busy;
    }
  }

  bool pump(voter_id id, one& from) {
    auto out = from.x->take_output();
    bool busy = !out.send.empty() || !out.to_nodes.empty() || !out.to_voters.empty();
    for (auto& what : out.writes)
      from.writing.push_back(std::move(what));
    if (!from.writing.empty() && held_.count(id) == 0) {
      busy = true;
      REQUIRE(from.store->append(from.writing).ok());
      from.x->persisted(now, from.writing.back().id);
      from.writing.clear();
    }
    for (auto& y : out.send)
      for (auto to : y.to)
        if (auto i = all_.find(to); i != all_.end() && i->second.x)
          i->second.x->step(now, paxos::envelope{id, to, y.to_role, y.what});
    for (auto& y : out.to_voters)
      if (auto i = all_.find(y.voter); i != all_.end() && i->second.x)
        i->second.x->step(now, node_id{id.value + 100}, y.what);
    for (auto& y : out.to_nodes)
      if (auto* answer = std::get_if<read_answer>(&y.what); answer && y.node == operator_node)
        answers_[answer->id] = answer->json;
    return busy;
  }

  paxos::configuration initial_;
  std::map<voter_id, one> all_;
  std::set<voter_id> held_;
  std::map<std::uint64_t, std::string> answers_;
  std::uint64_t questions_ = 0;
  std::uint64_t sessions_ = 0;
  std::uint64_t starts_ = 0;
};

} // namespace paxtor::cluster::test
