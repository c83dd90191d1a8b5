#include <csignal>

#include <doctest/doctest.h>

#include "test/cluster/support.hpp"

using namespace paxtor::test;

TEST_CASE("cluster: three nodes form, tell what they are, and leave") {
  three_nodes nodes;
  CHECK(nodes.ready("a")["role"] == "voter");
  CHECK(nodes.ready("b")["name"] == "b");
  CHECK(contains(nodes.voters(), "c=" + nodes.ready("c")["address"].get<std::string>()));
  const auto members = nodes.run("members", {"--json"});
  REQUIRE(members.status == 0);
  const auto listed = members.json();
  words names;
  for (const auto& member : listed["members"])
    names.push_back(member["node"]);
  std::sort(names.begin(), names.end());
  CHECK(names == words{"a", "b", "c"});
  const auto status = nodes.run("status", {"--json"});
  CHECK(status.json()["members"] == 3);
  const auto leader = status.json()["leader"].get<std::string>();
  CHECK((leader == "a" || leader == "b" || leader == "c"));
  const auto client = nodes.start("node", {"--name", "guest", "--json"});
  CHECK(client->read_json(10s).value_or(nullptr)["role"] == "client");
  client->signal(SIGTERM);
  CHECK(client->wait(5s) == 0);
  CHECK(nodes.run("status", {"--json"}).json()["members"] == 3);
  for (const auto* name : {"a", "b", "c"}) {
    nodes.node(name).signal(SIGTERM);
    CHECK(nodes.node(name).wait(8s) == 0);
  }
}

TEST_CASE(
  "cluster: the leader is killed: locks are granted again within 1 s, and nobody is fenced") {
  three_nodes nodes{"3s"};
  const auto client = nodes.client("client");
  client->write_json({{"op", "hold"}, {"id", 1}, {"key", "kept"}});
  const auto kept = answer(*client, 1, 5s);
  REQUIRE(kept.contains("token"));
  const auto leader = nodes.leader();
  const auto start = clock::now();
  nodes.node(leader).kill_now();
  client->write_json({{"op", "hold"}, {"id", 2}, {"key", "next"}});
  const auto next = answer(*client, 2, 10s);
  CHECK(next.contains("token"));
  CHECK(seconds_since(start) <= 1.0);
  // Longer than its lease: if it was to be fenced it has been.
  CHECK(answer(*client, 1, 4s).is_null());
  const auto why = nodes.run("why", {"kept", "--json"}).json();
  CHECK(why["holder"]["token"] == kept["token"]);
}

TEST_CASE("cluster: a minority grants nothing, and stops its owners before their lease ends") {
  three_nodes nodes;
  const auto holder = nodes.start("lock", {"k", "--", "sh", "-c", "echo $$; exec sleep 1000"});
  const auto command = holder->read_line(10s);
  REQUIRE(command);
  const auto waiter = nodes.start("lock", {"k", "--timeout", "2s", "--", "true"});
  REQUIRE(eventually(10s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 1;
  }));
  const auto start = clock::now();
  nodes.node("a").signal(SIGSTOP);
  nodes.node("b").signal(SIGSTOP);
  CHECK(eventually(5s, [&] { return !alive(std::stoi(*command)); }));
  // The ttl is 1 s, and the last renewal was answered before the cut.
  CHECK(seconds_since(start) <= 1.0);
  CHECK(holder->wait(15s) == 76);
  CHECK(contains(holder->read_errors(1s), "lost the lock"));
  const auto waited = waiter->wait(15s);
  CHECK((waited == 75 || waited == 76));
  const auto join = nodes.run("lock", {"--join-timeout", "1s", "k", "--", "true"});
  CHECK(join.status == 69);
  CHECK(contains(join.err, "cannot join"));
  nodes.node("a").signal(SIGCONT);
  nodes.node("b").signal(SIGCONT);
  // Thawed nodes that hosted nothing go on.
  CHECK(eventually(15s, [&] {
    return nodes.run("lock", {"--try", "k", "--", "true"}).status == 0;
  }));
}

TEST_CASE("cluster: the host of a singleton is killed, and it lives on elsewhere") {
  three_nodes nodes;
  const auto first = nodes.run("whereis", {"apple", "--json"}).json();
  const auto host = first["node"].get<std::string>();
  CHECK(nodes.run("whereis", {"apple", "--type", "counter", "--json"}).json() == first);
  const auto client = nodes.client("client");
  for (int i = 1; i <= 3; ++i) {
    client->write_json({{"op", "increment"}, {"id", i}, {"name", "apple"}});
    const auto counted = answer(*client, i, 5s);
    CHECK(counted["value"] == i);
    CHECK(counted["node"] == host);
  }
  nodes.node(host).kill_now();
  client->write_json({{"op", "increment"}, {"id", 4}, {"name", "apple"}});
  const auto counted = answer(*client, 4, 10s);
  REQUIRE(counted.contains("value"));
  CHECK(counted["value"] == 1);
  CHECK(counted["node"] != host);
  const auto second = nodes.run("whereis", {"apple", "--json"}).json();
  CHECK(second["node"] == counted["node"]);
  CHECK(second["token"].get<long>() > first["token"].get<long>());
}

TEST_CASE("cluster: a host that leaves gives its singletons up at once") {
  three_nodes nodes{"10s"};
  const auto host = nodes.run("whereis", {"apple", "--json"}).json()["node"].get<std::string>();
  const auto client = nodes.client("client");
  nodes.node(host).signal(SIGTERM);
  CHECK(nodes.node(host).wait(8s) == 0);
  client->write_json({{"op", "increment"}, {"id", 1}, {"name", "apple"}});
  const auto counted = answer(*client, 1, 5s);
  REQUIRE(counted.contains("value"));
  CHECK(counted["value"] == 1);
  CHECK(counted["node"] != host);
}

TEST_CASE("cluster: an entry is put once") {
  three_nodes nodes;
  CHECK(nodes.run("get", {"settings", "region"}).status == 1);
  CHECK(nodes.run("put", {"settings", "region", R"({"primary": "eu-1"})"}).out
        == "{\"primary\":\"eu-1\"}\n");
  const auto again = nodes.run("put", {"settings", "region", "us-2"});
  CHECK(again.status == 1);
  CHECK(again.out == "{\"primary\":\"eu-1\"}\n");
  CHECK(nodes.run("put", {"settings", "region", R"({"primary":"eu-1"})"}).status == 0);
  const auto got = nodes.run("get", {"settings", "region", "--json"});
  CHECK(got.status == 0);
  CHECK(got.json()["value"]["primary"] == "eu-1");
  CHECK(nodes.run("get", {"other", "region"}).status == 1);
}

TEST_CASE("cluster: why tells who holds a lock and who waits") {
  three_nodes nodes;
  CHECK(contains(nodes.run("why", {"k"}).out, "\"k\" is free."));
  const auto holder = nodes.client("holder");
  holder->write_json({{"op", "hold"}, {"id", 1}, {"key", "k"}});
  REQUIRE(answer(*holder, 1, 5s).contains("token"));
  for (int i = 2; i <= 4; ++i)
    holder->write_json({{"op", "hold"}, {"id", i}, {"key", "k"}});
  REQUIRE(eventually(5s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 3;
  }));
  const auto text = nodes.run("why", {"k"}).out;
  CHECK(contains(text, "is held by actor"));
  CHECK(contains(text, "of node holder"));
  CHECK(contains(text, "3 wait:"));
}
