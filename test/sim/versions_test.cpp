#include <doctest/doctest.h>

#include "test/sim/versions.hpp"

using namespace paxtor;
using namespace paxtor::sim;

namespace {

paxtor::index at(std::uint64_t x) {
  return paxtor::index{x};
}

} // namespace

TEST_CASE("versions: an answer may tell any state between what was known and what is decided") {
  versions v;
  v.changed(at(5), "x", "one");
  v.changed(at(9), "x", "two");
  v.changed(at(12), "x", "three");
  CHECK(!v.answered("x", "nothing", at(0), at(20), "nothing"));
  CHECK(!v.answered("x", "one", at(5), at(20), "nothing"));
  CHECK(!v.answered("x", "two", at(5), at(20), "nothing"));
  CHECK(!v.answered("x", "three", at(5), at(12), "nothing"));
  CHECK(v.checked() == 4);
  CHECK(v.answered("x", "nothing", at(5), at(20), "nothing"));
  CHECK(v.answered("x", "one", at(9), at(20), "nothing"));
  CHECK(v.answered("x", "three", at(5), at(11), "nothing"));
  CHECK(v.answered("x", "four", at(0), at(20), "nothing"));
}

TEST_CASE("versions: what was told is seen by every later question") {
  versions v;
  v.changed(at(5), "x", "one");
  auto before = v.asked("x");
  v.told(at(6));
  CHECK(!v.answered("x", "nothing", before, at(6), "nothing"));
  CHECK(v.answered("x", "nothing", v.asked("x"), at(6), "nothing"));
  CHECK(!v.answered("x", "one", v.asked("x"), at(6), "nothing"));
}

TEST_CASE("versions: no question is answered with less than an earlier answer") {
  versions v;
  v.changed(at(5), "x", "one");
  v.changed(at(9), "x", "two");
  auto both = v.asked("x");
  CHECK(!v.answered("x", "two", both, at(9), "nothing"));
  // Asked at the same time: may be older.
  CHECK(!v.answered("x", "one", both, at(9), "nothing"));
  // Asked after the answer: may not.
  CHECK(v.answered("x", "one", v.asked("x"), at(9), "nothing"));
  // Of something else nothing was answered.
  CHECK(!v.answered("y", "nothing", v.asked("y"), at(9), "nothing"));
}
