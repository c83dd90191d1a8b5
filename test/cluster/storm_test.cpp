// kill -9 storms: voters with data directories are killed at random moments under load, one or all
// at once, and afterwards everything that anybody was told is looked at.
//
// The full form: PAXTOR_STORM_KILLS=200 BUILD/test/paxtor-cluster-tests -tc='storm: kill -9*'
// Again as it was, as far as processes go: PAXTOR_STORM_SEED=...

#include <csignal>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "libpaxtor/base/random.hpp"
#include "test/cluster/load_checker.hpp"
#include "test/cluster/watched_load.hpp"

using namespace paxtor::test;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Longer than any time without a majority: owners that live through the storm stay owners.
const std::string ttl = "15s";
// As often as leaders die, each that is found renews the leases at once. What a lease loses is the
// time between two renewals (ttl/6), the kills of a round, and what a leader takes to recover up to
// 100,000 commands when all voters were killed: some seconds.
constexpr milliseconds least_lease_left = 5000ms;

class storm {
public:
  explicit storm(std::uint64_t seed) : random_(seed) {
    for (const auto* name : {"x", "y"})
      load_.begin(name);
  }

  /// Kills until `count` processes were.
  void rage(std::uint64_t count) {
    for (int round = 1; ones_ + 3 * alls_ < count; ++round) {
      // At random moments: also while a voter that was killed before comes back.
      std::this_thread::sleep_for(milliseconds{20 + random_.below(500)});
      const bool all = random_.below(5) == 0;
      const auto victims = all ? nodes_.names : words{nodes_.names[random_.below(3)]};
      for (const auto& name : victims)
        nodes_.running[name]->signal(SIGKILL);
      for (const auto& name : victims) {
        nodes_.running[name]->kill_now();
        nodes_.begin(name);
        starting_.insert(name);
      }
      ++(all ? alls_ : ones_);
      if (round % 4 == 0)
        await_progress();
    }
    await_progress();
  }

  void check() {
    MESSAGE("killed: one voter " << ones_ << " times, all three " << alls_ << " times");
    const auto left = load_.least_lease_left();
    MESSAGE("no lease came nearer to its end than " << left.count() << " ms");
    CHECK(left >= least_lease_left);
    load_.check();
  }

private:
  void await_progress() {
    for (const auto& name : starting_)
      nodes_.wait_ready(name);
    starting_.clear();
    load_.await_progress();
  }

  paxtor::generator random_;
  kept_nodes nodes_{{"--ttl", ttl, "--log-level", "error"}};
  watched_load load_{nodes_, ttl};
  /// Voters that have not said "ready" since their last start.
  std::set<std::string> starting_;
  std::uint64_t ones_ = 0;
  std::uint64_t alls_ = 0;
};

std::vector<std::string> problems_of(const std::vector<std::string>& lines) {
  load_checker found;
  found.read(lines);
  return found.problems();
}

} // namespace

TEST_CASE("storm: kill -9 of voters under load loses nothing and doubles nothing") {
  const auto seed = from_environment("PAXTOR_STORM_SEED", std::random_device{}());
  MESSAGE("PAXTOR_STORM_SEED=" << seed);
  storm one{seed};
  one.rage(from_environment("PAXTOR_STORM_KILLS", 20));
  one.check();
}

TEST_CASE("storm: the checker finds what it is there for") {
  const words good{"begin k 5 100", "end k 5 200", "begin k 7 200", "end k 7 300",
                   "begin l 6 150", "end l 6 250", "put e x",       "put e x"};
  CHECK(problems_of(good).empty());
  const auto with = [&](const std::string& line) {
    auto all = good;
    all.push_back(line);
    return problems_of(all).size();
  };
  // It began while another one owned the key.
  CHECK(problems_of({"begin k 5 100", "end k 5 200", "begin k 7 199", "end k 7 300"}).size() == 1);
  // A token that is lower than that of an earlier owner.
  CHECK(problems_of({"begin k 7 100", "end k 7 200", "begin k 5 300", "end k 5 400"}).size() == 1);
  CHECK(with("begin k 9 400") == 1); // no end
  CHECK(with("begin k 7 400") == 1); // one token twice
  CHECK(with("end k 9 400") == 1);
  CHECK(with("put e y") == 1);
  CHECK(with("begin k") == 1);
  CHECK(with("what") == 1);
}
