/// What others paid for, and what is easily got wrong: each a test of its own. README.md says whose
/// lesson it is, and where those are that need threads or processes.

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "test/lessons/told.hpp"

using namespace std::chrono_literals;
using namespace paxtor;
using namespace paxtor::lessons;

TEST_CASE("lesson: nobody is granted a lock on a session that is dead") {
  // etcd's Campaign can return leadership on a session that has expired meanwhile.
  scene all;
  all.lock("x", 1, "apple");
  all.lock("y", 1, "apple");
  REQUIRE(all.told("x: a1 owns"));
  all.silence("y");
  all.run(4s);
  REQUIRE(all.told("expire_session y"));
  // The key comes free while y's session is over, and nobody gets it.
  all.on.exit("x", local_actor_id{1});
  all.run(100ms);
  REQUIRE(all.told("owner_exited x/a1"));
  CHECK(!all.told("y: a1 owns"));
  CHECK(all.holder("apple").empty());
  // y comes back and asks again by itself, in its new session, whose lease is good.
  all.on.heal();
  all.run(1s);
  REQUIRE(all.told("y: a1 owns"));
  CHECK(all.holder("apple") == "y");
  CHECK(all.lease_left("y") > 2s);
}

TEST_CASE("lesson: who loses a lock knows it before the next owner has it") {
  // Consul's holder can notice minutes later.
  scene all;
  all.lock("x", 1, "apple");
  all.lock("y", 1, "apple");
  all.silence("x");
  all.run(4s);
  CHECK(all.in_this_order({"x: F1 stops a1", "x: a1 is stopped", "y: a1 owns"}));
}

TEST_CASE("lesson: a new leader gives a dead node one ttl more, and a live one no end") {
  // etcd's leader change starts all leases anew: with changes that go on, a dead owner never ends.
  scene all;
  all.lock("x", 1, "apple");
  all.lock("y", 1, "apple");
  all.on.crash("x");
  all.run(2800ms);
  CHECK(!all.told("y: a1 owns"));
  all.on.crash(all.on.leader());
  const auto killed = all.on.now();
  REQUIRE(all.run_until("leads, ballot 2", 1s));
  const auto led = all.on.now() - killed;
  // An election, and no more than ttl * (1 + rho) and some ticks.
  REQUIRE(all.run_until("y: a1 owns", 3s + 30ms + 100ms));
  CHECK(led < 600ms);
  CHECK(!all.told("y: F1"));
}

TEST_CASE("lesson: a leader whose disk stalls takes no live lease") {
  // An old etcd leader with a slow disk revoked leases that were alive.
  scene all;
  all.lock("x", 1, "apple");
  const auto slow = all.on.leader();
  all.on.slow_disk(slow, 20s);
  // Writes that wait for this disk, all the time.
  for (std::uint64_t i = 2; i < 12; ++i) {
    all.lock("y", i, "k" + std::to_string(i));
    all.run(1s);
  }
  CHECK(all.on.leader() == slow);
  CHECK(all.told("y: a11 owns"));
  CHECK(!all.told("expire_session"));
  CHECK(!all.told("F1"));
  CHECK(all.holder("apple") == "x");
}

TEST_CASE("lesson: disks that all stall cost no lease either") {
  scene all;
  all.lock("x", 1, "apple");
  for (const auto* voter : {"a", "b", "c"})
    all.on.slow_disk(voter, 20s);
  all.lock("y", 1, "pear");
  all.run(10s);
  // Nothing can be decided; what is held is held on.
  CHECK(!all.told("y: a1 owns"));
  CHECK(!all.told("F1"));
  CHECK(all.lease_left("x") > 2s);
  all.run(31s);
  CHECK(all.told("y: a1 owns"));
  CHECK(!all.told("expire_session"));
}

TEST_CASE("lesson: a client that retries never waits on itself") {
  // ZooKeeper's clients wait on the node that their own lost connection has left behind.
  scene all;
  const auto first = all.on.leader();
  // The answer is lost, and the leader with it: x asks again.
  all.on.hold(first, "x", {});
  all.lock("x", 1, "apple");
  all.run(50ms);
  REQUIRE(all.told("acquire x/a1"));
  REQUIRE(!all.told("x: a1 owns"));
  all.on.crash(first);
  all.on.lose_held();
  REQUIRE(all.run_until("x: a1 owns", 2s));
  CHECK(all.on.registry_of_leader().ask(registry::query_counts{}, {}).find("\"waiters\":0")
        != std::string::npos);
  // Neither does an actor that asks again for what it has,
  all.lock("x", 1, "apple");
  all.run(50ms);
  CHECK(all.times("x: a1 owns") == 2);
  // nor a node that lost its session while it waited: its old place is gone before it asks anew.
  all.lock("y", 2, "apple");
  for (const auto* voter : {"a", "b", "c"}) {
    all.on.cut("y", voter);
    all.on.cut(voter, "y");
  }
  all.run(4s);
  all.on.heal();
  all.run(1s);
  all.on.exit("x", local_actor_id{1});
  REQUIRE(all.run_until("y: a2 owns", 1s));
  all.on.exit("y", local_actor_id{2});
  all.run(100ms);
  CHECK(all.holder("apple").empty());
}

