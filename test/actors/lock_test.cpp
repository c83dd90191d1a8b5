#include <atomic>
#include <memory>
#include <vector>

#include "test/actors/nodes.hpp"

using namespace test;
using paxtor::errc;
using paxtor::grant;

TEST_CASE("one node alone: join, lock, release by the owner's end, leave") {
  nodes cluster{1};
  auto& a = cluster[0];
  CHECK(a.door.node_name() == "a");
  CHECK(a.door.port() != 0);
  std::uint64_t first = 0;
  {
    caf::scoped_actor self{*a.sys};
    const auto held = wait<grant>(a.door.lock(self, "apple"));
    REQUIRE(held.ok());
    CHECK(held.value.valid());
    CHECK(held.value.keys() == std::vector<std::string>{"\"apple\""});
    first = held.value.token();
    CHECK(first > 0);
  }
  // The end of the scoped_actor was the release.
  caf::scoped_actor self{*a.sys};
  const auto next = wait<grant>(a.door.lock(self, "apple"));
  REQUIRE(next.ok());
  CHECK(next.value.token() > first);
}

TEST_CASE("a lock keeps actors of three nodes apart") {
  nodes cluster{3};
  auto inside = std::make_shared<std::atomic<int>>(0);
  auto total = std::make_shared<std::atomic<int>>(0);
  auto clashes = std::make_shared<std::atomic<int>>(0);
  auto wrong = std::make_shared<std::atomic<int>>(0);
  auto last_token = std::make_shared<std::atomic<std::uint64_t>>(0);
  constexpr int per_node = 20;
  for (std::size_t n = 0; n < 3; ++n)
    for (int i = 0; i < per_node; ++i) {
      auto door = cluster[n].door;
      cluster[n].sys->spawn([=](caf::event_based_actor* self) {
        door.lock(self, "counter")
          .then(
            [=](const grant& held) {
              if (inside->fetch_add(1) != 0 || !held.valid())
                ++*clashes;
              if (last_token->exchange(held.token()) >= held.token())
                ++*clashes;
              std::this_thread::yield();
              inside->fetch_sub(1);
              ++*total;
            },
            [=](const caf::error&) { ++*wrong; });
      });
    }
  CHECK(eventually([&] { return *total + *wrong == 3 * per_node; }));
  CHECK(*total == 3 * per_node);
  CHECK(*clashes == 0);
}

