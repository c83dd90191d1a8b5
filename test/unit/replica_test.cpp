#include <doctest/doctest.h>

#include "test/unit/paxos_help.hpp"
#include "test/unit/paxos_net.hpp"

using namespace paxtor;
using namespace paxtor::paxos;
using paxtor::paxos::test::commit;
using paxtor::paxos::test::network;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using net = network<replica>;

std::size_t elect(net& x) {
  REQUIRE(x.run_until([&] { return x.leader().has_value(); }));
  return *x.leader();
}

} // namespace

TEST_CASE("three voters elect a leader, commit, and survive the leader's crash") {
  net x{1, 3};
  const auto first = elect(x);
  REQUIRE(x.propose(first, "one"));
  REQUIRE(x.run_until([&] { return x.all_have("one"); }));
  x.crash(first);
  REQUIRE(x.run_until([&] { return x.leader().has_value(); }, seconds{1}));
  const auto second = *x.leader();
  CHECK(second != first);
  REQUIRE(x.propose(second, "two"));
  REQUIRE(x.run_until([&] { return x.all_have("two"); }));
  x.start(first);
  REQUIRE(x.run_until([&] { return x.all_have("two") && net::has(x.at(first), "one"); }));
  CHECK(x.leader() == second);
}

TEST_CASE("a single voter decides alone") {
  net x{2, 1};
  const auto me = elect(x);
  commit(x, "one");
  x.confirm(me, 7);
  REQUIRE(x.run_until([&] { return !x.at(me).confirmed.empty(); }));
  CHECK(x.at(me).confirmed[0].id == 7);
}

TEST_CASE("a killed leader is replaced within a second, over many seeds") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    net x{seed, 3};
    (void)elect(x);
    commit(x, "one");
    x.crash(elect(x));
    const auto killed = x.now();
    commit(x, "two");
    CHECK(x.now() - killed < seconds{1});
  }
}

TEST_CASE("a minority decides nothing and its leader steps down") {
  net x{3, 3};
  const auto first = elect(x);
  commit(x, "one");
  for (std::size_t i = 0; i < 3; ++i) {
    if (i != first)
      x.cut(first, i);
  }
  REQUIRE(x.propose(first, "lost"));
  REQUIRE(x.run_until([&] { return !x.at(first).voter->state().leading; }, milliseconds{600}));
  const auto second = elect(x);
  CHECK(second != first);
  x.run(seconds{3});
  CHECK_FALSE(net::has(x.at(first), "lost"));
  const auto reign = x.at(second).voter->state().at;
  // It comes back without disturbing anybody.
  x.heal();
  x.run(seconds{2});
  CHECK(x.leader() == second);
  CHECK(x.at(second).voter->state().at == reign);
  commit(x, "three");
}

TEST_CASE("a voter that is cut from the leader alone disturbs nobody") {
  net x{4, 3};
  const auto first = elect(x);
  commit(x, "one");
  const auto reign = x.at(first).voter->state().at;
  x.cut(first, (first + 1) % 3);
  x.run(seconds{5});
  CHECK(x.leader() == first);
  CHECK(x.at(first).voter->state().at == reign);
  // And it still learns, from the voter that it reaches.
  commit(x, "two");
}

TEST_CASE("a leader that reaches no majority is replaced while a follower still hears it") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    net x{seed, 5};
    const auto leader = elect(x);
    commit(x, "one");
    // Only the hub reaches everybody; all other links are cut, the leader hears the hub alone.
    const auto hub = (leader + 1) % 5;
    for (std::size_t i = 0; i < 5; ++i) {
      for (std::size_t j = i + 1; j < 5; ++j) {
        if (i != hub && j != hub)
          x.cut(i, j);
      }
    }
    REQUIRE(x.run_until([&] { return x.at(hub).voter->state().leading; }, seconds{5}));
    commit(x, "two");
    const auto reign = x.at(hub).voter->state().at;
    x.run(seconds{5});
    CHECK(x.at(hub).voter->state().at == reign);
  }
}

