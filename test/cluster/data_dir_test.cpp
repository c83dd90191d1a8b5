// Nodes with data directories: what survives kills, and what a restart proves.

#include <csignal>

#include <doctest/doctest.h>

#include "test/cluster/kept_nodes.hpp"

using namespace paxtor::test;

TEST_CASE(
  "data directory: all voters killed at once come back, with what was decided and who owns") {
  kept_nodes nodes;
  REQUIRE(nodes.run("put", {"cfg", "k", "\"first\""}).status == 0);
  // An owner that outlives the voters, well within its lease.
  const auto holder = nodes.mark.start(
    nodes.args("lock", {"kept", "--", "sh", "-c", "echo owns $PAXTOR_TOKEN; exec sleep 1000"}));
  const auto line = holder->read_line(10s).value_or("");
  REQUIRE(contains(line, "owns "));
  for (const auto& name : nodes.names)
    nodes.running[name]->signal(SIGKILL);
  for (const auto& name : nodes.names) {
    nodes.running[name]->kill_now();
    nodes.begin(name);
  }
  for (const auto& name : nodes.names)
    nodes.wait_ready(name);
  const auto entry = nodes.run("get", {"cfg", "k", "--json"});
  CHECK(contains(entry.out, "first"));
  // A put-once value stays the first.
  CHECK(contains(nodes.run("put", {"cfg", "k", "\"second\"", "--json"}).out, "first"));
  const auto holds = nodes.why("kept")["holder"];
  REQUIRE(holds.is_object());
  CHECK(line == "owns " + holds["token"].dump());
  CHECK(holder->running());
  holder->signal(SIGTERM);
  CHECK(holder->wait(10s) == 128 + SIGTERM);
  CHECK(nodes.why("kept")["state"] == "free");
}

TEST_CASE("data directory: a voter that is started again votes again") {
  kept_nodes nodes;
  REQUIRE(nodes.run("put", {"cfg", "k", "1"}).status == 0);
  nodes.running["a"]->kill_now();
  REQUIRE(nodes.run("put", {"cfg", "l", "2"}).status == 0);
  nodes.begin("a");
  nodes.wait_ready("a");
  // Now another may go: without a, there would be no majority.
  nodes.running["b"]->kill_now();
  REQUIRE(nodes.run("put", {"cfg", "m", "3"}).status == 0);
  CHECK(contains(nodes.run("get", {"cfg", "l", "--json"}).out, "2"));
}

TEST_CASE("data directory: a restarted node frees at once what its process before held") {
  // Without guardians: the directory is the only proof. The ttl is far away.
  kept_nodes nodes{{"--guardian", "off", "--ttl", "20s"}};
  const auto dir = nodes.files.file("client");
  const words client{"--name", "client", "--data-dir", dir, "--guardian", "off", "--ttl", "20s"};
  auto holder = nodes.mark.start(nodes.args("demo-node", client));
  REQUIRE(holder->read_json(10s).value_or(nullptr).value("ready", false));
  holder->write_json({{"op", "hold"}, {"id", 1}, {"key", "k"}});
  const auto held = answer(*holder, 1, 5s);
  REQUIRE(held.contains("token"));
  auto waiter = nodes.mark.start(
    nodes.args("demo-node", {"--name", "waiter", "--guardian", "off", "--ttl", "20s"}));
  REQUIRE(waiter->read_json(10s).value_or(nullptr).value("ready", false));
  waiter->write_json({{"op", "hold"}, {"id", 2}, {"key", "k"}});
  holder->kill_now();
  CHECK(answer(*waiter, 2, 700ms).is_null());
  const auto start = clock::now();
  holder = nodes.mark.start(nodes.args("demo-node", client));
  REQUIRE(holder->read_json(10s).value_or(nullptr).value("ready", false));
  const auto next = answer(*waiter, 2, 10s);
  REQUIRE(next.contains("token"));
  CHECK(next["token"].get<long>() > held["token"].get<long>());
  CHECK(seconds_since(start) < 5);
  const auto taken =
    nodes.run("why", {"k", "--json", "--ttl", "20s"}).json()["holder"]["taken_from"];
  REQUIRE(taken.is_object());
  CHECK(taken["reason"] == "store_reopened");
  CHECK(taken["node"] == "client");
}

TEST_CASE("data directory: one process at a time") {
  kept_nodes nodes;
  const auto second = nodes.mark.run(nodes.args(
    "node", {"--name", "a", "--data-dir", nodes.files.file("a"), "--join-timeout", "5s"}));
  CHECK(second.status == 69);
  CHECK(contains(second.err, "in use by process " + std::to_string(nodes.running["a"]->pid())));
  CHECK(contains(second.err, "give each node a directory of its own"));
  // It took nothing from the first.
  CHECK(nodes.run("put", {"cfg", "k", "1"}).status == 0);
}
