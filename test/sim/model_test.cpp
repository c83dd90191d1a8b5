#include <chrono>
#include <vector>

#include <doctest/doctest.h>

#include "test/sim/event_queue.hpp"
#include "test/sim/model_store.hpp"
#include "test/sim/network.hpp"
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

TEST_CASE("model store: a crash keeps a prefix of what was not told durable yet") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<slot> witnessed;
    model_store store{
      voter_id{1}, [&](slot where, const paxos::accepted_value&) { witnessed.push_back(where); }};
    for (std::uint64_t i = 1; i <= 4; ++i)
      store.append(
        paxos::write{write_id{i}, {paxos::write_accepted{slot{i}, {ballot{1, voter_id{1}}, {}}}}});
    CHECK(store.complete_one() == write_id{1});
    generator random{seed};
    store.crash(random);
    CHECK(store.idle());
    auto kept = store.read().accepted.size();
    CHECK(kept >= 1);
    CHECK(kept == witnessed.size());
    CHECK(store.read().accepted.rbegin()->first == slot{kept});
  }
}

TEST_CASE("network: what is cut gets lost, one direction at a time, and calm ends it") {
  event_queue events;
  journal story;
  court judge;
  stats counts;
  knobs how;
  how.delay_max = 1ms;
  network net{events, story, judge, counts, how, generator{1}};
  unsigned arrived = 0;
  net.attach([&](process_number, process_number, const packet&) { ++arrived; });
  auto send = [&](process_number from, process_number to) {
    arrived = 0;
    net.send(from, to, cluster::refuse_frame{"x"});
    while (!events.empty())
      events.run_next();
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
  CHECK(counts.messages_lost == 2);
}

TEST_CASE("network: frames go through bytes where the seed says so") {
  event_queue events;
  journal story;
  court judge;
  stats counts;
  knobs how;
  how.through_bytes = true;
  network net{events, story, judge, counts, how, generator{1}};
  std::string why;
  net.attach([&](process_number, process_number, const packet& what) {
    why = std::get<cluster::refuse_frame>(*what).why;
  });
  net.send(0, 1, cluster::refuse_frame{"so"});
  while (!events.empty())
    events.run_next();
  CHECK(why == "so");
  CHECK(!judge.closed());
}