TEST_CASE("a voter far behind catches up by snapshot, and logs stay bounded") {
  limits bounds;
  bounds.batch_entries = 2;
  bounds.snapshot_entries = 50;
  bounds.slots_kept = 10;
  bounds.chunk_bytes = 5;
  net x{5, 3, bounds};
  const auto leader = elect(x);
  const auto behind = (leader + 1) % 3;
  x.crash(behind);
  for (int i = 0; i < 400; ++i) {
    REQUIRE(x.propose(leader, std::to_string(i)));
    x.run(milliseconds{1});
  }
  REQUIRE(x.run_until([&] { return x.all_have("399"); }));
  CHECK(x.at(leader).voter->get_acceptor().slots_held() < 150);
  CHECK(x.at(leader).voter->get_learner().log_first().value > 200);
  x.start(behind);
  REQUIRE(x.run_until([&] { return x.at(behind).applied == x.at(leader).applied; }, seconds{5}));
  CHECK(x.at(behind).installs == 1);
  x.crash(behind);
  x.start(behind);
  commit(x, "after");
}

TEST_CASE("the membership changes through the log") {
  net x{6, 3};
  (void)elect(x);
  commit(x, "one");
  const auto leader = elect(x);
  const auto added = x.add({voter_id{200}, "d"});
  const auto gone = (leader + 1) % 3;
  const auto stays = (leader + 2) % 3;
  configuration next;
  for (std::size_t i : {leader, stays, added})
    next.members.push_back(x.at(i).who);
  REQUIRE(x.propose_entry(leader, entry{entry_kind::configure, encode(next)}));
  REQUIRE(x.run_until([&] { return x.at(added).voter->get_learner().voters() == next; }));
  x.crash(gone);
  x.crash(stays);
  // The leader and the new voter are a majority of the new configuration.
  commit(x, "two");
  x.start(gone);
  x.run(seconds{3});
  CHECK_FALSE(x.at(gone).voter->state().leading);
  x.start(stays);
  x.crash(leader);
  REQUIRE(x.run_until(
    [&] { return x.at(stays).voter->state().leading || x.at(added).voter->state().leading; }));
  commit(x, "three");
}

TEST_CASE("many entries share slots, writes and messages") {
  net x{7, 3};
  const auto leader = elect(x);
  commit(x, "one");
  const auto before = x.messages();
  const auto slots = x.at(leader).voter->get_learner().decided_upto().value;
  // All that is proposed between two turns of the driver shares a batch: here the window is full
  // meanwhile.
  for (int i = 0; i < 2000; ++i)
    REQUIRE(x.at(leader).voter->propose(x.now(), entry{entry_kind::command, "x"}));
  REQUIRE(x.run_until([&] { return x.at(leader).log.size() >= 2002; }));
  CHECK(x.at(leader).voter->get_learner().decided_upto().value - slots <= 3);
  CHECK(x.messages() - before < 40);
}

TEST_CASE("local, foreign and forged messages are dropped") {
  using namespace paxtor::paxos::test;
  replica x{blank(a), three(), {}, {}, generator{1}, start};
  x.step(start, {b, c, role::acceptor, prepare{at(1, b), slot{1}}});
  x.step(start, {a, a, role::acceptor, prepare{at(1, a), slot{1}}});
  x.step(start, {b, a, role::learner, observed{at(1, b), slot{1}}});
  x.step(start, {a, a, role::learner, observed{at(1, b), slot{1}}});
  x.step(start, {b, a, static_cast<role>(9), prepare{at(1, b), slot{1}}});
  x.step(start, {b, a, role::proposer, prepare{at(1, b), slot{1}}});
  CHECK(x.dropped() == 6);
  CHECK(x.take_output().send.empty());
}

TEST_CASE("one write a turn for all roles, answered once") {
  using namespace paxtor::paxos::test;
  replica x{blank(a), three(), {}, {}, generator{1}, start};
  x.step(start, {b, a, role::acceptor, prepare{at(1, b), slot{1}}});
  x.step(start, {b, a, role::acceptor, paxos::accept{at(1, b), slot{1}, value("x"), slot{}}});
  auto out = x.take_output();
  REQUIRE(out.writes.size() == 1);
  CHECK(out.send.empty());
  x.persisted(start, out.writes[0].id);
  out = x.take_output();
  CHECK(sent<promise>(out.send, b).size() == 1);
  CHECK(sent<accepted>(out.send, b).size() == 1);
  CHECK(out.writes.empty());
}
