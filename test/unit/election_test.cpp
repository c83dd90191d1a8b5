#include <doctest/doctest.h>

#include "libpaxtor/paxos/election.hpp"
#include "test/unit/paxos_help.hpp"

using namespace paxtor;
using namespace paxtor::paxos;
using namespace paxtor::paxos::test;

TEST_CASE("the timeout is random within its bounds and follows the leader") {
  const timing times;
  bool differ = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    election x{a, times, generator{seed}, start};
    CHECK_FALSE(x.due(start + times.election_min - milliseconds{1}));
    CHECK(x.due(start + times.election_max));
    differ = differ || x.due(start + milliseconds{350}) != x.due(start + milliseconds{400});
    x.heard(start + milliseconds{400}, b);
    CHECK_FALSE(x.due(start + milliseconds{400} + times.election_min - milliseconds{1}));
    CHECK(x.due(start + milliseconds{400} + times.election_max));
  }
  CHECK(differ);
}

TEST_CASE("a leader that was heard is protected for election_min, but not from itself") {
  const timing times;
  election x{a, times, generator{1}, start};
  CHECK(x.hears_other(start, b));
  x.heard(start, b);
  CHECK(x.hears_other(start + milliseconds{249}, c));
  CHECK_FALSE(x.hears_other(start + milliseconds{249}, b));
  CHECK_FALSE(x.hears_other(start + milliseconds{250}, c));
}

TEST_CASE("the pre-vote counts distinct voters of the configuration") {
  election x{a, {}, generator{1}, start};
  CHECK_FALSE(x.won(three()));
  x.begin(start, at(3, a));
  CHECK(x.asked() == at(3, a));
  CHECK_FALSE(x.won(three()));
  x.grant(d, three());
  x.grant(a, three());
  CHECK_FALSE(x.won(three()));
  x.grant(b, three());
  CHECK(x.won(three()));
  x.campaign(start);
  CHECK_FALSE(x.asked().valid());
  CHECK_FALSE(x.won(three()));
}

TEST_CASE("failed pre-votes back off, and a heard leader resets that") {
  const timing times;
  election x{a, times, generator{1}, start};
  auto now = start;
  for (int i = 0; i < 10; ++i)
    x.begin(now, at(1, a));
  CHECK_FALSE(x.due(now + times.election_max - milliseconds{1}));
  x.heard(now, b);
  now += times.election_max;
  x.begin(now, at(2, a));
  CHECK(x.due(now + 2 * times.tick));
}

TEST_CASE("after a lost campaign the winner is given a moment") {
  const timing times;
  election x{a, times, generator{1}, start};
  x.retreat(start);
  CHECK_FALSE(x.due(start + 2 * times.tick - milliseconds{1}));
  CHECK(x.due(start + times.election_min));
}
