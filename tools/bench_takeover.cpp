#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <csignal>
#include <unistd.h>

#include "tools/bench.hpp"
#include "tools/exit_status.hpp"
#include "tools/team.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;

std::unique_ptr<client> join_team(const team& nodes, const std::string& ttl) {
  node_options options;
  options.name = unique_name("bench");
  options.voters = split(nodes.voters(), ',');
  options.log_level = "off";
  std::string why;
  options.ttl = *parse_duration(ttl, why);
  caf::error problem;
  auto result = client::join(options, hosting::nothing, problem);
  if (!result)
    throw std::runtime_error("cannot join: " + describe(problem));
  return result;
}

/// Has a lock (or waits) until it is told to end; `granted` is set at the grant.
caf::behavior keeper(caf::event_based_actor* self, const cluster& door, const nlohmann::json& what,
                     const std::shared_ptr<std::promise<clock::time_point>>& granted) {
  door.lock(self, key{what})
    .then([=](const grant&) { granted->set_value(clock::now()); },
          [=](const caf::error& err) {
            granted->set_exception(std::make_exception_ptr(std::runtime_error(describe(err))));
            self->quit();
          });
  return {[](ping_atom) {}};
}

void progress(bool chatty, int run, int runs, const std::string& text) {
  if (chatty && isatty(STDERR_FILENO) != 0)
    complain("run " + std::to_string(run + 1) + " of " + std::to_string(runs) + ": " + text, 0);
}

} // namespace

json bench_holder_killed(int runs, const std::string& ttl, bool chatty) {
  team nodes{{"a", "b", "c"}, {"--ttl", ttl}};
  const auto here = join_team(nodes, ttl);
  samples times;
  for (int run = 0; run < runs; ++run) {
    const json what{"bench", "holder", run};
    auto& holder = nodes.add_client("holder-" + std::to_string(run));
    if (!holder.ask({{"op", "hold"}, {"key", what}}).contains("token"))
      throw std::runtime_error("the holder did not get its lock");
    auto granted = std::make_shared<std::promise<clock::time_point>>();
    auto answer = granted->get_future();
    const auto waiting = here->system().spawn(keeper, here->door(), what, granted);
    // Kills at different moments between two renewals (ttl/6).
    std::this_thread::sleep_for(milliseconds{200 + run * 37 % 500});
    const auto killed = clock::now();
    holder.child().kill_now();
    if (answer.wait_for(std::chrono::seconds{90}) != std::future_status::ready)
      throw std::runtime_error("the lock of a killed holder was not granted again");
    const auto took = answer.get() - killed;
    times.add(micros(took));
    caf::anon_send_exit(waiting, caf::exit_reason::user_shutdown);
    progress(chatty, run, runs,
             show_duration(std::chrono::duration_cast<std::chrono::microseconds>(took)));
  }
  return times.summary();
}

namespace {

/// When locks were granted, from a few chains that lock and release all the time.
struct grant_log {
  explicit grant_log(client& from) : node(from), door(from.door()) {}
  client& node;
  const cluster door;
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::vector<clock::time_point> times;
};

caf::behavior sampler(caf::event_based_actor* self, const std::shared_ptr<grant_log>& log,
                      int chain) {
  self->attach_functor([log, chain](const caf::error&) {
    if (!log->stopping)
      log->node.system().spawn(sampler, log, chain);
  });
  log->door.lock(self, nlohmann::json{"bench", "gap", chain})
    .then(
      [=](const grant&) {
        {
          const std::lock_guard guard{log->mutex};
          log->times.push_back(clock::now());
        }
        self->quit();
      },
      [=](const caf::error&) { self->quit(); });
  return {[](ping_atom) {}};
}

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

/// The name of the voter that leads.
std::string leader_of(const client& node) {
  const auto deadline = clock::now() + std::chrono::seconds{5};
  while (clock::now() < deadline) {
    const auto status = node.door().status();
    if (const auto found = status.find("leader"); found != status.end() && found->is_string())
      return found->get<std::string>();
    std::this_thread::sleep_for(milliseconds{10});
  }
  throw std::runtime_error("nobody leads");
}

leader_run kill_a_leader(const std::string& ttl, int run) {
  team nodes{{"a", "b", "c"}, {"--ttl", ttl}};
  const auto here = join_team(nodes, ttl);
  auto ended = std::make_shared<std::atomic<int>>(0);
  std::vector<caf::actor> owners;
  for (int i = 0; i < held_owners; ++i) {
    auto granted = std::make_shared<std::promise<clock::time_point>>();
    auto answer = granted->get_future();
    owners.push_back(here->system().spawn(keeper, here->door(), json{"bench", "held", i}, granted));
    answer.get();
    owners.back()->attach_functor([ended](const caf::error&) { ++*ended; });
  }
  auto log = std::make_shared<grant_log>(*here);
  for (int i = 0; i < 4; ++i)
    here->system().spawn(sampler, log, i);
  std::this_thread::sleep_for(milliseconds{500 + run * 29 % 200});
  const auto leader = leader_of(*here);
  const auto killed = clock::now();
  nodes.member(leader).child().kill_now();
  // Longer than a ttl, so that an owner that was going to be fenced has been.
  std::string why;
  std::this_thread::sleep_for(*parse_duration(ttl, why) + milliseconds{1000});
  leader_run result;
  result.fenced = *ended;
  log->stopping = true;
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

json bench_leader_killed(int runs, const std::string& ttl, bool chatty) {
  samples gaps;
  int fenced = 0;
  for (int run = 0; run < runs; ++run) {
    const auto one = kill_a_leader(ttl, run);
    gaps.add(one.gap_us);
    fenced += one.fenced;
    progress(chatty, run, runs,
             "no grant for "
               + show_duration(std::chrono::microseconds{static_cast<std::int64_t>(one.gap_us)})
               + ", " + std::to_string(one.fenced) + " fenced");
  }
  auto result = gaps.summary();
  result["owners_fenced"] = fenced;
  result["owners_watched"] = runs * held_owners;
  return result;
}

} // namespace paxtor::tools
