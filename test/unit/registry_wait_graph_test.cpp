#include "test/unit/registry_fixture.hpp"

using namespace paxtor;
using namespace paxtor::registry;
using paxtor::registry::test::owner_name;
using paxtor::registry::test::world;

TEST_CASE("R3: the acquire that closes a cycle is refused with the cycle") {
  world w;
  auto a = w.join("a");
  auto b = w.join("b");
  auto first = w.lock(a, 1, {"x"});
  auto second = w.lock(b, 1, {"y"});
  CHECK(w.lock(a, 1, {"y"}).code == status::queued);
  auto reply = w.lock(b, 1, {"x"});
  REQUIRE(reply.code == status::deadlock);
  auto cycle = nlohmann::json::parse(reply.detail);
  REQUIRE(cycle.size() == 2);
  CHECK(cycle[0]["owner"] == owner_name(b, 1));
  CHECK(cycle[0]["node"] == "b");
  CHECK(cycle[0]["waits_for"] == "x");
  CHECK(cycle[0]["token"] == second.grant.value);
  CHECK(cycle[1]["owner"] == owner_name(a, 1));
  CHECK(cycle[1]["waits_for"] == "y");
  CHECK(cycle[1]["token"] == first.grant.value);
  // Refused means: it does not stand in the queue.
  w.exit(a, 1);
  CHECK(w.holder("x").empty());
}

TEST_CASE("R3: a cycle over places in queues and wide acquires") {
  world w;
  auto a = w.join("a");
  w.lock(a, 1, {"k"});
  w.lock(a, 2, {"m"});
  CHECK(w.lock(a, 3, {"k", "m"}).code == status::queued);
  // 2 would wait for k behind 3, which waits for m, which 2 holds.
  CHECK(w.lock(a, 2, {"k"}).code == status::deadlock);
  // For another key it may wait.
  w.lock(a, 4, {"z"});
  CHECK(w.lock(a, 2, {"z"}).code == status::queued);
}

TEST_CASE("R3: a long chain closes, and its error stays short") {
  world w;
  auto a = w.join("a");
  constexpr std::uint64_t n = 40;
  auto name = [](std::uint64_t i) { return "k" + std::to_string(i); };
  for (std::uint64_t i = 1; i <= n; ++i)
    w.lock(a, i, {name(i)});
  for (std::uint64_t i = 1; i < n; ++i)
    CHECK(w.lock(a, i, {name(i + 1)}).code == status::queued);
  auto reply = w.lock(a, n, {name(1)});
  REQUIRE(reply.code == status::deadlock);
  auto cycle = nlohmann::json::parse(reply.detail);
  CHECK(cycle.size() == 17);
  CHECK(cycle[15]["omitted"] == n - 16);
}

TEST_CASE("a queue of 10 000 costs little per acquire, also for owners that hold something") {
  machine reg;
  outcome out;
  paxtor::index at{0};
  auto apply = [&](const command& what) {
    at = at.next();
    reg.apply(at, what, out);
  };
  open_session open;
  open.node = node_id{1};
  open.name = "a";
  apply(open);
  session_id a{1};
  std::uint64_t number = 0;
  auto lock = [&](std::uint64_t actor, const std::string& name) {
    ++number;
    apply(acquire{{a, seq{number}, seq{number}},
                  local_actor_id{actor},
                  {test::key(name)},
                  acquire_mode::wait,
                  ownership::bounded});
    return out.answers.back().what.code;
  };
  lock(1, "popular");
  for (std::uint64_t i = 2; i <= 10000; ++i) {
    REQUIRE(lock(i, "own-" + std::to_string(i)) == status::granted);
    REQUIRE(lock(i, "popular") == status::queued);
  }
  // The holder of the popular key waits for something else: 10 000 wait for it, it for one.
  REQUIRE(lock(20001, "rare") == status::granted);
  REQUIRE(lock(1, "rare") == status::queued);
  CHECK(lock(20001, "own-7777") == status::deadlock);
  reg.check_all();
}
