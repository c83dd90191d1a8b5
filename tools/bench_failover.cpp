/// What a killed process costs: until its lock has the next owner, until its singleton answers
/// again. With guardians, which certify its end, or without, when the ttl decides.

#include <future>
#include <stdexcept>
#include <thread>

#include "tools/bench_team.hpp"
#include "tools/stamp.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;

constexpr std::chrono::seconds patience{90};

/// One kill: how long, and whether the killed process was still alive when it was replaced.
struct takeover {
  clock::duration took{};
  bool overlap = false;
};

struct tally {
  samples times;
  int overlaps = 0;

  void add(const takeover& one) {
    times.add(micros(one.took));
    overlaps += one.overlap ? 1 : 0;
  }

  [[nodiscard]] json summary() const {
    auto result = times.summary();
    result["overlaps"] = overlaps;
    return result;
  }
};

/// `holder` takes the lock and signs that it lives; then it is killed, while this process waits.
takeover kill_holder(client& here, team_member& holder, const json& what, int run) {
  const life_sign life;
  if (!holder.ask({{"op", "hold"}, {"key", what}}).contains("token"))
    throw std::runtime_error("the holder did not get its lock");
  if (!holder.ask({{"op", "stamp"}, {"file", life.file()}}).value("ok", false))
    throw std::runtime_error("the holder cannot sign that it lives");
  auto granted = std::make_shared<std::promise<instant>>();
  auto answer = granted->get_future();
  const auto waiting = here.system().spawn(keeper, here.door(), what, granted);
  // Kills at different moments between two renewals (ttl/6).
  std::this_thread::sleep_for(milliseconds{200 + run * 37 % 500});
  const auto killed = clock::now();
  holder.child().kill_now();
  if (answer.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error("the lock of a killed holder was not granted again");
  const auto when = answer.get();
  caf::anon_send_exit(waiting, caf::exit_reason::user_shutdown);
  return {when.steady - killed, life.last() > when.boot};
}

/// Asks the counter until it answers; returns the node that did.
std::string ask_counter(client& here, const caf::actor& counter, milliseconds each) {
  const auto until = clock::now() + patience;
  while (clock::now() < until) {
    std::promise<std::string> promise;
    auto future = promise.get_future();
    here.system().spawn([&promise, &counter, each](caf::event_based_actor* self) {
      self->request(counter, each, get_atom::value)
        .then([&promise](std::int64_t, const std::string& node) { promise.set_value(node); },
              [&promise](const caf::error&) { promise.set_value({}); });
    });
    if (auto node = future.get(); !node.empty())
      return node;
  }
  throw std::runtime_error("the counter does not answer");
}

/// A name whose singleton lives on that node.
std::pair<json, caf::actor> name_on(client& here, const std::string& node, int run) {
  for (int i = 0; i < 400; ++i) {
    const json name{"bench", "singleton", run, i};
    auto handle = here.door().name(key{name}, "counter");
    if (ask_counter(here, handle, std::chrono::seconds{2}) == node)
      return {name, handle};
  }
  throw std::runtime_error("no name was placed on node " + node);
}

takeover kill_host(client& here, team_member& host, int run) {
  const life_sign life;
  const auto [name, counter] = name_on(here, host.name, run);
  if (!host.ask({{"op", "stamp"}, {"file", life.file()}}).value("ok", false))
    throw std::runtime_error("the host cannot sign that it lives");
  std::this_thread::sleep_for(milliseconds{200 + run * 37 % 500});
  const auto killed = clock::now();
  host.child().kill_now();
  // A message that was under way to the dead node is lost, and nobody says so: ask again soon.
  if (ask_counter(here, counter, milliseconds{50}) == host.name)
    throw std::runtime_error("the killed host answered");
  const instant answered;
  return {answered.steady - killed, life.last() > answered.boot};
}

template <class Step>
json repeat(int runs, const std::string& what, const progress_line& say, Step step) {
  tally all;
  for (int run = 0; run < runs; ++run) {
    const takeover one = step(run);
    all.add(one);
    say(what, run, runs, one.took);
  }
  return all.summary();
}

} // namespace

json bench_owner_killed(const failover_options& how, const progress_line& say) {
  team nodes{{"a", "b", "c"}, flags_of(how), -1, how.store_under};
  const auto here = join_team(nodes, how.ttl);
  return repeat(how.runs, "owner", say, [&](int run) {
    return kill_holder(*here, nodes.add_client("owner-" + std::to_string(run)),
                       {"bench", "owner", run}, run);
  });
}

json bench_host_killed(const failover_options& how, const progress_line& say) {
  team nodes{{"a", "b", "c"}, flags_of(how), -1, how.store_under};
  const auto here = join_team(nodes, how.ttl);
  return repeat(how.runs, "host", say, [&](int run) {
    return kill_host(*here, nodes.add_host("host-" + std::to_string(run)), run);
  });
}

json bench_owning_leader_killed(const failover_options& how, const progress_line& say) {
  return repeat(how.runs, "leader that owns", say, [&](int run) {
    // It takes a majority to go on, so each leader has a cluster of its own.
    team nodes{{"a", "b", "c"}, flags_of(how), -1, how.store_under};
    const auto here = join_team(nodes, how.ttl);
    return kill_holder(*here, nodes.member(leader_of(nodes)), {"bench", "leader", run}, run);
  });
}

} // namespace paxtor::tools