TEST_CASE("lesson: nothing is kept of a key that was once locked") {
  // Hazelcast keeps every lock's name for ever.
  scene all;
  // The window of the session's last command is there before and after.
  all.lock("x", 1, "first");
  all.on.exit("x", local_actor_id{1});
  all.run(100ms);
  const auto before = all.on.registry_of_leader().image().size();
  for (std::uint64_t i = 2; i < 2000; ++i) {
    all.lock("x", i, "a key with a name of its own, number " + std::to_string(i));
    all.on.exit("x", local_actor_id{i});
    all.run(2ms);
  }
  all.run(1s);
  REQUIRE(all.told("owner_exited x/a1999"));
  // Numbers have grown by a byte or two each; two thousand names would be a hundred kilobytes.
  CHECK(all.on.registry_of_leader().image().size() < before + 64);
}

TEST_CASE("lesson: who ends while nobody leads has ended for the next leader") {
  // Ra must rebuild its monitors at each change of leader.
  scene all;
  all.lock("x", 1, "apple");
  all.lock("y", 1, "apple");
  all.on.crash(all.on.leader());
  all.on.exit("x", local_actor_id{1});
  CHECK(all.run_until("y: a1 owns", 1s));
  CHECK(!all.told("expire_session"));
}

TEST_CASE("lesson: a waiter that dies is skipped, and who asked is told") {
  scene all;
  all.lock("x", 1, "apple");
  all.lock("y", 1, "apple");
  all.lock("z", 1, "apple");
  all.lock("y", 2, "apple");
  // One by itself, one with its node.
  all.on.exit("y", local_actor_id{1});
  all.on.crash("z");
  all.run(50ms);
  CHECK(all.told("y: refused, owner gone"));
  all.run(4s);
  REQUIRE(all.told("expire_session z"));
  all.on.exit("x", local_actor_id{1});
  CHECK(all.run_until("y: a2 owns", 100ms));
}

TEST_CASE("lesson: a leader that was paused frees nothing when it goes on") {
  scene all;
  all.lock("x", 1, "apple");
  all.lock("y", 1, "apple");
  const auto old = all.on.leader();
  all.on.pause(old);
  all.run(10s);
  REQUIRE(all.told("leads, ballot 2"));
  // To its own clock everybody has been silent for ten seconds.
  all.on.thaw(old);
  all.run(2s);
  CHECK(all.told(old + " leads no more"));
  CHECK(!all.told("expire_session"));
  CHECK(!all.told("F1"));
  CHECK(all.holder("apple") == "x");
}

TEST_CASE("lesson: a handler that never returns ends its process before the lock is granted anew") {
  scene all;
  all.lock("x", 1, "apple");
  all.lock("y", 1, "apple");
  all.on.make_stubborn("x", local_actor_id{1});
  all.silence("x");
  all.run(4s);
  CHECK(
    all.in_this_order({"x: F1 stops a1", "x: F2 the watchdog ends", "x crashes", "y: a1 owns"}));
}

TEST_CASE("lesson: a hundred thousand locks of a dead node are freed by one entry") {
  // etcd revokes a thousand leases in a second.
  constexpr std::uint64_t many = 100'000;
  registry::machine all;
  paxtor::index at{0};
  const auto apply = [&](const registry::command& what) {
    registry::outcome out;
    all.apply(at = at.next(), what, out);
    return out;
  };
  const auto join = [&](std::uint64_t node, const char* name) {
    registry::open_session what;
    what.node = node_id{node};
    what.name = name;
    return apply(what).answers.front().what.opened;
  };
  registry::outcome reign;
  all.begin_reign(at = at.next(), ballot{1, voter_id{1}}, reign);
  const auto dead = join(1, "x");
  const auto heir = join(2, "y");
  for (const auto session : {dead, heir})
    for (std::uint64_t i = 1; i <= many; ++i) {
      registry::acquire what;
      what.from = {session, seq{i}, seq{i}};
      what.actor = local_actor_id{i};
      what.keys = {term::from_canonical(std::to_string(i))};
      REQUIRE(apply(what).answers.front().what.code
              == (session == dead ? registry::status::granted : registry::status::queued));
    }
  const auto out = apply(registry::expire_session{dead, ballot{1, voter_id{1}}});
  // S5: this entry, and no other: its index is the token of every heir.
  std::uint64_t granted = 0;
  for (const auto& part : out.effects)
    for (const auto& what : part.effects)
      if (const auto* lock = std::get_if<registry::lock_granted>(&what))
        granted += lock->grant.value == at.value && part.session == heir ? 1 : 0;
  CHECK(granted == many);
  all.check_all();
}
