/// A leader's death: how long no lock is granted, and whether an owner is fenced for it.

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "tools/bench_team.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;

/// When locks were granted, from a few chains.
struct grant_log {
  std::mutex mutex;
  std::vector<clock::time_point> times;
};

/// The longest time without a grant, from shortly before `killed` on.
double longest_gap(const std::vector<clock::time_point>& sorted, clock::time_point killed) {
  auto longest = clock::duration::zero();
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i] >= killed)
      longest = std::max(longest, sorted[i] - sorted[i - 1]);
  }
  return micros(longest);
}

constexpr int held_owners = 64;

struct leader_run {
  double gap_us = 0;
  int fenced = 0;
};

leader_run kill_a_leader(const failover_options& how, int run) {
  team nodes{{"a", "b", "c"}, flags_of(how), -1, how.store_under};
  const auto here = join_team(nodes, how.ttl);
  auto ended = std::make_shared<std::atomic<int>>(0);
  std::vector<caf::actor> owners;
  for (int i = 0; i < held_owners; ++i) {
    auto granted = std::make_shared<std::promise<instant>>();
    auto answer = granted->get_future();
    owners.push_back(here->system().spawn(keeper, here->door(), json{"bench", "held", i}, granted));
    answer.get();
    owners.back()->attach_functor([ended](const caf::error&) { ++*ended; });
  }
  auto log = std::make_shared<grant_log>();
  std::vector<std::shared_ptr<lock_chain>> chains;
  for (int i = 0; i < 4; ++i) {
    chains.push_back(
      std::make_shared<lock_chain>(*here, json{"bench", "gap", i}, [log](clock::time_point) {
        const std::lock_guard guard{log->mutex};
        log->times.push_back(clock::now());
      }));
    here->system().spawn(link_of, chains.back());
  }
  std::this_thread::sleep_for(milliseconds{500 + run * 29 % 200});
  const auto leader = leader_of(nodes);
  const auto killed = clock::now();
  nodes.member(leader).child().kill_now();
  // Longer than a ttl, so that an owner that was going to be fenced has been.
  std::string why;
  std::this_thread::sleep_for(*parse_duration(how.ttl, why) + milliseconds{1000});
  leader_run result;
  result.fenced = *ended;
  for (const auto& chain : chains)
    chain->stopping = true;
  {
    const std::lock_guard guard{log->mutex};
    auto times = log->times;
    times.push_back(clock::now());
    std::sort(times.begin(), times.end());
    result.gap_us = longest_gap(times, killed);
  }
  for (const auto& owner : owners)
    caf::anon_send_exit(owner, caf::exit_reason::user_shutdown);
  return result;
}

} // namespace

json bench_leader_killed(const failover_options& how, const progress_line& say) {
  samples gaps;
  int fenced = 0;
  for (int run = 0; run < how.runs; ++run) {
    const auto one = kill_a_leader(how, run);
    gaps.add(one.gap_us);
    fenced += one.fenced;
    say("leader (gap)", run, how.runs,
        std::chrono::microseconds{static_cast<std::int64_t>(one.gap_us)});
  }
  auto result = gaps.summary();
  result["owners_fenced"] = fenced;
  result["owners_watched"] = how.runs * held_owners;
  return result;
}

} // namespace paxtor::tools
