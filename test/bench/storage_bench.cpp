// What snapshots, restarts and standbys cost with a million locks: what the voter's threads wait
// for, and what goes on beside them. One thread, a store in the working directory's file system, no
// network. Asserts nothing about time.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/cluster/registrar.hpp"
#include "libpaxtor/cluster/replay.hpp"
#include "libpaxtor/paxos/batches.hpp"
#include "libpaxtor/paxos/learner.hpp"
#include "libpaxtor/storage/sqlite_store.hpp"

using namespace paxtor;

namespace {

using clock_type = std::chrono::steady_clock;

constexpr std::size_t entries_per_slot = 100;

double ms_since(clock_type::time_point start) {
  return std::chrono::duration<double, std::milli>(clock_type::now() - start).count();
}

/// A log that holds locks, and a voter's learner and registrar that have it.
struct loaded_voter {
  loaded_voter() {
    bounds.snapshot_entries = std::size_t{1} << 40;
    bounds.snapshot_bytes = std::size_t{1} << 40;
  }

  paxos::configuration voters{{{voter_id{1}, "a"}, {voter_id{2}, "b"}, {voter_id{3}, "c"}}};
  paxos::limits bounds;
  std::uint64_t entries = 0;
  std::uint64_t keys = 0;
  session_id session;

  paxos::entry command(const registry::command& what) {
    ++entries;
    return {paxos::entry_kind::command, encode(what)};
  }

  registry::origin from() { return {session, seq{entries}, seq{entries}}; }

