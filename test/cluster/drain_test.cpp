// Nodes that are stopped on purpose: `paxtor drain`, and a rolling restart under load.

#include <csignal>
#include <set>

#include <doctest/doctest.h>

#include "test/cluster/kept_nodes.hpp"

using namespace paxtor::test;

namespace {

/// Where a singleton lives; starts it if needed. {"node","token",...}
nlohmann::json whereis(const three_nodes& nodes, const std::string& name) {
  return nodes.run("whereis", {name, "--type", "counter", "--json"}).json();
}

nlohmann::json member(const nlohmann::json& members, const std::string& node) {
  for (const auto& one : members["members"])
    if (one["node"] == node)
      return one;
  return nullptr;
}

/// Where each of the singletons n0, n1, .. lives, and since which token.
std::map<std::string, nlohmann::json> homes(const kept_nodes& nodes, std::size_t count) {
  std::map<std::string, nlohmann::json> result;
  for (std::size_t i = 0; i < count; ++i) {
    const auto name = "n" + std::to_string(i);
    const auto found = nodes.run("whereis", {name, "--type", "counter", "--json"}).json();
    REQUIRE(found.is_object());
    result[name] = {{"node", found["node"]}, {"token", found["token"]}};
  }
  return result;
}

/// A client that takes and gives back locks, one after the other.
class worker {
public:
  worker(const kept_nodes& nodes, int number)
      : node_(nodes.client("worker" + std::to_string(number))), number_(number) {
    order("hold");
  }

  /// Goes on if the answer is there.
  void step() {
    while (const auto line = node_->read_json(0ms)) {
      if (line->value("id", -1) != round_)
        continue; // The end of an earlier owner.
      if (line->contains("token")) {
        tokens.push_back((*line)["token"].get<long>());
        longest_us = std::max(longest_us, (*line)["us"].get<long>());
        order("release");
        ++round_;
        order("hold");
      } else {
        problems.push_back(line->dump());
      }
    }
  }

  std::vector<long> tokens;
  words problems;
  long longest_us = 0;

private:
  void order(const std::string& op) {
    // Two workers share each key.
    node_->write_json({{"op", op}, {"id", round_}, {"key", "work/" + std::to_string(number_ / 2)}});
  }

  std::unique_ptr<process> node_;
  int number_;
  int round_ = 1;
};

} // namespace

TEST_CASE("drain: nothing is left on the node, and what lived there lives elsewhere") {
  three_nodes nodes;
  const auto client = nodes.client("client");
  std::map<std::string, std::string> before;
  std::set<std::string> used;
  for (int i = 0; i < 12; ++i) {
    const auto name = "n" + std::to_string(i);
    before[name] = whereis(nodes, name)["node"];
    used.insert(before[name]);
  }
  const auto node = before["n0"];
  const auto drained = nodes.run("drain", {node});
  INFO(drained.err);
  CHECK(drained.status == 0);
  CHECK(contains(drained.out, "hosts no singleton"));
  CHECK(contains(drained.err, "n0 (counter) moves to "));
  const auto members = nodes.run("members", {"--json"}).json();
  CHECK(member(members, node)["drained"] == true);
  CHECK(member(members, node)["singletons"] == 0);
  CHECK(contains(nodes.run("members", {}).out, "(drained)"));
  for (const auto& [name, home] : before) {
    const auto now = whereis(nodes, name)["node"];
    if (home == node)
      CHECK(now != node);
    else
      CHECK(now == home);
  }
  // It gets none, until that is taken back.
  for (int i = 20; i < 32; ++i)
    CHECK(whereis(nodes, "n" + std::to_string(i))["node"] != node);
  const auto undone = nodes.run("drain", {node, "--undo", "--json"});
  CHECK(undone.status == 0);
  CHECK(undone.json()["drained"] == false);
  std::set<std::string> homes;
  for (int i = 40; i < 70 && homes.count(node) == 0; ++i)
    homes.insert(whereis(nodes, "n" + std::to_string(i))["node"]);
  CHECK(homes.count(node) == 1);
}

TEST_CASE("drain: increments go on through it, and none is lost or refused") {
  three_nodes nodes;
  const auto client = nodes.client("client");
  int id = 0;
  const auto increment = [&] {
    client->write_json({{"op", "increment"}, {"id", ++id}, {"name", "apple"}});
  };
  increment();
  const auto first = answer(*client, 1, 15s);
  REQUIRE(first.contains("node"));
  const auto node = first["node"].get<std::string>();
  const auto draining = nodes.start("drain", {node, "--json"});
  std::vector<nlohmann::json> all{first};
  std::optional<int> status;
  bool moved = false;
  for (int i = 0; i < 4000 && !(status && moved); ++i) {
    increment();
    all.push_back(answer(*client, id, 15s));
    INFO(all.back().dump());
    REQUIRE(all.back().contains("value"));
    moved = all.back()["node"] != node;
    if (!status)
      status = draining->wait(0ms);
  }
  CHECK(status == 0);
  CHECK(moved);
  // One after the other: each life counts from one, without a gap.
  int lives = 0;
  long before = 0;
  for (const auto& one : all) {
    const auto value = one["value"].get<long>();
    if (value == 1)
      ++lives;
    else
      CHECK(value == before + 1);
    before = value;
  }
  CHECK(lives == 2);
}

