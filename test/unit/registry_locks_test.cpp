#include "test/unit/registry_fixture.hpp"

using namespace paxtor;
using namespace paxtor::registry;
using paxtor::registry::test::key;
using paxtor::registry::test::owner_name;
using paxtor::registry::test::world;

TEST_CASE("a lock is granted with its entry's index as token, queued in order, inherited") {
  world w;
  auto a = w.join("a");
  auto b = w.join("b");
  auto first = w.lock(a, 1, {"apple"});
  CHECK(first.code == status::granted);
  CHECK(first.grant.value == w.at.value);
  auto second = w.lock(b, 1, {"apple"});
  CHECK(second.code == status::queued);
  CHECK(second.position == 1);
  auto third = w.lock(a, 2, {"apple"});
  CHECK(third.code == status::queued);
  CHECK(third.position == 2);
  CHECK(w.holder("apple") == owner_name(a, 1));
  CHECK(w.exit(a, 1).code == status::ok);
  CHECK(w.holder("apple") == owner_name(b, 1));
  auto told = w.told_of<lock_granted>(b);
  REQUIRE(told.size() == 1);
  CHECK(told[0].grant.value == w.at.value);
  CHECK(told[0].grant > first.grant);
  CHECK(told[0].keys == std::vector{key("apple")});
  w.exit(b, 1);
  CHECK(w.holder("apple") == owner_name(a, 2));
  w.exit(a, 2);
  CHECK(w.holder("apple").empty());
  w.ask(close_session{a, end_reason::left, ""});
  w.ask(close_session{b, end_reason::left, ""});
  CHECK(w.reg.nothing_left());
}

TEST_CASE("a lock is reentrant for its owner, with the token it got it under") {
  world w;
  auto a = w.join("a");
  auto first = w.lock(a, 1, {"k"});
  auto again = w.lock(a, 1, {"k"});
  CHECK(again.code == status::granted);
  CHECK(again.grant == first.grant);
  // Own and new keys: the new one has the new token, which is the highest.
  auto mixed = w.lock(a, 1, {"k", "l"});
  CHECK(mixed.code == status::granted);
  CHECK(mixed.grant.value == w.at.value);
  CHECK(w.reg.holder_of(key("k"))->grant == first.grant);
  CHECK(w.reg.holder_of(key("l"))->grant == mixed.grant);
  w.exit(a, 1);
  CHECK(w.holder("k").empty());
  CHECK(w.holder("l").empty());
}

TEST_CASE("try_once takes what is free and queues for nothing") {
  world w;
  auto a = w.join("a");
  w.lock(a, 1, {"k"});
  CHECK(w.lock(a, 2, {"k"}, acquire_mode::try_once).code == status::busy);
  CHECK(w.lock(a, 2, {"j", "k"}, acquire_mode::try_once).code == status::busy);
  CHECK(w.holder("j").empty());
  w.lock(a, 3, {"k", "m"});
  // m is free, but somebody is first in line for it: no barging.
  CHECK(w.lock(a, 4, {"m"}, acquire_mode::try_once).code == status::busy);
  CHECK(w.lock(a, 4, {"n"}, acquire_mode::try_once).code == status::granted);
}

TEST_CASE("several keys are taken at once or not at all") {
  world w;
  auto a = w.join("a");
  w.lock(a, 1, {"x"});
  w.lock(a, 2, {"y"});
  auto both = w.lock(a, 3, {"w", "x", "y"});
  CHECK(both.code == status::queued);
  CHECK(w.holder("w").empty());
  // Queued for w behind actor 3, although w is free.
  CHECK(w.lock(a, 4, {"w"}).code == status::queued);
  w.exit(a, 1);
  CHECK(w.holder("x").empty());
  w.exit(a, 2);
  CHECK(w.holder("w") == owner_name(a, 3));
  CHECK(w.holder("x") == owner_name(a, 3));
  CHECK(w.holder("y") == owner_name(a, 3));
  auto told = w.told_of<lock_granted>(a);
  REQUIRE(told.size() == 1);
  CHECK(told[0].keys.size() == 3);
  w.exit(a, 3);
  CHECK(w.holder("w") == owner_name(a, 4));
}

