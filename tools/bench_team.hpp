#pragma once

/// \file
/// What the benchmarks that kill processes share.

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench.hpp"
#include "tools/guard.hpp"
#include "tools/team.hpp"

namespace paxtor::tools {

/// When something happened, on both clocks.
struct instant {
  clock::time_point steady = clock::now();
  boot_time boot = boot_now();
};

/// The flags of the team's nodes.
[[nodiscard]] std::vector<std::string> flags_of(const failover_options& how);

/// This process, as a client node of the team. Throws std::runtime_error.
[[nodiscard]] std::unique_ptr<client> join_team(const team& nodes, const std::string& ttl);

/// The name of the voter that leads, as that one says itself. Throws std::runtime_error.
[[nodiscard]] std::string leader_of(team& nodes);

/// One lock after the other on one key that nobody else wants, until it is told to stop: what
/// others notice of what happens to the cluster.
struct lock_chain {
  lock_chain(client& from, nlohmann::json key, std::function<void(clock::time_point asked)> heard)
      : node(from), door(from.door()), what(std::move(key)), granted(std::move(heard)) {}

  client& node;
  const cluster door;
  const nlohmann::json what;
  /// Called at each grant, on a thread of the client's.
  const std::function<void(clock::time_point asked)> granted;
  std::atomic<bool> stopping{false};
  std::atomic<bool> running{true};
};

/// An owner of the chain: spawns the next one at its end, which is its release.
caf::behavior link_of(caf::event_based_actor* self, const std::shared_ptr<lock_chain>& chain);

/// Has a lock (or waits) until it is told to end; `granted` is set at the grant.
caf::behavior keeper(caf::event_based_actor* self, const cluster& door, const nlohmann::json& what,
                     const std::shared_ptr<std::promise<instant>>& granted);

} // namespace paxtor::tools
