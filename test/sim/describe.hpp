#pragma once

#include <string>

#include "libpaxtor/cluster/agent.hpp"
#include "libpaxtor/cluster/frame.hpp"

namespace paxtor::sim {

/// One line for the story of a run.
/// As class versions names what is asked about.
[[nodiscard]] std::string describe(const registry::query& what);
[[nodiscard]] std::string describe(const cluster::frame& what);

[[nodiscard]] std::string describe(const registry::command& what);

[[nodiscard]] std::string describe(cluster::failure code);

} // namespace paxtor::sim
