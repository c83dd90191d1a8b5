#include <doctest/doctest.h>

#include <chrono>
#include <set>
#include <vector>

#include "libpaxtor/cluster/leader_finder.hpp"

namespace paxtor::cluster {

using namespace std::chrono_literals;

namespace {

constexpr voter_id a{1};
constexpr voter_id b{2};
constexpr voter_id c{3};

leader_finder make() {
  return {{a, b, c}, 75ms, 500ms, generator{1}, time_point{}};
}

} // namespace

TEST_CASE("a hint is followed at once, but voters that point at each other are left alone") {
  auto x = make();
  time_point now{};
  auto first = x.target();
  auto other = first == a ? b : a;
  CHECK(x.heard_not_leading(now, first, other, {}));
  CHECK(x.target() == other);
  int followed = 0;
  for (int i = 0; i < 100; ++i)
    followed += x.heard_not_leading(now, x.target(), x.target() == a ? b : a, {}) ? 1 : 0;
  CHECK(followed <= 4);
  // By the clock it goes on.
  CHECK(x.tick(*x.next_wake()));
}

TEST_CASE("while no leader is known the voters are tried in turn, each after about a heartbeat") {
  auto x = make();
  time_point now{};
  std::set<voter_id> tried;
  for (int i = 0; i < 3; ++i) {
    auto wake = *x.next_wake();
    CHECK(wake - now <= 75ms + 10ms);
    now = wake;
    REQUIRE(x.tick(now));
    tried.insert(x.target());
  }
  CHECK(tried.size() == 3);
  // After a while more seldom.
  now += 5s;
  REQUIRE(x.tick(now));
  CHECK(*x.next_wake() - now >= 500ms);
}

TEST_CASE(
  "another leader or reign asks for everything again, a late word of an old reign does not") {
  auto x = make();
  CHECK(x.heard_leader(a, {3, a}));
  CHECK_FALSE(x.heard_leader(a, {3, a}));
  CHECK(x.heard_leader(b, {4, b}));
  CHECK_FALSE(x.heard_leader(a, {3, a}));
  CHECK(x.target() == b);
  CHECK(x.heard_leader(b, {5, b}));
  CHECK_FALSE(x.heard_leader(a, {}));
  CHECK(x.target() == b);
}

TEST_CASE("a silent leader is given up after two heartbeats, a cut one at once") {
  auto x = make();
  time_point now{};
  REQUIRE(x.heard_leader(a, {3, a}));
  now += 10s;
  CHECK_FALSE(x.tick(now));
  x.sent(now);
  CHECK_FALSE(x.tick(now + 149ms));
  CHECK(x.tick(now + 150ms));
  CHECK(x.target() != a);
  // It was only slow: nothing needs to be sent again.
  CHECK_FALSE(x.heard_leader(a, {3, a}));
  CHECK(x.known());
  CHECK(x.link_down(now, a));
  CHECK(x.target() != a);
  CHECK(x.heard_leader(a, {3, a}));
}

TEST_CASE("slow links are given more time") {
  auto x = make();
  time_point now{};
  REQUIRE(x.heard_leader(a, {3, a}));
  for (int i = 0; i < 50; ++i)
    x.took(120ms);
  x.sent(now);
  CHECK_FALSE(x.tick(now + 300ms));
  CHECK(x.tick(now + 400ms));
}

TEST_CASE("only voters whose link is up are tried, and a leader without a link is reached through "
          "another") {
  auto x = make();
  time_point now{};
  (void)x.link_up(now, b);
  CHECK(x.target() == b);
  for (int i = 0; i < 5; ++i) {
    now += 1s;
    REQUIRE(x.tick(now));
    CHECK(x.target() == b);
  }
  CHECK(x.heard_leader(a, {3, a}));
  CHECK(x.target() == b);
  CHECK(x.known());
  // Who is asked is not who leads; and it is asked directly as soon as it can be.
  CHECK(x.leader() == a);
  CHECK_FALSE(x.link_up(now, a));
  CHECK(x.target() == a);
  CHECK(x.leader() == a);
}

TEST_CASE("nobody to talk to is no error") {
  leader_finder x{{}, 75ms, 500ms, generator{1}, time_point{}};
  CHECK_FALSE(x.target().valid());
  CHECK_FALSE(x.tick(time_point{1s}));
  CHECK_FALSE(x.next_wake());
  CHECK(x.voters_are(time_point{1s}, {c}));
  CHECK(x.target() == c);
}

} // namespace paxtor::cluster
