#pragma once

/// \file
/// What the benchmarks that kill processes share.

#include <future>
#include <memory>
#include <string>
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

/// Has a lock (or waits) until it is told to end; `granted` is set at the grant.
caf::behavior keeper(caf::event_based_actor* self, const cluster& door, const nlohmann::json& what,
                     const std::shared_ptr<std::promise<instant>>& granted);

} // namespace paxtor::tools
