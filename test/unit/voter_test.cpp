#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "libpaxtor/cluster/agent.hpp"
#include "libpaxtor/cluster/voter.hpp"
#include "libpaxtor/storage/memory_store.hpp"

namespace paxtor::cluster {

using namespace std::chrono_literals;

namespace {

/// Whole voters and agents, joined by links that deliver at once unless cut. Every write is durable
/// at once. The driver relays nothing: agents find the leader by hints.
class cluster {
public:
  cluster(std::size_t voters, std::size_t agents) {
    for (std::size_t i = 1; i <= voters; ++i)
      members_.members.push_back({voter_id{i}, "v" + std::to_string(i)});
    for (auto& x : members_.members) {
      stores_.emplace(x.id, std::make_unique<storage::memory_store>(x.id));
      start(x.id);
    }
    for (std::size_t i = 0; i < agents; ++i) {
      node_info info;
      info.id = node_id{100 + i};
      info.name = "n" + std::to_string(i);
      std::vector<voter_id> ids;
      for (auto& x : members_.members)
        ids.push_back(x.id);
      agents_.emplace(info.id, agent{info, {}, ids, generator{i + 1}, now});
    }
  }

  void start(voter_id id) {
    auto state = stores_.at(id)->load().state;
    voters_.erase(id);
    voters_.emplace(id,
                    voter{state, members_, timing_for(3s), {}, {}, generator{id.value * 7}, now});
  }

  void kill(voter_id id) {
    voters_.erase(id);
    for (auto& [node, x] : agents_)
      x.link_down(now, id);
  }

  void run(duration by) {
    for (auto end = now + by; now < end; now += 5ms) {
      for (auto& [id, x] : voters_)
        x.tick(now);
      for (auto& [id, x] : agents_)
        x.tick(now);
      settle();
    }
  }

  bool until(const std::function<bool()>& done, duration within = 10s) {
    for (auto end = now + within; now < end && !done();)
      run(5ms);
    return done();
  }

  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& [id, x] : voters_)
        busy = pump(id, x) || busy;
      for (auto& [id, x] : agents_)
        busy = pump(id, x) || busy;
    }
  }

  std::optional<voter_id> leader() const {
    for (auto& [id, x] : voters_)
      if (x.state().leading)
        return id;
    return std::nullopt;
  }

  agent& at(std::size_t i) { return agents_.at(node_id{100 + i}); }

  const voter& get(voter_id id) const { return voters_.at(id); }

  template <class T>
  std::vector<T> heard(std::size_t i) {
    std::vector<T> result;
    for (auto& x : notices_[node_id{100 + i}])
      if (auto* y = std::get_if<T>(&x))
        result.push_back(*y);
    return result;
  }

  std::vector<granted> grants(std::size_t i) {
    std::vector<granted> result;
    for (auto& x : heard<completion>(i))
      if (auto* y = std::get_if<granted>(&x))
        result.push_back(*y);
    return result;
  }

  time_point now{1h};
  /// Nodes that reach nobody.
  std::map<node_id, bool> cut;

private:
  bool pump(voter_id id, voter& x) {
    auto out = x.take_output();
    bool busy = !out.send.empty() || !out.to_nodes.empty() || !out.writes.empty();
    if (!out.writes.empty()) {
      REQUIRE(stores_.at(id)->append(out.writes).ok());
      x.persisted(now, out.writes.back().id);
    }
    for (auto& y : out.send)
      for (auto to : y.to)
        if (auto i = voters_.find(to); i != voters_.end())
          i->second.step(now, paxos::envelope{id, to, y.to_role, y.what});
    for (auto& y : out.to_nodes)
      if (auto i = agents_.find(y.node); i != agents_.end() && !cut[y.node])
        i->second.step(now, id, y.what);
    return busy;
  }

  bool pump(node_id id, agent& x) {
    auto out = x.take_output();
    bool busy = !out.send.empty() || !out.notices.empty();
    for (auto& y : out.notices)
      notices_[id].push_back(std::move(y));
    for (auto& y : out.send)
      if (auto i = voters_.find(y.voter); i != voters_.end() && !cut[id])
        i->second.step(now, id, std::move(y.what));
    return busy;
  }

  paxos::configuration members_;
  std::map<voter_id, std::unique_ptr<storage::memory_store>> stores_;
  std::map<voter_id, voter> voters_;
  std::map<node_id, agent> agents_;
  std::map<node_id, std::vector<notice>> notices_;
};

std::vector<term> key(const char* text) {
  return {term::from_canonical('"' + std::string{text} + '"')};
}

} // namespace