TEST_CASE("a withdrawn wait lets the next ones pass") {
  world w;
  auto a = w.join("a");
  w.lock(a, 1, {"x"});
  auto wide = w.make_acquire(a, 2, {"w", "x"});
  CHECK(w.ask(wide).code == status::queued);
  CHECK(w.lock(a, 3, {"w"}).code == status::queued);
  CHECK(w.ask(withdraw{w.from(a), local_actor_id{2}, wide.from.number}).code == status::withdrawn);
  CHECK(w.holder("w") == owner_name(a, 3));
  // Withdrawing what was granted first tells so.
  auto late = w.make_acquire(a, 4, {"w"});
  w.ask(late);
  w.exit(a, 3);
  auto reply = w.ask(withdraw{w.from(a), local_actor_id{4}, late.from.number});
  CHECK(reply.code == status::granted);
  CHECK(reply.grant == w.reg.holder_of(key("w"))->grant);
}

TEST_CASE("a waiting owner that ends leaves the queue") {
  world w;
  auto a = w.join("a");
  w.lock(a, 1, {"x"});
  w.lock(a, 2, {"x"});
  w.lock(a, 3, {"x"});
  w.exit(a, 2);
  w.exit(a, 1);
  CHECK(w.holder("x") == owner_name(a, 3));
}

TEST_CASE("an owner that asks twice has one place, and one grant serves both") {
  world w;
  auto a = w.join("a");
  auto b = w.join("b");
  w.lock(a, 1, {"k"});
  auto one = w.make_acquire(b, 1, {"k"});
  CHECK(w.ask(one).code == status::queued);
  CHECK(w.lock(a, 2, {"k"}).code == status::queued);
  // Not a deadlock, though actor 2 of a waits in between.
  auto two = w.make_acquire(b, 1, {"k"});
  auto reply = w.ask(two);
  CHECK(reply.code == status::queued);
  CHECK(reply.position == 1);
  w.exit(a, 1);
  auto told = w.told_of<lock_granted>(b);
  REQUIRE(told.size() == 2);
  CHECK(told[0].of == one.from.number);
  CHECK(told[1].of == two.from.number);
  CHECK(told[0].grant == told[1].grant);
  // A sync tells both again.
  auto sync = w.reg.sync(b, paxtor::index{b.value});
  REQUIRE(sync);
  CHECK(sync->effects.size() == 2);
  w.exit(b, 1);
  CHECK(w.holder("k") == owner_name(a, 2));
}

TEST_CASE("the first in line may take the free key of its own wider wait") {
  world w;
  auto a = w.join("a");
  w.lock(a, 1, {"y"});
  auto wide = w.make_acquire(a, 2, {"x", "y"});
  CHECK(w.ask(wide).code == status::queued);
  auto narrow = w.lock(a, 2, {"x"});
  CHECK(narrow.code == status::granted);
  CHECK(w.holder("x") == owner_name(a, 2));
  w.exit(a, 1);
  CHECK(w.holder("y") == owner_name(a, 2));
  auto told = w.told_of<lock_granted>(a);
  REQUIRE(told.size() == 1);
  CHECK(told[0].of == wide.from.number);
  CHECK(told[0].keys.size() == 2);
}

TEST_CASE("no owner waits for more than its bound") {
  world w;
  auto a = w.join("a");
  w.lock(a, 1, {"k"});
  for (std::size_t i = 0; i < 256; ++i)
    CHECK(w.lock(a, 2, {"k"}).code == status::queued);
  auto reply = w.lock(a, 2, {"k"});
  CHECK(reply.code == status::invalid);
  CHECK(reply.detail.find("as many locks as one may") != std::string::npos);
  w.exit(a, 1);
  CHECK(w.told_of<lock_granted>(a).size() == 256);
}
