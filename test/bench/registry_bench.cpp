// What one command costs the registry, with few and with many locks held, and what a held lock
// takes. One thread, no store, no network. Asserts nothing about time.

#include <malloc.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "libpaxtor/registry/machine.hpp"

using namespace paxtor;
using namespace paxtor::registry;

namespace {

struct bench_world {
  machine reg;
  paxtor::index at{0};
  outcome out;
  session_id session;
  std::uint64_t number = 0;
  std::uint64_t actor = 0;

  bench_world() {
    open_session open;
    open.node = node_id{1};
    open.name = "bench";
    apply(open);
    session = out.answers.at(0).what.opened;
    out = {};
  }

  void apply(const command& what) {
    at = at.next();
    reg.apply(at, what, out);
    if (out.answers.size() >= 64)
      out = {};
  }

  origin from() {
    ++number;
    return {session, seq{number}, seq{number}};
  }

  acquire lock(std::uint64_t key, std::uint64_t who) {
    return {from(),
            local_actor_id{who},
            {term::from_canonical("\"lock-" + std::to_string(key) + "\"")},
            acquire_mode::wait,
            ownership::bounded};
  }

  /// Locks of one owner each, keys of six digits.
  void hold(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i)
      apply(lock(100000 + i * 7919 % 1000000, ++actor));
  }
};

/// Filled once per size: a million locks take a while.
bench_world& world_with(std::uint64_t held) {
  static std::map<std::uint64_t, std::unique_ptr<bench_world>> worlds;
  auto& result = worlds[held];
  if (!result) {
    result = std::make_unique<bench_world>();
    result->hold(held);
  }
  return *result;
}

/// One owner takes a key and ends: two commands.
void lock_and_release(benchmark::State& state) {
  auto& w = world_with(static_cast<std::uint64_t>(state.range(0)));
  std::uint64_t spread = 0;
  for (auto _ : state) {
    auto who = ++w.actor;
    w.apply(w.lock(2000000 + (spread += 7919) % 1000000, who));
    w.apply(owner_exited{w.from(), w.session, local_actor_id{who}, {}});
  }
  state.SetItemsProcessed(state.iterations() * 2);
}
BENCHMARK(lock_and_release)->Arg(1000)->Arg(1000000);

/// 32 owners in line for one key: the first ends, the next is granted, another one queues.
void hand_off(benchmark::State& state) {
  bench_world w;
  for (int i = 0; i < 33; ++i)
    w.apply(w.lock(1, ++w.actor));
  auto first = w.actor - 32;
  for (auto _ : state) {
    w.apply(owner_exited{w.from(), w.session, local_actor_id{first++}, {}});
    w.apply(w.lock(1, ++w.actor));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(hand_off);

/// S5: one entry ends a node that holds many locks, each with an heir on another node.
void end_of_a_node(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto w = std::make_unique<bench_world>();
    w->hold(static_cast<std::uint64_t>(state.range(0)));
    auto dead = w->session;
    open_session open;
    open.node = node_id{2};
    open.name = "heir";
    w->apply(open);
    w->session = w->out.answers.back().what.opened;
    w->number = 0;
    w->hold(static_cast<std::uint64_t>(state.range(0)));
    state.ResumeTiming();
    w->apply(close_session{dead, end_reason::left, {}});
    state.PauseTiming();
    w.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(end_of_a_node)->Arg(100000)->Unit(benchmark::kMillisecond)->Iterations(3);

void image_of(benchmark::State& state) {
  auto& w = world_with(static_cast<std::uint64_t>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state)
    bytes = w.reg.image().size();
  state.counters["bytes_per_lock"] =
    static_cast<double>(bytes) / static_cast<double>(state.range(0));
}
BENCHMARK(image_of)->Arg(1000000)->Unit(benchmark::kMillisecond)->Iterations(3);

/// What the allocator gave out, for each lock that is held, its owner included.
void memory_per_held_lock(benchmark::State& state) {
  auto count = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    auto before = mallinfo2().uordblks;
    bench_world w;
    w.hold(count);
    w.out = {};
    state.counters["bytes_per_lock"] =
      static_cast<double>(mallinfo2().uordblks - before) / static_cast<double>(count);
  }
}
BENCHMARK(memory_per_held_lock)->Arg(100000)->Iterations(1);

} // namespace

BENCHMARK_MAIN();
