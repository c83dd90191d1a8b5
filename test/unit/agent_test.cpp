#include "test/unit/agent_world.hpp"

namespace paxtor::cluster::agent_test {

namespace {

acquire_options strictly() {
  acquire_options result;
  result.kind = registry::ownership::strict;
  return result;
}

acquire_options before(time_point deadline) {
  acquire_options result;
  result.deadline = deadline;
  return result;
}

} // namespace

TEST_CASE("a node joins, locks, and its owner's exit frees the key") {
  world x{2};
  x.join_all();
  CHECK(x.notices<session_up>(0).size() == 1);
  CHECK_FALSE(x.at(0).lease().armed);
  auto first = x.lock(0, 1, "k");
  x.settle();
  auto mine = x.ended<granted>(0, first);
  REQUIRE(mine);
  CHECK(mine->actor == local_actor_id{1});
  CHECK(mine->keys == std::vector<term>{key("k")});
  CHECK(x.at(0).lease().armed);
  auto second = x.lock(1, 1, "k");
  x.run(100ms);
  CHECK_FALSE(x.ended<granted>(1, second));
  x.exit(0, 1);
  x.settle();
  auto theirs = x.ended<granted>(1, second);
  REQUIRE(theirs);
  CHECK(theirs->grant > mine->grant);
  CHECK_FALSE(x.at(0).lease().armed);
  x.run(1s);
  CHECK(x.logged<registry::owner_exited>() == 1);
}

TEST_CASE("S4, I19: the lease is bounded by the time of sending, however late the answer is") {
  world x{1};
  x.latency = 400ms;
  x.join_all();
  x.run(3s);
  // Every renewal that was answered by now was sent at least `latency` ago.
  CHECK(x.at(0).lease().lease_end <= x.now - 400ms + 3s);
  CHECK(x.at(0).valid(x.now));
  x.members[0].cut = true;
  auto end = x.at(0).lease().lease_end;
  x.run(1s);
  CHECK(x.at(0).lease().lease_end == end);
}

TEST_CASE("F1: bounded owners are stopped a margin before the lease ends") {
  world x{1};
  x.join_all();
  x.lock(0, 1, "k");
  x.lock(0, 2, "s", strictly());
  x.settle();
  x.run(1s);
  auto end = x.at(0).lease().lease_end;
  x.members[0].cut = true;
  auto margin = lease_options{}.margin();
  REQUIRE(x.until([&] { return !x.notices<fence>(0).empty(); }));
  CHECK(x.now >= end - margin);
  CHECK(x.now <= end - margin + 5ms);
  auto order = x.notices<fence>(0).at(0);
  CHECK(order.owners == std::vector<local_actor_id>{local_actor_id{1}});
  CHECK_FALSE(x.at(0).valid(x.now));
  CHECK(x.notices<session_down>(0).size() == 1);
  // The watchdog stays armed until the owner has ended (F2).
  CHECK(x.at(0).lease().armed);
  CHECK(x.at(0).lease().lease_end == end);
  CHECK(x.at(0).least_left() == end - x.now);
  x.exit(0, 1);
  CHECK_FALSE(x.at(0).lease().armed);
}

TEST_CASE("F1: the fence comes before an answer that arrives at the same moment") {
  world x{1};
  x.join_all();
  x.lock(0, 1, "k");
  x.settle();
  auto session = x.at(0).session();
  auto at = x.at(0).lease().lease_end - lease_options{}.margin();
  CHECK(x.at(0).valid(at - 1us));
  CHECK_FALSE(x.at(0).valid(at));
  x.at(0).step(at, voter_id{1}, renewed{session, 1'000'000, x.by});
  x.settle();
  CHECK(x.notices<fence>(0).size() == 1);
}

TEST_CASE("I18: a grant that arrives after the fence is told to nobody") {
  world x{2};
  x.join_all();
  x.lock(0, 1, "k");
  x.settle();
  auto waiter = x.lock(1, 1, "k");
  x.settle();
  auto session = x.at(1).session();
  x.members[1].cut = true;
  x.run(4s);
  CHECK(x.notices<session_down>(1).size() == 1);
  registry::effects_for late{
    session, node_of(1), index{session.value + 50}, index{session.value}, true, {}, 0, 1, {}};
  late.effects.emplace_back(
    registry::lock_granted{local_actor_id{1}, seq{1}, token{session.value + 50}, {key("k")}});
  x.at(1).step(x.now, voter_id{1}, late);
  registry::answer granted_late;
  granted_late.number = seq{1};
  granted_late.code = registry::status::granted;
  granted_late.grant = token{99};
  x.at(1).step(x.now, voter_id{1}, answers{session, {granted_late}});
  x.settle();
  CHECK_FALSE(x.ended<granted>(1, waiter));
  CHECK_FALSE(x.ended<failed>(1, waiter));
}

TEST_CASE(
  "I21, F3: a new session opens only when the old owners have ended and the old one is closed") {
  world x{1};
  x.join_all();
  x.lock(0, 1, "k");
  x.settle();
  auto old = x.at(0).session();
  x.members[0].cut = true;
  x.run(4s);
  x.members[0].cut = false;
  x.run(2s);
  CHECK(x.logged<registry::open_session>() >= 1);
  CHECK(x.machine.is_open(old));
  CHECK(x.holder("k"));
  CHECK_FALSE(x.at(0).session().valid());
  x.exit(0, 1);
  REQUIRE(x.until([&] { return x.at(0).session().valid(); }, 1s));
  CHECK(x.at(0).session() > old);
  CHECK_FALSE(x.machine.is_open(old));
  CHECK_FALSE(x.holder("k"));
  CHECK(x.notices<session_up>(0).size() == 2);
  auto again = x.lock(0, 2, "k");
  x.settle();
  CHECK(x.ended<granted>(0, again));
}

TEST_CASE("R1: lost answers and a new leader give one outcome, once") {
  world x{1};
  x.join_all();
  x.members[0].lose_answers = true;
  std::vector<request_id> ids;
  for (std::uint64_t i = 1; i <= 20; ++i)
    ids.push_back(x.lock(0, i, "k" + std::to_string(i)));
  x.run(300ms);
  x.new_leader(voter_id{2});
  x.run(300ms);
  CHECK(x.notices<granted>(0).empty());
  x.members[0].lose_answers = false;
  x.run(1s);
  for (auto id : ids)
    CHECK(x.ended<granted>(0, id));
  CHECK(x.notices<granted>(0).size() == 20);
  CHECK(x.notices<fence>(0).empty());
}

TEST_CASE("what has no effect yet goes over into the next session, in order") {
  world x{2};
  x.join_all();
  x.lock(0, 1, "k");
  x.settle();
  auto waiting = x.lock(1, 5, "k");
  x.settle();
  x.members[1].cut = true;
  auto other = x.lock(1, 6, "free");
  auto put = x.at(1).put(x.now, "b", key("p"), "1", std::nullopt, std::nullopt);
  auto owned = x.at(1).put(x.now, "b", key("o"), "1", local_actor_id{6}, std::nullopt);
  auto question = x.at(1).ask(x.now, registry::query_counts{}, std::nullopt);
  x.run(4s);
  auto old = x.notices<session_down>(1).at(0).session;
  x.members[1].cut = false;
  REQUIRE(x.until([&] { return x.at(1).session().valid(); }));
  CHECK_FALSE(x.machine.is_open(old));
  x.run(200ms);
  CHECK(x.ended<granted>(1, other));
  CHECK(x.ended<stored>(1, put));
  CHECK(x.ended<replied>(1, question));
  // It had been sent, and nobody had said whether it was done.
  REQUIRE(x.ended<failed>(1, owned));
  CHECK(x.ended<failed>(1, owned)->code == failure::outcome_unknown);
  CHECK_FALSE(x.ended<granted>(1, waiting));
  x.exit(0, 1);
  x.settle();
  REQUIRE(x.ended<granted>(1, waiting));
  CHECK(x.holder("k") == owner_id{x.at(1).session(), local_actor_id{5}});
}

TEST_CASE("an owner that waits and is stopped by the fence is told that its session is lost") {
  world x{2};
  x.join_all();
  x.lock(0, 1, "k");
  x.settle();
  x.lock(1, 5, "mine");
  auto waiting = x.lock(1, 5, "k");
  x.settle();
  x.members[1].cut = true;
  x.run(4s);
  REQUIRE(x.ended<failed>(1, waiting));
  CHECK(x.ended<failed>(1, waiting)->code == failure::session_lost);
  auto more = x.lock(1, 5, "z");
  x.settle();
  CHECK(x.ended<failed>(1, more)->code == failure::session_lost);
}

TEST_CASE("a deadline withdraws the wait") {
  world x{2};
  x.join_all();
  x.lock(0, 1, "k");
  x.settle();
  auto waiting = x.lock(1, 1, "k", before(x.now + 100ms));
  x.run(90ms);
  CHECK_FALSE(x.ended<failed>(1, waiting));
  x.run(20ms);
  REQUIRE(x.ended<failed>(1, waiting));
  CHECK(x.ended<failed>(1, waiting)->code == failure::timed_out);
  x.exit(0, 1);
  x.settle();
  CHECK_FALSE(x.holder("k"));
}

TEST_CASE("a grant that came before the withdrawal is told") {
  world x{2};
  x.join_all();
  x.lock(0, 1, "k");
  x.settle();
  auto waiting = x.lock(1, 1, "k", before(x.now + 100ms));
  x.run(50ms);
  // The grant is decided, and its message is lost.
  x.members[1].lose_effects = true;
  x.exit(0, 1);
  x.settle();
  CHECK(x.holder("k"));
  CHECK_FALSE(x.ended<granted>(1, waiting));
  x.run(60ms);
  CHECK(x.ended<granted>(1, waiting));
  CHECK(x.at(1).lease().armed);
}

TEST_CASE("a deadline that passes before anything was sent ends the request at once") {
  world x{1};
  x.members[0].cut = true;
  auto early = x.lock(0, 1, "k", before(x.now + 50ms));
  auto put = x.at(0).put(x.now, "b", key("p"), "1", std::nullopt, x.now + 50ms);
  auto question = x.at(0).ask(x.now, registry::query_counts{}, x.now + 50ms);
  x.run(60ms);
  for (auto id : {early, put, question}) {
    REQUIRE(x.ended<failed>(0, id));
    CHECK(x.ended<failed>(0, id)->code == failure::timed_out);
  }
  x.members[0].cut = false;
  x.join_all();
  x.run(100ms);
  CHECK(x.logged<registry::acquire>() == 0);
  auto past = x.lock(0, 1, "k", before(x.now));
  x.settle();
  CHECK(x.ended<failed>(0, past)->code == failure::timed_out);
}

TEST_CASE("a deadline while nobody answers ends after the patience, and holds nothing unheard of") {
  world x{1, lease_options{10s, 10, 25ms}};
  x.join_all();
  x.members[0].cut = true;
  auto id = x.lock(0, 1, "k", before(x.now + 100ms));
  x.run(1s);
  CHECK_FALSE(x.ended<failed>(0, id));
  x.run(2s);
  REQUIRE(x.ended<failed>(0, id));
  CHECK(x.ended<failed>(0, id)->code == failure::outcome_unknown);
}

TEST_CASE("cancel ends what waits, whatever it is") {
  world x{2};
  x.join_all();
  x.lock(0, 1, "k");
  x.settle();
  auto waiting = x.lock(1, 1, "k");
  x.settle();
  x.at(1).cancel(x.now, waiting);
  x.at(1).cancel(x.now, waiting);
  x.settle();
  REQUIRE(x.ended<failed>(1, waiting));
  CHECK(x.ended<failed>(1, waiting)->detail == "cancelled");
  x.at(1).cancel(x.now, waiting);
  x.settle();
  CHECK(x.notices<failed>(1).size() == 1);
}

TEST_CASE("R4: a lost effect is made up for by a sync") {
  world x{2};
  x.join_all();
  x.lock(0, 1, "k");
  x.settle();
  auto waiting = x.lock(1, 1, "k");
  x.settle();
  x.members[1].lose_effects = true;
  x.exit(0, 1);
  x.settle();
  x.members[1].lose_effects = false;
  CHECK_FALSE(x.ended<granted>(1, waiting));
  x.run(600ms);
  CHECK(x.ended<granted>(1, waiting));
}

TEST_CASE("the owner's requests end with it, and an unknown owner's exit is told to nobody") {
  world x{2};
  x.join_all();
  x.lock(0, 1, "k");
  x.settle();
  auto waiting = x.lock(1, 1, "k");
  x.settle();
  x.exit(1, 1);
  x.settle();
  REQUIRE(x.ended<failed>(1, waiting));
  CHECK(x.ended<failed>(1, waiting)->code == failure::owner_gone);
  x.exit(1, 77);
  x.exit(0, 1);
  x.run(100ms);
  CHECK(x.logged<registry::owner_exited>() == 2);
  CHECK_FALSE(x.holder("k"));
}

TEST_CASE(
  "F5: a strict owner outlives its session, which must expire, its exit frees the key at last") {
  world x{2};
  x.join_all();
  x.lock(0, 1, "k", strictly());
  x.settle();
  auto old = x.at(0).session();
  x.members[0].cut = true;
  x.run(4s);
  CHECK(x.notices<fence>(0).empty());
  x.members[0].cut = false;
  x.run(1s);
  // It is not closed, and nothing keeps it open.
  CHECK(x.logged<registry::close_session>() == 0);
  CHECK_FALSE(x.at(0).session().valid());
  auto refused = x.lock(0, 1, "z");
  x.settle();
  CHECK(x.ended<failed>(0, refused)->code == failure::session_lost);
  x.expire(old);
  REQUIRE(x.until([&] { return x.at(0).session().valid(); }));
  CHECK(x.holder("k") == owner_id{old, local_actor_id{1}});
  auto waiting = x.lock(1, 1, "k");
  x.run(200ms);
  CHECK_FALSE(x.ended<granted>(1, waiting));
  x.exit(0, 1);
  x.run(200ms);
  CHECK(x.ended<granted>(1, waiting));
}

TEST_CASE("deadlock, busy and bad input are refused with their reason") {
  world x{2};
  x.join_all();
  x.lock(0, 1, "a");
  x.lock(1, 1, "b");
  x.settle();
  x.lock(0, 1, "b");
  x.settle();
  auto cycle = x.lock(1, 1, "a");
  acquire_options once;
  once.mode = registry::acquire_mode::try_once;
  auto busy = x.lock(1, 2, "a", once);
  auto bad = x.at(1).acquire(x.now, local_actor_id{3}, {}, {});
  x.settle();
  REQUIRE(x.ended<failed>(1, cycle));
  CHECK(x.ended<failed>(1, cycle)->code == failure::deadlock);
  CHECK_FALSE(x.ended<failed>(1, cycle)->detail.empty());
  CHECK(x.ended<failed>(1, busy)->code == failure::busy);
  CHECK(x.ended<failed>(1, bad)->code == failure::invalid);
}

TEST_CASE("R1: never more than a window of commands without an answer, the rest waits its turn") {
  world x{1};
  x.join_all();
  x.members[0].lose_answers = true;
  const std::uint64_t count = registry::max_window + 500;
  for (std::uint64_t i = 1; i <= count; ++i)
    x.lock(0, i, "k" + std::to_string(i));
  x.settle();
  CHECK(x.logged<registry::acquire>() == registry::max_window);
  x.members[0].lose_answers = false;
  REQUIRE(x.until([&] { return x.notices<granted>(0).size() == count; }));
}

TEST_CASE("too many requests are refused, not kept") {
  world x{1};
  x.members[0].cut = true;
  for (std::size_t i = 1; i <= command_queue::max_backlog; ++i)
    x.at(0).acquire(x.now, local_actor_id{i}, {key("k")}, {});
  auto id = x.lock(0, 1, "z");
  x.settle();
  REQUIRE(x.ended<failed>(0, id));
  CHECK(x.ended<failed>(0, id)->code == failure::overloaded);
}

TEST_CASE("a name in use elsewhere is told, and taken over when that node is gone") {
  world x{1};
  x.join_all();
  auto other = x.add("n0");
  x.run(600ms);
  auto down = x.notices<session_down>(other);
  REQUIRE_FALSE(down.empty());
  CHECK(down[0].reason.find("name_taken") == 0);
  x.members[0].cut = true;
  x.expire(x.at(0).session());
  CHECK(x.until([&] { return x.at(other).session().valid(); }, 1s));
}

TEST_CASE("F4: a proof of another's end needs no session, and is brought until it is answered") {
  world x{1};
  x.members[0].cut = true; // no session yet
  registry::certify_end proof{
    node_id{77}, {}, registry::end_reason::store_reopened, "sixteen bytes ok", "restarted"};
  auto id = x.at(0).prove_end(x.now, proof, std::nullopt);
  auto bad =
    x.at(0).prove_end(x.now, registry::certify_end{node_id{77}, {}, {}, {}, {}}, std::nullopt);
  x.settle();
  REQUIRE(x.ended<failed>(0, bad));
  CHECK(x.ended<failed>(0, bad)->code == failure::invalid);
  x.run(200ms);
  CHECK_FALSE(x.ended<replied>(0, id));
  x.members[0].cut = false;
  REQUIRE(x.until([&] { return x.ended<replied>(0, id).has_value(); }));
  CHECK(x.ended<replied>(0, id)->json == R"({"closed":0})");
  CHECK(x.logged<registry::certify_end>() >= 1);
}

TEST_CASE("a proof that is refused, or not answered in time, says so") {
  world x{2};
  x.join_all();
  registry::certify_end proof{
    node_of(1), x.at(1).session(), registry::end_reason::forced, {}, "ann"};
  auto id = x.at(0).prove_end(x.now, proof, std::nullopt);
  REQUIRE(x.until([&] { return x.ended<failed>(0, id).has_value(); }));
  CHECK(x.ended<failed>(0, id)->detail.find("may still work") != std::string::npos);
  CHECK(x.at(1).valid(x.now));
  x.members[0].cut = true;
  auto late = x.at(0).prove_end(x.now, proof, x.now + 300ms);
  x.run(400ms);
  REQUIRE(x.ended<failed>(0, late));
  CHECK(x.ended<failed>(0, late)->code == failure::timed_out);
}

} // namespace paxtor::cluster::agent_test