TEST_CASE("a voter alone serves a node") {
  cluster x{1, 1};
  REQUIRE(x.until([&] { return x.at(0).session().valid(); }));
  x.at(0).acquire(x.now, local_actor_id{1}, key("k"), {});
  x.settle();
  REQUIRE(x.grants(0).size() == 1);
  x.at(0).leave(x.now);
  x.at(0).owner_exited(x.now, local_actor_id{1}, "done");
  REQUIRE(x.until([&] { return x.heard<session_left>(0).size() == 1; }));
  CHECK(x.get(voter_id{1}).machine().nothing_left());
}

TEST_CASE("three voters: locks pass from node to node, and sessions stay open") {
  cluster x{3, 3};
  REQUIRE(x.until([&] {
    return x.at(0).session().valid() && x.at(1).session().valid() && x.at(2).session().valid();
  }));
  for (std::size_t i = 0; i < 3; ++i) {
    x.at(i).acquire(x.now, local_actor_id{1}, key("k"), {});
    x.settle();
  }
  CHECK(x.grants(0).size() == 1);
  x.run(10s);
  CHECK(x.grants(1).empty());
  x.at(0).owner_exited(x.now, local_actor_id{1}, "done");
  REQUIRE(x.until([&] { return x.grants(1).size() == 1; }));
  x.at(1).owner_exited(x.now, local_actor_id{1}, "done");
  REQUIRE(x.until([&] { return x.grants(2).size() == 1; }));
  CHECK(x.grants(0)[0].grant < x.grants(1)[0].grant);
  CHECK(x.grants(1)[0].grant < x.grants(2)[0].grant);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(x.heard<session_down>(i).empty());
}

TEST_CASE("the leader is killed: locks are granted again within 1 s, and nobody is fenced") {
  cluster x{3, 2};
  REQUIRE(x.until([&] { return x.at(0).session().valid() && x.at(1).session().valid(); }));
  x.at(0).acquire(x.now, local_actor_id{1}, key("k"), {});
  x.settle();
  REQUIRE(x.grants(0).size() == 1);
  x.kill(*x.leader());
  auto since = x.now;
  x.at(1).acquire(x.now, local_actor_id{1}, key("other"), {});
  REQUIRE(x.until([&] { return x.grants(1).size() == 1; }));
  CHECK(x.now - since <= 1s);
  x.run(5s);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(x.heard<fence>(i).empty());
    CHECK(x.heard<session_down>(i).empty());
  }
}

TEST_CASE("a silent node's locks pass on after its lease, and it was fenced before") {
  cluster x{3, 2};
  REQUIRE(x.until([&] { return x.at(0).session().valid() && x.at(1).session().valid(); }));
  x.at(0).acquire(x.now, local_actor_id{1}, key("k"), {});
  x.settle();
  x.at(1).acquire(x.now, local_actor_id{1}, key("k"), {});
  x.settle();
  auto since = x.now;
  x.cut[node_id{100}] = true;
  REQUIRE(x.until([&] { return !x.heard<fence>(0).empty(); }));
  CHECK(x.grants(1).empty());
  auto end = x.at(0).lease().lease_end;
  REQUIRE(x.until([&] { return x.grants(1).size() == 1; }));
  CHECK(x.now > end);
  CHECK(x.now - since <= 3500ms);
  // It comes back with a new session once its owner has ended.
  x.at(0).owner_exited(x.now, local_actor_id{1}, "killed");
  x.cut[node_id{100}] = false;
  REQUIRE(x.until([&] { return x.at(0).session().valid(); }));
  CHECK(x.heard<session_up>(0).size() == 2);
}

TEST_CASE("a voter that was restarted on its store catches up to the same registry") {
  cluster x{3, 1};
  REQUIRE(x.until([&] { return x.at(0).session().valid(); }));
  auto leader = *x.leader();
  voter_id other{leader == voter_id{1} ? 2U : 1U};
  x.kill(other);
  for (std::uint64_t i = 1; i <= 50; ++i) {
    x.at(0).acquire(x.now, local_actor_id{i}, {term::from_canonical(std::to_string(i))}, {});
    x.run(5ms);
  }
  REQUIRE(x.until([&] { return x.grants(0).size() == 50; }));
  x.start(other);
  REQUIRE(x.until(
    [&] { return x.get(other).machine().image() == x.get(*x.leader()).machine().image(); }));
  x.get(other).machine().check_all();
}

TEST_CASE("questions are answered through the leader, with what it knows of silence") {
  cluster x{3, 1};
  REQUIRE(x.until([&] { return x.at(0).session().valid(); }));
  auto id = x.at(0).ask(x.now, registry::query_members{}, std::nullopt);
  std::string json;
  REQUIRE(x.until([&] {
    for (auto& y : x.heard<completion>(0))
      if (auto* z = std::get_if<replied>(&y); z != nullptr && z->id == id)
        json = z->json;
    return !json.empty();
  }));
  CHECK(json.find("\"n0\"") != std::string::npos);
}

} // namespace paxtor::cluster
