#include <doctest/doctest.h>

#include "test/sim/durability_checker.hpp"

using namespace paxtor;
using namespace paxtor::sim;

namespace {

const voter_id a{1};
const voter_id b{2};
const voter_id c{3};
const ballot first{1, a};
const blob red{std::string{"red"}};
const blob blue{std::string{"blue"}};

/// Three voters and both checkers, told as the simulator tells them.
struct court_of_three {
  agreement_checker log{{{{a, "a"}, {b, "b"}, {c, "c"}}}};
  durability_checker check{log};

  [[nodiscard]] verdict accept(voter_id by, slot where, ballot at = first, const blob& what = red) {
    if (auto found = log.accepted(by, where, at, what))
      return found;
    return check.wrote(by, {{}, {paxos::write_accepted{where, {at, what}}}});
  }

  [[nodiscard]] verdict snapshot(voter_id by, slot upto) {
    return check.wrote(by, {{}, {paxos::write_snapshot{upto, {}, {}, {}}}});
  }

  [[nodiscard]] verdict cut(voter_id by, slot upto) {
    return check.wrote(by, {{}, {paxos::write_truncate{upto}}});
  }

  /// Slots 1 to 4 are chosen by a and b; c knows of none.
  court_of_three() {
    for (std::uint64_t i = 1; i <= 4; ++i) {
      CHECK(!check.starts(a, state_of(a, i - 1)));
      CHECK(!accept(a, slot{i}));
      CHECK(!accept(b, slot{i}));
    }
    CHECK(!check.starts(c, state_of(c, 0)));
    CHECK(log.chosen_upto() == slot{4});
  }

  /// A store that holds the slots up to `last`.
  static paxos::recovered state_of(voter_id self, std::uint64_t last) {
    paxos::recovered state;
    state.self = self;
    for (std::uint64_t i = 1; i <= last; ++i)
      state.accepted[slot{i}] = {first, red};
    return state;
  }
};

} // namespace

TEST_CASE("durability: a log that is cut behind its durable snapshot is fine") {
  court_of_three x;
  CHECK(!x.snapshot(a, slot{3}));
  CHECK(!x.cut(a, slot{3}));
  CHECK(!x.snapshot(b, slot{3}));
  CHECK(!x.cut(b, slot{3}));
  CHECK(x.check.checked() > 0);
}

TEST_CASE("durability: a write is judged as a whole") {
  court_of_three x;
  CHECK(!x.check.wrote(
    a, {{}, {paxos::write_truncate{slot{3}}, paxos::write_snapshot{slot{3}, {}, {}, {}}}}));
}

TEST_CASE("durability: a log that is cut before its snapshot is durable is wrong") {
  court_of_three x;
  SUBCASE("no snapshot at all") {
    CHECK(x.cut(a, slot{2}));
  }
  SUBCASE("a snapshot that does not reach as far") {
    CHECK(!x.snapshot(a, slot{2}));
    CHECK(x.cut(a, slot{3}));
  }
  SUBCASE("where a third voter holds the value too it harms nobody yet; the next cut does") {
    CHECK(!x.accept(c, slot{1}));
    CHECK(!x.cut(a, slot{1}));
    CHECK(x.cut(b, slot{1}));
  }
}

TEST_CASE("durability: a snapshot that an older one replaces takes values with it") {
  court_of_three x;
  CHECK(!x.snapshot(a, slot{3}));
  CHECK(!x.cut(a, slot{3}));
  CHECK(x.snapshot(a, slot{1}));
}

TEST_CASE("durability: a voter that comes back with what it held is fine, also without a log") {
  court_of_three x;
  CHECK(!x.check.starts(a, court_of_three::state_of(a, 4)));
  paxos::recovered state;
  state.self = a;
  state.snapshot = paxos::write_snapshot{slot{4}, {}, {}, {}};
  CHECK(!x.check.starts(a, state));
}

TEST_CASE("durability: a voter that comes back without what it held is wrong") {
  court_of_three x;
  SUBCASE("blank: it lost its disk and goes on under its old id") {
    CHECK(x.check.starts(a, court_of_three::state_of(a, 0)));
  }
  SUBCASE("without the last acceptance") {
    CHECK(x.check.starts(a, court_of_three::state_of(a, 3)));
  }
  SUBCASE("with another value") {
    auto state = court_of_three::state_of(a, 4);
    state.accepted[slot{4}] = {ballot{2, c}, blue};
    CHECK(x.check.starts(a, state));
  }
}

TEST_CASE("durability: a voter that lost its disk and never votes again takes nothing with it") {
  court_of_three x;
  x.check.lost(a);
  CHECK(!x.accept(b, slot{5}));
  // Its promise is not to be had, so every majority that can be had is b and c.
  CHECK(!x.check.starts(b, court_of_three::state_of(b, 4)));
  CHECK(!x.snapshot(b, slot{4}));
  CHECK(!x.cut(b, slot{4}));
}

TEST_CASE("durability: a log that comes to rest short of what was chosen is wrong") {
  court_of_three x;
  CHECK(!x.check.at_rest(a, slot{4}));
  CHECK(!x.check.at_rest(a, slot{5}));
  CHECK(x.check.at_rest(a, slot{3}));
}
