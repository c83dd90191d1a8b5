#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "test/sim/minimiser.hpp"
#include "test/sim/number_set.hpp"
#include "test/sim/schedule.hpp"
#include "test/sim/seed_source.hpp"

using namespace paxtor;
using namespace paxtor::sim;

namespace {

number_set numbers(std::string_view text) {
  number_set out;
  CHECK(out.add(text));
  return out;
}

/// Stands for a run of 40 faults and 90 actors that is wrong if faults 7 and 31 and actor 12 happen
/// within 500 steps of a cluster with loss.
run_result pretend(const run_options& how) {
  run_result out;
  out.seed = how.seed;
  out.counts.steps = how.steps + 100;
  out.faults = std::min<std::uint64_t>(40, how.steps / 10);
  out.actors = 90;
  knobs drawn;
  out.refused = knobs_of(how, drawn);
  out.knobs = drawn.text();
  const auto& without = how.differs.without_faults;
  if (out.refused.empty() && !without.contains(7) && !without.contains(31)
      && !how.differs.without_actors.contains(12) && how.steps >= 500 && drawn.repeat_percent != 0)
    out.found = wrong("one holder", "k has two");
  else if (how.steps > 300)
    out.found = wrong("another rule", "not this one");
  return out;
}

} // namespace

TEST_CASE("number set: as people write it, and back") {
  CHECK(numbers("").text().empty());
  CHECK(numbers("3").text() == "3");
  CHECK(numbers("9,3,7-8").text() == "3,7-9");
  CHECK(numbers("1,2").text() == "1,2");
  CHECK(numbers("3,7-9").contains(8));
  CHECK(!numbers("3,7-9").contains(4));
  number_set bad;
  for (const auto* text : {"x", "3-", "-3", "9-3", "1,,2", "1-99999999"})
    CHECK_MESSAGE(!bad.add(text), text);
  CHECK(bad.empty());
}

TEST_CASE("schedule: what is left out is counted all the same") {
  schedule plan{numbers("2"), numbers("1,3")};
  CHECK(plan.next_fault());
  CHECK(!plan.next_fault());
  CHECK(plan.next_fault());
  CHECK(plan.faults() == 3);
  CHECK(!plan.next_actor());
  CHECK(plan.next_actor());
  CHECK(!plan.next_actor());
}

TEST_CASE("seed source: listed ones, ranges, and all from one on") {
  seed_source some;
  CHECK(some.empty());
  some.add(7);
  CHECK(some.add_range("9-10"));
  CHECK(!some.add_range("9-1"));
  CHECK(!some.add_range("x"));
  CHECK(some.size() == 3);
  CHECK(some.at(2) == 10);
  CHECK(!some.at(3));
  seed_source all;
  all.endless_from(5);
  CHECK(all.is_endless());
  CHECK(all.at(1'000'000) == 1'000'005);
}

TEST_CASE("knobs: set by name, within bounds") {
  knobs k = knobs::draw(generator{1});
  CHECK(k.set("loss_percent", "0"));
  CHECK(k.loss_percent == 0);
  CHECK(k.set("delay_shape", "long_tail"));
  CHECK(k.set("ttl_us", "400000"));
  CHECK(k.set("durable", "1"));
  CHECK(k.text().find("delay_shape=long_tail") != std::string::npos);
  CHECK(k.problem().empty());
  CHECK(!k.set("no_such", "1"));
  CHECK(!k.set("voters", "x"));
  CHECK(!k.set("delay_shape", "square"));
  for (auto [name, value] : {std::pair{"voters", "8"}, std::pair{"clients", "21"},
                             std::pair{"ttl_us", "1"}, std::pair{"loss_percent", "101"},
                             std::pair{"clock_skew_ppm", "6000"}, std::pair{"keys", "0"}}) {
    auto bad = k;
    CHECK(bad.set(name, value));
    CHECK_MESSAGE(!bad.problem().empty(), name);
  }
}

TEST_CASE("minimiser: keeps what is needed, and little else") {
  run_options start;
  // A seed whose knobs have what pretend() wants.
  for (start.seed = 1, start.steps = 20'000; pretend(start).found->rule != "one holder";)
    ++start.seed;
  unsigned told = 0;
  minimiser shrinks{pretend, {}, [&told](const minimiser&) { ++told; }};
  REQUIRE(shrinks.shrink(start));
  CHECK(shrinks.result().found->rule == "one holder");
  CHECK(shrinks.options().steps >= 500);
  CHECK(shrinks.options().steps <= 520);
  const auto& gone = shrinks.options().differs;
  CHECK(gone.without_faults.text() == "1-6,8-30,32-40");
  CHECK(gone.without_actors.text() == "1-11,13-90");
  CHECK(shrinks.faults_left() == 2);
  CHECK(shrinks.actors_left() == 1);
  CHECK(!gone.set.empty());
  CHECK(std::none_of(gone.set.begin(), gone.set.end(),
                     [](const auto& x) { return x.first == "repeat_percent"; }));
  CHECK(told == shrinks.runs() - 1);
  CHECK(shrinks.runs() < 500);
  // What it says is what it ran.
  CHECK(pretend(shrinks.options()).found->rule == "one holder");
  CHECK(shrinks.options().replay().find("--without-faults 1-6,8-30,32-40") != std::string::npos);
}

TEST_CASE("minimiser: a seed that finds nothing is told, and its runs are bounded") {
  run_options start;
  start.steps = 100;
  minimiser nothing{pretend, {}, [](const minimiser&) {}};
  CHECK(!nothing.shrink(start));
  start.steps = 20'000;
  minimiser few{pretend, {.runs = 10}, [](const minimiser&) {}};
  CHECK(few.shrink(start));
  CHECK(few.runs() == 10);
}