TEST_CASE("first come, first served, the end of an owner lets the next in") {
  nodes cluster{1};
  auto& a = cluster[0];
  std::vector<std::unique_ptr<owner>> line;
  for (int i = 0; i < 5; ++i) {
    line.push_back(std::make_unique<owner>(a, "apple"));
    // Each holds the key, or stands in the queue, before the next comes.
    caf::scoped_actor self{*a.sys};
    CHECK(eventually([&] {
      const auto why = wait<paxtor::document>(a.door.why(self, "apple"));
      return why.ok() && why.value.value["state"] == "held"
             && why.value.value["waiting_count"].get<int>() == i;
    }));
  }
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto& got = line[i]->result();
    REQUIRE(got.ok());
    CHECK(got.value.token() > last);
    last = got.value.token();
    for (std::size_t j = i + 1; j < line.size(); ++j)
      CHECK(!line[j]->answered());
    // Whatever the way in which it ends.
    line[i]->end(i % 2 == 0 ? caf::exit_reason::kill : caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("the same owner again, several keys at once, try and deadline") {
  nodes cluster{1};
  auto& a = cluster[0];
  owner one{a, {"x", "y"}};
  REQUIRE(one.result().ok());
  SUBCASE("reentrant") {
    const auto again = one.lock("x");
    REQUIRE(again.ok());
    CHECK(again.value.valid());
    CHECK(one.lock({"y", "x"}).ok());
  }
  SUBCASE("several keys are one lock") {
    CHECK(one.result().value.keys().size() == 2);
    caf::scoped_actor self{*a.sys};
    CHECK(wait<grant>(a.door.lock(self, {"y", "z"}, {.try_once = true})).code == errc::busy);
    // What could not be had as a whole holds nothing.
    CHECK(wait<grant>(a.door.lock(self, "z", {.try_once = true})).ok());
  }
  SUBCASE("try") {
    caf::scoped_actor self{*a.sys};
    CHECK(wait<grant>(a.door.lock(self, "x", {.try_once = true})).code == errc::busy);
    CHECK(wait<grant>(a.door.lock(self, "free", {.try_once = true})).ok());
  }
  SUBCASE("deadline") {
    caf::scoped_actor self{*a.sys};
    const auto late = wait<grant>(a.door.lock(self, "x", {.deadline = 50ms}));
    CHECK(late.code == errc::timed_out);
    // It waits no more: the key is free once its owner has ended.
    one.end();
    owner next{a, "x"};
    CHECK(next.result().ok());
  }
}

TEST_CASE("a cycle is refused, with its hops in the error, and the others go on") {
  nodes cluster{1};
  auto& a = cluster[0];
  owner one{a, "left"};
  owner two{a, "right"};
  REQUIRE(one.result().ok());
  REQUIRE(two.result().ok());
  std::thread waiting{[&] {
    const auto got = one.lock("right");
    CHECK(got.ok());
  }};
  caf::scoped_actor self{*a.sys};
  CHECK(eventually([&] {
    const auto why = wait<paxtor::document>(a.door.why(self, "right"));
    return why.ok() && why.value.value["waiting_count"].get<int>() == 1;
  }));
  const auto refused = two.lock("left");
  CHECK(refused.code == errc::deadlock);
  const auto text = paxtor::describe(refused.error);
  CHECK(text.find("left") != std::string::npos);
  CHECK(text.find("right") != std::string::npos);
  two.end();
  waiting.join();
}

TEST_CASE("with_lock runs a function under the lock and answers what it returns") {
  nodes cluster{1};
  auto& a = cluster[0];
  caf::scoped_actor self{*a.sys};
  SUBCASE("a value") {
    const auto got = wait<int>(
      a.door.with_lock(self, "k", [](const grant& held) { return held.valid() ? 42 : 0; }));
    CHECK(got.value == 42);
  }
  SUBCASE("nothing") {
    auto ran = std::make_shared<std::atomic<bool>>(false);
    auto answered = false;
    a.door.with_lock(self, "k", [ran](const grant&) { *ran = true; })
      .receive([&] { answered = true; }, [](const caf::error&) {});
    CHECK(answered);
    CHECK(*ran);
  }
  SUBCASE("an exception") {
    const auto got = wait<int>(a.door.with_lock(
      self, "k", [](const grant&) -> int { throw std::runtime_error("the roof leaks"); }));
    CHECK(got.error == caf::exit_reason::unhandled_exception);
    CHECK(paxtor::describe(got.error).find("the roof leaks") != std::string::npos);
  }
  // In every case the lock is free afterwards.
  const auto after = wait<grant>(a.door.lock(self, "k"));
  CHECK(after.ok());
  SUBCASE("refused like any lock") {
    const auto busy =
      wait<int>(a.door.with_lock(self, "k", [](const grant&) { return 1; }, {.try_once = true}));
    CHECK(busy.code == errc::busy);
  }
}

TEST_CASE("bad requests are refused with what to do") {
  nodes cluster{1};
  auto& a = cluster[0];
  caf::scoped_actor self{*a.sys};
  const auto too_long = wait<grant>(a.door.lock(self, std::string(5000, 'x')));
  CHECK(too_long.code == errc::invalid);
  CHECK(paxtor::describe(too_long.error).find("4096") != std::string::npos);
  CHECK(wait<grant>(a.door.lock(self, paxtor::keys{std::vector<paxtor::key>{}})).code
        == errc::invalid);
  const auto nonsense = wait<paxtor::document>(a.door.ask(self, {"riddle", {}, {}, {}, 0, {}}));
  CHECK(nonsense.code == errc::invalid);
  CHECK(paxtor::describe(nonsense.error).find("members") != std::string::npos);
}

TEST_CASE("put, get, why, members and whereis") {
  nodes cluster{1};
  auto& a = cluster[0];
  caf::scoped_actor self{*a.sys};
  using paxtor::document;
  CHECK(!wait<document>(a.door.get(self, "b", "k")).value.found);
  CHECK(wait<document>(a.door.put(self, "b", "k", {{"n", 1}})).value.value
        == nlohmann::json{{"n", 1}});
  // The value that was chosen first stays.
  CHECK(wait<document>(a.door.put(self, "b", "k", 2)).value.value == nlohmann::json{{"n", 1}});
  const auto got = wait<document>(a.door.get(self, "b", "k"));
  CHECK(got.value.found);
  CHECK(got.value.value == nlohmann::json{{"n", 1}});
  {
    caf::scoped_actor other{*a.sys};
    CHECK(wait<document>(a.door.put(other, "b", "mine", 3, {.owned = true})).ok());
    CHECK(wait<document>(a.door.get(self, "b", "mine")).value.found);
  }
  CHECK(eventually([&] { return !wait<document>(a.door.get(self, "b", "mine")).value.found; }));
  owner held{a, "door"};
  REQUIRE(held.result().ok());
  const auto why = wait<document>(a.door.why(self, "door"));
  REQUIRE(why.ok());
  CHECK(why.value.value.dump().find("\"a\"") != std::string::npos);
  const auto members = wait<document>(a.door.members(self));
  REQUIRE(members.ok());
  CHECK(members.value.value.dump().find("counter") != std::string::npos);
  const auto where = wait<paxtor::whereabouts>(a.door.whereis(self, "apple", "counter"));
  REQUIRE(where.ok());
  CHECK(where.value.node == "a");
  CHECK(where.value.type == "counter");
  CHECK(where.value.token > 0);
  const auto status = a.door.status();
  CHECK(status["valid"] == true);
  CHECK(status["joined"] == true);
}

TEST_CASE("an owner's node that is killed at the end of its stay gives its locks away") {
  nodes cluster{3};
  auto& client = cluster.add("x");
  owner first{client, "apple"};
  REQUIRE(first.result().ok());
  owner second{cluster[0], "apple"};
  client.door.leave();
  // Leaving stops the owner, then frees its lock.
  CHECK(second.result().ok());
  CHECK(eventually([&] { return first.ended(); }));
  CHECK(!first.result().value.valid());
  caf::scoped_actor self{*client.sys};
  CHECK(wait<grant>(client.door.lock(self, "apple")).code == errc::not_joined);
}
