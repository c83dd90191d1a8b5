#include "test/unit/registry_fixture.hpp"

using namespace paxtor;
using namespace paxtor::registry;
using paxtor::registry::test::key;
using paxtor::registry::test::owner_name;
using paxtor::registry::test::world;

namespace {

open_session opening(std::uint64_t node, std::uint64_t nth, const std::string& name) {
  open_session what;
  what.node = node_id{node};
  what.nth = nth;
  what.name = name;
  return what;
}

} // namespace

TEST_CASE("open_session is idempotent by node and count, and answers under that count") {
  world w;
  auto first = w.ask(opening(7, 1, "a"));
  CHECK(first.code == status::ok);
  CHECK(first.opened.value == w.at.value);
  CHECK(first.number.value == 1);
  REQUIRE(w.last.events.size() == 1);
  auto again = w.ask(opening(7, 1, "a"));
  CHECK(again.opened == first.opened);
  CHECK(w.last.events.empty());
  // The next one only after this one has ended.
  CHECK(w.ask(opening(7, 2, "a")).code == status::name_taken);
  CHECK(w.ask(close_session{first.opened, end_reason::left, ""}).code == status::ok);
  CHECK(w.ask(opening(7, 1, "a")).code == status::no_session);
  auto second = w.ask(opening(7, 2, "a"));
  CHECK(second.code == status::ok);
  CHECK(second.opened > first.opened);
}

TEST_CASE("one name, one node") {
  world w;
  auto a = w.join("a");
  auto reply = w.ask(opening(8, 1, "a"));
  CHECK(reply.code == status::name_taken);
  CHECK(reply.detail.find("named a") != std::string::npos);
  w.ask(close_session{a, end_reason::left, ""});
  CHECK(w.ask(opening(8, 1, "a")).code == status::ok);
}

TEST_CASE("one expire frees all bounded owners and grants to the heirs") {
  world w;
  w.begin_reign(3);
  auto a = w.join("a");
  auto b = w.join("b");
  for (int i = 1; i <= 20; ++i)
    w.lock(a, static_cast<std::uint64_t>(i), {"k" + std::to_string(i)});
  for (int i = 1; i <= 20; ++i)
    w.lock(b, static_cast<std::uint64_t>(i), {"k" + std::to_string(i)});
  w.lock(a, 30, {"k1"});
  w.apply(expire_session{a, ballot{3, voter_id{1}}});
  REQUIRE(w.last.effects.size() == 1);
  CHECK(w.last.effects[0].session == b);
  CHECK(w.last.effects[0].effects.size() == 20);
  CHECK(w.told_of<lock_granted>(b).size() == 20);
  CHECK_FALSE(w.reg.is_open(a));
  CHECK(w.holder("k1") == owner_name(b, 1));
  // The dead session's waiter did not stay.
  w.exit(b, 1);
  CHECK(w.holder("k1").empty());
}

TEST_CASE("S3: an expire does nothing unless its reign is in force") {
  world w;
  w.begin_reign(3);
  auto a = w.join("a");
  w.apply(expire_session{a, ballot{2, voter_id{1}}});
  CHECK(w.reg.is_open(a));
  CHECK(w.last.ignored == 1);
  w.begin_reign(4);
  w.apply(expire_session{a, ballot{3, voter_id{1}}});
  CHECK(w.reg.is_open(a));
  // A ghost of an old reign entry does not bring that reign back.
  w.begin_reign(3);
  CHECK(w.last.events.empty());
  CHECK(w.reg.reign() == ballot{4, voter_id{1}});
  w.apply(expire_session{a, ballot{3, voter_id{1}}});
  CHECK(w.reg.is_open(a));
  w.apply(expire_session{a, ballot{4, voter_id{1}}});
  CHECK_FALSE(w.reg.is_open(a));
}

TEST_CASE("F5: silence does not free strict owners, a proof or their exit does") {
  world w;
  w.begin_reign(1);
  auto opened = w.ask(opening(7, 1, "a"));
  auto a = opened.opened;
  auto b = w.join("b");
  w.lock(a, 1, {"s"}, acquire_mode::wait, ownership::strict);
  w.lock(a, 1, {"t"});
  w.lock(a, 2, {"u"}, acquire_mode::wait, ownership::strict);
  w.lock(b, 1, {"s"});
  w.lock(b, 2, {"u"});
  w.apply(expire_session{a, ballot{1, voter_id{1}}});
  CHECK_FALSE(w.reg.is_open(a));
  CHECK(w.holder("s") == owner_name(a, 1));
  CHECK(w.holder("t").empty());
  CHECK(w.holder("u") == owner_name(a, 2));
  CHECK_FALSE(w.reg.sync(a, paxtor::index{0}));
  CHECK(
    w.ask(acquire{w.from(a), local_actor_id{1}, {key("s")}, acquire_mode::wait, ownership::strict})
      .code
    == status::no_session);
  // The image keeps it.
  machine copy;
  REQUIRE(copy.restore(w.reg.image()));
  CHECK(copy.image() == w.reg.image());
  // Another node cannot report its exit; a later session of its own node can.
  CHECK(w.ask(owner_exited{w.from(b), a, local_actor_id{1}, ""}).code == status::not_owner);
  auto next = w.ask(opening(7, 2, "a"));
  REQUIRE(next.code == status::ok);
  CHECK(w.ask(owner_exited{w.from(next.opened), a, local_actor_id{1}, ""}).code == status::ok);
  CHECK(w.holder("s") == owner_name(b, 1));
  CHECK(w.query(query_counts{})["expired_with_strict_locks"] == 1);
  w.apply(certify_end{node_id{7}, a, end_reason::forced, {}, "ann"});
  CHECK(w.holder("u") == owner_name(b, 2));
  CHECK(w.ask(close_session{a, end_reason::left, ""}).code == status::no_session);
  CHECK(w.query(query_counts{})["expired_with_strict_locks"] == 0);
}

TEST_CASE("silence cannot pose as a proof") {
  world w;
  auto a = w.join("a");
  w.apply(close_session{a, end_reason::expired, ""});
  CHECK(w.reg.is_open(a));
}

TEST_CASE("R4: effects chain, and a sync tells from state what was missed") {
  world w;
  auto a = w.join("a");
  auto b = w.join("b");
  CHECK(w.reg.last_effect(b).value == b.value);
  w.lock(a, 1, {"x"});
  w.lock(a, 2, {"y"});
  w.lock(b, 1, {"x"});
  w.lock(b, 2, {"y"});
  w.exit(a, 1);
  auto first = w.at;
  CHECK(w.last.effects[0].previous.value == b.value);
  w.exit(a, 2);
  CHECK(w.last.effects[0].previous == first);
  CHECK(w.reg.last_effect(b) == w.at);
  auto all = w.reg.sync(b, paxtor::index{b.value});
  REQUIRE(all);
  CHECK(all->complete);
  CHECK(all->at == w.at);
  CHECK(all->effects.size() == 2);
  auto some = w.reg.sync(b, first);
  REQUIRE(some);
  REQUIRE(some->effects.size() == 1);
  CHECK(std::get<lock_granted>(some->effects[0]).actor == local_actor_id{2});
}
