#include <chrono>
#include <set>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "test/sim/event_queue.hpp"
#include "test/sim/model_store.hpp"
#include "test/sim/network.hpp"
#include "test/sim/small_net.hpp"
#include "test/sim/true_time.hpp"

using namespace paxtor;
using namespace paxtor::sim;
using namespace std::chrono_literals;

TEST_CASE("event queue: in order of time, then of asking") {
  event_queue q;
  std::vector<int> seen;
  q.after(2ms, [&] { seen.push_back(3); });
  q.after(1ms, [&] {
    seen.push_back(1);
    q.after(0ms, [&] { seen.push_back(2); });
  });
  q.after(2ms, [&] { seen.push_back(4); });
  while (!q.empty())
    q.run_next();
  CHECK(seen == std::vector<int>{1, 2, 3, 4});
  CHECK(q.now() == moment{2ms});
  CHECK(q.executed() == 4);
}

TEST_CASE("skewed clock: when() is the first moment at which the clock reads that") {
  generator random{5};
  for (int i = 0; i < 1000; ++i) {
    skewed_clock clock{random.below(1'000'000'000), random.between(990'000, 1'010'000)};
    moment t{duration{static_cast<duration::rep>(random.below(1'000'000'000))}};
    auto local = clock.read(t);
    auto when = clock.when(local);
    REQUIRE(clock.read(when) >= local);
    REQUIRE(when <= t);
    if (when > moment{})
      REQUIRE(clock.read(when - 1us) < local);
  }
}

namespace {

/// A store with four writes of one acceptance each: one durable, two in the sync under way, one
/// behind.
struct crashed_store {
  std::vector<slot> witnessed;
  std::set<slot> kept;

  crashed_store(std::uint64_t seed, crash_order order) {
    model_store store{voter_id{1}, [this](const paxos::write& what) {
                        witnessed.push_back(
                          std::get<paxos::write_accepted>(what.ops.front()).where);
                      }};
    for (std::uint64_t i = 1; i <= 4; ++i)
      store.append({write_id{i}, {paxos::write_accepted{slot{i}, {ballot{1, voter_id{1}}, {}}}}});
    store.begin_sync(1);
    CHECK(store.complete_sync() == write_id{1});
    CHECK(witnessed == std::vector<slot>{slot{1}});
    store.begin_sync(2);
    generator random{seed};
    store.crash(random, order);
    CHECK(store.idle());
    for (const auto& [where, value] : store.read().accepted)
      kept.insert(where);
    CHECK(kept == std::set<slot>(witnessed.begin(), witnessed.end()));
  }
};

} // namespace

TEST_CASE("model store: one sync covers many writes, and is told by the last") {
  unsigned seen = 0;
  model_store store{voter_id{1}, [&](const paxos::write&) { ++seen; }};
  for (std::uint64_t i = 1; i <= 5; ++i)
    store.append({write_id{i}, {paxos::write_promise{ballot{i, voter_id{1}}}}});
  store.begin_sync(4);
  CHECK(seen == 0);
  CHECK(store.complete_sync() == write_id{4});
  CHECK(seen == 4);
  CHECK(store.read().promised == ballot{4, voter_id{1}});
  CHECK(!store.idle());
}

TEST_CASE(
  "model store: as synced, a crash keeps the transaction in flight as a whole or loses it") {
  std::set<std::set<slot>> seen;
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    seen.insert(crashed_store{seed, crash_order::as_synced}.kept);
  CHECK(seen == std::set<std::set<slot>>{{slot{1}}, {slot{1}, slot{2}, slot{3}}});
}

TEST_CASE("model store: in any order, a crash keeps what was durable and anything of the rest") {
  std::set<std::set<slot>> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    auto kept = crashed_store{seed, crash_order::any}.kept;
    CHECK(kept.contains(slot{1}));
    seen.insert(std::move(kept));
  }
  CHECK(seen.size() == 8);
  CHECK(seen.contains({slot{1}, slot{4}}));
}

TEST_CASE("network: what is cut gets lost, one direction at a time, and calm ends it") {
  small_net all{small_net::quick()};
  auto& net = all.net;
  unsigned arrived = 0;
  net.attach([&](process_number, process_number, const packet&) { ++arrived; });
  auto send = [&](process_number from, process_number to) {
    arrived = 0;
    net.send(from, to, cluster::refuse_frame{"x"});
    all.run();
    return arrived;
  };
  CHECK(send(0, 1) == 1);
  net.cut(0, 1);
  net.cut(0, 1);
  CHECK(send(0, 1) == 0);
  CHECK(send(1, 0) == 1);
  net.heal(0, 1);
  CHECK(send(0, 1) == 0);
  net.heal(0, 1);
  CHECK(send(0, 1) == 1);
  net.cut(1, 1);
  CHECK(send(1, 1) == 1);
  net.cut(0, 1);
  net.calm();
  CHECK(send(0, 1) == 1);
  CHECK(all.counts.messages_lost == 2);
}

TEST_CASE("network: frames go through bytes where the seed says so") {
  knobs how;
  how.through_bytes = true;
  small_net all{how};
  auto& net = all.net;
  std::string why;
  net.attach([&](process_number, process_number, const packet& what) {
    why = std::get<cluster::refuse_frame>(*what).why;
  });
  net.send(0, 1, cluster::refuse_frame{"so"});
  all.run();
  CHECK(why == "so");
  CHECK(!all.judge.closed());
}
