#include <chrono>

#include <doctest/doctest.h>

#include "test/sim/exclusion_checker.hpp"

using namespace paxtor;
using namespace paxtor::sim;
using namespace std::chrono_literals;

namespace {

moment at(int ms) {
  return moment{std::chrono::milliseconds{ms}};
}

const claimant alice{0, 1, local_actor_id{1}};
const claimant bob{1, 1, local_actor_id{1}};

} // namespace

TEST_CASE("exclusion: one after the other is fine") {
  exclusion_checker c{10ms};
  CHECK(!c.granted(at(1), "k", alice, token{5}));
  CHECK(!c.granted(at(1), "other", bob, token{4}));
  CHECK(!c.ended(at(2), "k", alice));
  CHECK(!c.granted(at(2), "k", bob, token{7}));
  CHECK(c.grants() == 3);
}

TEST_CASE("exclusion: two owners at once are wrong") {
  exclusion_checker c{10ms};
  CHECK(!c.granted(at(1), "k", alice, token{5}));
  auto bad = c.granted(at(2), "k", bob, token{7});
  REQUIRE(bad);
  CHECK(bad->kind == finding_kind::wrong);
  CHECK(bad->rule == "one holder");
}

TEST_CASE("exclusion: a reentrant grant is the same ownership") {
  exclusion_checker c{10ms};
  CHECK(!c.granted(at(1), "k", alice, token{5}));
  CHECK(!c.granted(at(2), "k", alice, token{5}));
  CHECK(!c.ended(at(3), "k", alice));
  CHECK(c.ended(at(4), "k", alice));
}

TEST_CASE("exclusion: a token that does not grow is wrong") {
  exclusion_checker c{10ms};
  CHECK(!c.granted(at(1), "k", alice, token{5}));
  CHECK(!c.ended(at(2), "k", alice));
  auto bad = c.granted(at(3), "k", bob, token{5});
  REQUIRE(bad);
  CHECK(bad->rule == "token order");
}

TEST_CASE("exclusion: a frozen owner may overlap, with a lower token, until it had time to end") {
  exclusion_checker c{10ms};
  CHECK(!c.granted(at(1), "k", alice, token{5}));
  c.paused(alice.process);
  CHECK(!c.granted(at(100), "k", bob, token{9}));
  CHECK(c.overlaps_exempted() == 1);
  c.thawed(at(200), alice.process);
  CHECK(!c.look(at(209)));
  SUBCASE("it ends in time") {
    CHECK(!c.ended(at(209), "k", alice));
    CHECK(!c.look(at(210)));
  }
  SUBCASE("it lives on") {
    CHECK(c.look(at(210)));
    CHECK(c.ended(at(211), "k", alice));
  }
}

TEST_CASE("exclusion: the later owner beside a frozen one needs a higher token") {
  exclusion_checker c{10ms};
  CHECK(!c.granted(at(1), "k", alice, token{5}));
  c.paused(alice.process);
  CHECK(c.granted(at(100), "k", bob, token{5}));
}

TEST_CASE("exclusion: an old grant that reaches its actor at the thaw is told apart by its token") {
  exclusion_checker c{10ms};
  c.paused(alice.process);
  CHECK(!c.granted(at(100), "k", bob, token{9}));
  c.thawed(at(200), alice.process);
  CHECK(!c.granted(at(201), "k", alice, token{5}));
  CHECK(!c.look(at(205)));
  SUBCASE("it may not live on") {
    CHECK(c.look(at(210)));
  }
  SUBCASE("the owner's own end is not late") {
    CHECK(!c.ended(at(300), "k", bob));
  }
}

TEST_CASE("exclusion: long after the thaw an old grant is wrong") {
  exclusion_checker c{10ms};
  c.paused(alice.process);
  c.thawed(at(50), alice.process);
  CHECK(!c.granted(at(100), "k", bob, token{9}));
  CHECK(!c.ended(at(101), "k", bob));
  CHECK(c.granted(at(201), "k", alice, token{5}));
}
