/// Agreement and progress of the log over many seeds, in all weathers. The network checks agreement
/// at every entry.

#include <doctest/doctest.h>

#include "test/unit/paxos_net.hpp"

using namespace paxtor;
using namespace paxtor::paxos;
using paxtor::paxos::test::loose_voter;
using paxtor::paxos::test::network;

namespace {

/// Small bounds, so that windows fill, batches split and snapshots travel.
limits small() {
  limits x;
  x.batch_entries = 4;
  x.slots_in_flight = 4;
  x.slots_kept = 8;
  x.slots_known_decided = 2;
  x.promise_bytes = 100;
  x.snapshot_entries = 40;
  x.chunk_bytes = 7;
  return x;
}

template <class Voter>
void storm(std::uint64_t seed, std::size_t voters) {
  CAPTURE(seed);
  network<Voter> x{seed, voters, small()};
  auto& random = x.random();
  x.sky() = {random.below(15), random.below(15), 200 + random.below(2000), random.below(20000),
             100 + random.below(20000)};
  std::uint64_t number = 0;
  for (int step = 0; step < 60; ++step) {
    switch (random.below(8)) {
      case 0: {
        const auto i = random.below(voters);
        if (x.at(i).voter)
          x.crash(i);
        break;
      }
      case 1:
        x.cut(random.below(voters), random.below(voters));
        break;
      case 2:
        x.heal();
        break;
      default:
        for (std::size_t i = 0; i < voters; ++i) {
          if (!x.at(i).voter && random.chance(50))
            x.start(i);
        }
    }
    for (std::size_t i = 0; i < voters; ++i) {
      for (auto n = random.below(10); n > 0; --n) {
        if (x.propose(i, "c" + std::to_string(number)))
          ++number;
      }
      if (x.at(i).voter && x.at(i).voter->state().leading)
        x.confirm(i, number);
    }
    x.run(std::chrono::milliseconds{static_cast<long>(20 + random.below(300))});
  }
  // After the faults end: a leader, and everything proposed from now on is decided everywhere.
  x.heal();
  x.sky() = {};
  for (std::size_t i = 0; i < voters; ++i) {
    if (!x.at(i).voter)
      x.start(i);
  }
  REQUIRE(x.run_until(
    [&] {
      const auto leader = x.leader();
      if (leader && x.propose(*leader, "last"))
        x.run(std::chrono::milliseconds{20});
      return x.all_have("last");
    },
    std::chrono::seconds{20}));
  REQUIRE(x.run_until(
    [&] {
      for (std::size_t i = 1; i < voters; ++i) {
        if (x.at(i).applied != x.at(0).applied)
          return false;
      }
      return true;
    },
    std::chrono::seconds{5}));
}

} // namespace

TEST_CASE("whole replicas agree under loss, repetition, reordering, cuts and crashes") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    storm<replica>(seed, 3);
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    storm<replica>(1000 + seed, 5);
}

TEST_CASE("roles that run apart agree under any interleaving") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    storm<loose_voter>(2000 + seed, 3);
}
