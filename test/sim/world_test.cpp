#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "test/sim/report.hpp"
#include "test/sim/world.hpp"

using namespace paxtor;
using namespace paxtor::sim;

namespace {

run_result run_seed(std::uint64_t seed, std::ostream* follow = nullptr) {
  install_check_handler();
  run_options options;
  options.seed = seed;
  options.steps = 4000;
  options.follow = follow;
  return run(options);
}

} // namespace

TEST_CASE("world: a seed is one run, bit for bit, with its story told or not") {
  auto first = run_seed(7);
  std::ostringstream story;
  auto second = run_seed(7, &story);
  CHECK(first.digest == second.digest);
  CHECK(first.counts.steps == second.counts.steps);
  CHECK(first.counts.simulated_us == second.counts.simulated_us);
  CHECK(first.knobs == second.knobs);
  CHECK(story.str().size() > 1000);
}

TEST_CASE("world: what is left out does not happen, and the rest is numbered as before") {
  install_check_handler();
  run_options how;
  how.steps = 4000;
  run_result all;
  do {
    ++how.seed;
    all = run(how);
  } while (all.faults <= 3 || all.counts.grants == 0);
  REQUIRE(all.refused.empty());
  REQUIRE(all.faults > 3);
  REQUIRE(all.actors > 3);
  how.differs.set.emplace_back("loss_percent", "0");
  CHECK(how.differs.without_faults.add("1-1000"));
  CHECK(how.differs.without_actors.add("1-100000"));
  auto none = run(how);
  CHECK(!none.found);
  CHECK(none.counts.cuts + none.counts.crashes + none.counts.pauses == 0);
  CHECK(none.counts.grants == 0);
  CHECK(none.actors > 3);
  CHECK(none.knobs.find("loss_percent=0") != std::string::npos);
  how.differs.set.emplace_back("voters", "9");
  CHECK(!run(how).refused.empty());
}

TEST_CASE("world: another seed is another run") {
  CHECK(run_seed(7).digest != run_seed(8).digest);
}

TEST_CASE("world: runs do what they are for") {
  stats all;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    auto result = run_seed(seed);
    INFO("seed ", seed, ": ", explain(result, "paxtor-sim"));
    CHECK(!result.found);
    add(all, result.counts);
  }
  CHECK(all.runs == 150);
  CHECK(all.grants > 500);
  CHECK(all.slots_chosen > 1000);
  CHECK(all.images_compared > 100);
  CHECK(all.cuts > 10);
  CHECK(all.crashes > 5);
  CHECK(all.pauses > 5);
  CHECK(all.changes > 2);
  CHECK(all.disk_errors > 5);
  CHECK(all.disks_lost > 0);
  CHECK(all.durability_checked > 1000);
  CHECK(all.fences > 0);
  CHECK(all.flaps > 5);
  CHECK(all.blackouts > 0);
  CHECK(all.drains > 5);
  CHECK(all.entries_judged > 5000);
  CHECK(all.answers_checked > 100);
  CHECK(all.deadlocks > 5);
  CHECK(all.messages_to_names > 100);
  CHECK(all.refused_by_names > 5);
  CHECK(all.messages_lost > 100);
}

TEST_CASE("world: knobs keep within their bounds, and every kind of cluster comes up") {
  bool sizes[8] = {};
  bool memory = false;
  bool durable = false;
  bool changing = false;
  bool fixed = false;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    auto k = knobs::draw(generator{seed});
    REQUIRE(k.voters >= 1);
    REQUIRE(k.voters <= 7);
    REQUIRE(k.clients <= 20);
    REQUIRE(k.standbys <= k.clients);
    REQUIRE(k.problem().empty());
    (k.change_every != duration{} ? changing : fixed) = true;
    REQUIRE(k.ttl >= cluster::min_ttl);
    REQUIRE(k.ttl <= std::chrono::seconds{3});
    // 1 %: the rates of two clocks.
    REQUIRE((1'000'000.0 + k.clock_skew_ppm) / (1'000'000.0 - k.clock_skew_ppm) <= 1.01);
    sizes[k.voters] = true;
    (k.durable ? durable : memory) = true;
    cluster::lease_options leases;
    leases.ttl = k.ttl;
    std::string why;
    REQUIRE_MESSAGE(cluster::validate(leases, cluster::timing_for(k.ttl), why), why);
  }
  for (int n = 1; n <= 7; ++n)
    CHECK(sizes[n]);
  CHECK(memory);
  CHECK(durable);
  CHECK(changing);
  CHECK(fixed);
}

TEST_CASE("world: a finding says what, when, and how to see it again") {
  run_result result;
  result.seed = 42;
  result.steps = 100;
  result.replay = run_options{42, 100, {}, 0, nullptr}.replay();
  result.found = wrong("one holder", "k has two");
  result.tail = {"0.1 first", "0.2 second"};
  auto text = explain(result, "paxtor-sim");
  CHECK(text.find("wrong: one holder: k has two") != std::string::npos);
  CHECK(text.find("paxtor-sim --replay 42 --steps 100") != std::string::npos);
  CHECK(text.find("0.2 second") != std::string::npos);
  CHECK(to_json(result)["finding"]["kind"] == "wrong");
}