  paxos::batch next() {
    std::vector<paxos::entry> all;
    if (!session.valid()) {
      registry::open_session open;
      open.node = node_id{1};
      open.name = "bench";
      all.push_back(command(open));
      session = session_id{entries};
    }
    while (all.size() < entries_per_slot) {
      const auto key = 100000 + keys * 7919 % 10000000;
      ++keys;
      all.push_back(
        command(registry::acquire{from(),
                                  local_actor_id{keys},
                                  {term::from_canonical("\"lock-" + std::to_string(key) + "\"")},
                                  registry::acquire_mode::wait,
                                  registry::ownership::bounded}));
    }
    return paxos::make_batch(all);
  }
};

/// A snapshot of that many locks, and a log of a hundred thousand commands behind it.
struct stored {
  paxos::snapshot_task task;
  paxos::recovered state;
};

const stored& store_of(std::uint64_t locks) {
  static std::map<std::uint64_t, std::unique_ptr<stored>> all;
  auto& result = all[locks];
  if (result)
    return *result;
  result = std::make_unique<stored>();
  loaded_voter log;
  cluster::replay work{std::nullopt};
  while (work.last().value < locks)
    work.apply(log.next());
  auto& state = result->state;
  state.self = voter_id{1};
  state.promised = {1, voter_id{1}};
  state.formation = paxos::write_formation{cluster_id{1}, log.voters, true};
  state.snapshot =
    paxos::write_snapshot{work.upto(), work.last(), log.voters, work.state().image()};
  state.truncated_upto = work.upto();
  auto& task = result->task;
  task.base = state.snapshot;
  task.upto = work.upto();
  for (std::size_t i = 0; i < 100000 / entries_per_slot; ++i) {
    task.since.push_back(log.next());
    task.upto = task.upto.next();
    state.accepted[task.upto] = {state.promised, task.since.back()};
  }
  task.last = paxtor::index{log.entries};
  return *result;
}

std::string scratch() {
  auto path = (std::filesystem::current_path() / "storage-bench-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr)
    std::abort();
  return path;
}

/// Beside the learner: what the snapshot maker's thread does.
void make_image(benchmark::State& state) {
  const auto& x = store_of(static_cast<std::uint64_t>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state)
    bytes = cluster::make_image(x.task)->size();
  state.counters["image_bytes"] = static_cast<double>(bytes);
}
BENCHMARK(make_image)->Arg(100000)->Arg(1000000)->Unit(benchmark::kMillisecond)->Iterations(3);

/// On the learner's thread: the longest of all calls while a hundred thousand commands are decided,
/// a snapshot is begun, made elsewhere and taken.
void learner_stops(benchmark::State& state) {
  loaded_voter log;
  log.bounds.snapshot_entries = 100000;
  double longest = 0;
  for (auto _ : state) {
    paxos::recovered blank;
    blank.self = voter_id{1};
    const time_point now{std::chrono::seconds{1}};
    paxos::learner x{voter_id{1}, blank, log.voters, {}, log.bounds, now};
    paxos::learner_output out;
    while (!out.want_snapshot) {
      // One entry in each slot, as with a single client: the most slots.
      paxos::learned_values told{x.decided_upto().next(), {}, slot{}};
      told.values.push_back(paxos::make_batch({{paxos::entry_kind::noop, {}}}));
      x.step(now, voter_id{2}, told);
      const auto start = clock_type::now();
      out = x.take_output();
      longest = std::max(longest, ms_since(start));
    }
    const auto start = clock_type::now();
    x.snapshot_made(out.want_snapshot->upto, blob{std::string(26 << 20, 'i')});
    out = x.take_output();
    x.persisted(out.writes.back().id);
    longest = std::max(longest, ms_since(start));
  }
  state.counters["longest_ms"] = longest;
}
BENCHMARK(learner_stops)->Unit(benchmark::kMillisecond)->Iterations(3);

/// On the storage actor's thread: parts of an image of a million locks, and between any two of them
/// an order as acceptors give. What such an order waits for is one part and itself.
void write_in_parts(benchmark::State& state) {
  const auto& x = store_of(1000000);
  const auto path = scratch();
  storage::sqlite_store store{path, voter_id{1}};
  (void)store.load();
  double longest = 0;
  double sum = 0;
  std::uint64_t parts = 0;
  std::uint64_t wal = 0;
  auto next = x.task.upto;
  auto upto = x.task.upto.value;
  for (auto _ : state) {
    auto image = *x.state.snapshot;
    image.upto = slot{++upto};
    for (bool whole = false; !whole;) {
      const auto start = clock_type::now();
      const auto part = store.write_part(image);
      next = next.next();
      const auto order = store.append(
        {paxos::write{{}, {paxos::write_accepted{next, {x.state.promised, x.task.since[0]}}}}});
      if (!part.outcome.ok() || !order.ok())
        state.SkipWithError((part.outcome.why + order.why).c_str());
      whole = part.whole;
      longest = std::max(longest, ms_since(start));
      sum += ms_since(start);
      ++parts;
      wal = std::max<std::uint64_t>(wal, std::filesystem::file_size(path + "/voter.db-wal"));
    }
  }
  state.counters["longest_ms"] = longest;
  state.counters["mean_ms"] = sum / static_cast<double>(parts);
  state.counters["wal_bytes"] = static_cast<double>(wal);
  state.counters["file_bytes"] =
    static_cast<double>(std::filesystem::file_size(path + "/voter.db"));
  std::filesystem::remove_all(path);
}
BENCHMARK(write_in_parts)->Unit(benchmark::kMillisecond)->Iterations(4);

/// After SIGKILL: load, restore, and apply what is behind the snapshot.
void recover(benchmark::State& state) {
  const auto& x = store_of(static_cast<std::uint64_t>(state.range(0)));
  const auto path = scratch();
  {
    storage::sqlite_store store{path, voter_id{1}};
    if (!store.replace(x.state).ok())
      state.SkipWithError("the store cannot be written");
  }
  double loading = 0;
  double restoring = 0;
  for (auto _ : state) {
    const auto start = clock_type::now();
    storage::sqlite_store store{path, voter_id{1}};
    const auto found = store.load();
    if (!found.outcome.ok())
      state.SkipWithError(found.outcome.why.c_str());
    loading = ms_since(start);
    cluster::registrar registry;
    registry.install(*found.state.snapshot);
    restoring = ms_since(start) - loading;
    cluster::replay behind{found.state.snapshot};
    for (const auto& [where, value] : found.state.accepted)
      behind.apply(value.value);
    benchmark::DoNotOptimize(behind.last());
  }
  state.counters["load_ms"] = loading;
  state.counters["restore_ms"] = restoring;
  std::filesystem::remove_all(path);
}
BENCHMARK(recover)->Arg(100000)->Arg(1000000)->Unit(benchmark::kMillisecond)->Iterations(3);

/// A blank standby: an image of a million locks in chunks and a hundred thousand commands behind
/// it, restored and applied.
void standby_catches_up(benchmark::State& state) {
  const auto& x = store_of(1000000);
  loaded_voter who;
  std::uint64_t messages = 0;
  for (auto _ : state) {
    time_point now{std::chrono::seconds{1}};
    paxos::learner source{voter_id{1}, x.state, who.voters, {}, who.bounds, now};
    (void)source.take_output();
    paxos::learned_values rest{x.state.snapshot->upto.next(), x.task.since, x.task.upto};
    source.step(now, voter_id{2}, rest);
    (void)source.take_output();
    paxos::recovered blank;
    blank.self = voter_id{9};
    paxos::learner standby{voter_id{9}, blank, who.voters, {}, who.bounds, now};
    cluster::registrar registry;
    while (standby.decided_upto() < x.task.upto) {
      now += std::chrono::milliseconds{25};
      standby.tick(now);
      for (bool quiet = false; !quiet;) {
        auto out = standby.take_output();
        quiet = true;
        if (out.install)
          registry.install(*out.install);
        registry.apply(out.decided);
        (void)registry.take_output();
        for (auto& one : out.writes)
          standby.persisted(one.id);
        for (const auto& one : out.send) {
          if (one.to_role != paxos::role::learner || one.to.front() == voter_id{9})
            continue;
          ++messages;
          source.step(now, voter_id{9}, one.what);
        }
        for (const auto& one : source.take_output().send)
          if (one.to.front() == voter_id{9}) {
            quiet = false;
            standby.step(now, voter_id{1}, one.what);
          }
      }
    }
    if (registry.last() != x.task.last)
      state.SkipWithError("it has not caught up");
  }
  state.counters["questions"] =
    static_cast<double>(messages) / static_cast<double>(state.iterations());
}
BENCHMARK(standby_catches_up)->Unit(benchmark::kMillisecond)->Iterations(3);

} // namespace

BENCHMARK_MAIN();