TEST_CASE("drain: what can go wrong is said") {
  three_nodes nodes;
  const auto unknown = nodes.run("drain", {"nobody"});
  CHECK(unknown.status != 0);
  CHECK(contains(unknown.err, "no node named nobody is in the cluster"));
  CHECK(contains(unknown.err, "paxtor members"));
  CHECK(nodes.run("drain", {}).status == 64);
  CHECK(nodes.run("drain", {"a", "--timeout", "soon"}).status == 64);
  REQUIRE(whereis(nodes, "apple").is_object());
  CHECK(nodes.run("drain", {"a"}).status == 0);
  CHECK(nodes.run("drain", {"b"}).status == 0);
  // The last one keeps what no other can host.
  const auto last = nodes.run("drain", {"c"});
  CHECK(last.status == 1);
  CHECK(contains(last.err, "apple (counter) stays on node c: no other node hosts the type"));
  const auto json = nodes.run("drain", {"c", "--json"});
  CHECK(json.status == 1);
  CHECK(json.json()["staying"] == 1);
  CHECK(json.json()["left"][0]["name"] == "apple");
  CHECK(whereis(nodes, "apple")["node"] == "c");
  const auto refused = nodes.run("whereis", {"pear", "--type", "counter"});
  CHECK(refused.status == 1);
  CHECK(contains(refused.err, "which is drained"));
}

TEST_CASE("rolling restart: what lives elsewhere is not touched, under load") {
  kept_nodes nodes;
  // This lock's owner stays up.
  const auto keeper = nodes.client("keeper");
  keeper->write_json({{"op", "hold"}, {"id", 1}, {"key", "vault"}});
  const auto kept = answer(*keeper, 1, 15s);
  REQUIRE(kept.contains("token"));
  std::vector<std::unique_ptr<worker>> workers;
  for (int i = 0; i < 4; ++i)
    workers.push_back(std::make_unique<worker>(nodes, i));
  const auto all_step = [&] {
    for (const auto& one : workers)
      one->step();
    return false;
  };
  const auto work = [&](milliseconds time) { (void)eventually(time, all_step); };
  const auto all_got_on = [&] {
    std::vector<std::size_t> before;
    for (const auto& one : workers)
      before.push_back(one->tokens.size());
    CHECK(eventually(15s, [&] {
      all_step();
      for (std::size_t i = 0; i < workers.size(); ++i)
        if (workers[i]->tokens.size() < before[i] + 5)
          return false;
      return true;
    }));
  };
  constexpr std::size_t singletons = 9;
  (void)homes(nodes, singletons);
  for (const auto& name : nodes.names) {
    all_got_on();
    const auto before = homes(nodes, singletons);
    const auto drained = nodes.run("drain", {name});
    INFO(drained.err);
    REQUIRE(drained.status == 0);
    const auto stopping = [&] {
      work(50ms);
      return nodes.running[name]->wait(0ms).has_value();
    };
    nodes.running[name]->signal(SIGTERM);
    REQUIRE(eventually(15s, stopping));
    // Without it the others go on.
    all_got_on();
    nodes.begin(name);
    nodes.wait_ready(name);
    all_got_on();
    // Only what lived there has moved.
    const auto after = homes(nodes, singletons);
    for (const auto& [which, home] : before) {
      if (home["node"] == name)
        CHECK(after.at(which)["token"] != home["token"]);
      else
        CHECK(after.at(which) == home);
    }
    const auto vault = nodes.run("why", {"vault", "--json"}).json()["holder"];
    REQUIRE(vault.is_object());
    CHECK(vault["token"] == kept["token"]);
  }
  // Its owner was not told of any end.
  keeper->write_json({{"op", "status"}, {"id", 2}});
  const auto status = answer(*keeper, 2, 10s);
  REQUIRE(status.is_object());
  CHECK(status["status"]["valid"] == true);
  CHECK(status["status"]["fences"] == 0);
  for (const auto& one : workers) {
    CHECK(one->problems == words{});
    for (std::size_t i = 1; i < one->tokens.size(); ++i)
      CHECK(one->tokens[i] > one->tokens[i - 1]);
    MESSAGE("a worker had " << one->tokens.size() << " grants, and waited at most "
                            << one->longest_us / 1000 << " ms for one");
  }
}
