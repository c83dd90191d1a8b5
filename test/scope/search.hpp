#pragma once

/// \file
/// Visits every state of a world, nearest first.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "test/scope/world.hpp"

namespace paxtor::scope {

struct result {
  std::size_t states = 0;
  std::size_t transitions = 0;
  /// Steps to the furthest state.
  std::size_t depth = 0;
  /// States in which the key has been given away; with leases only.
  std::size_t granted = 0;
  /// All states within the bounds were visited.
  bool complete = false;
  /// What was broken; empty: nothing. Then `trace` is a shortest way there.
  std::string broken;
  std::vector<std::string> trace;
};

/// Stops at the first broken state, or after `most` states. `progress` is called now and then.
[[nodiscard]] result search(world& all, std::size_t most,
                            const std::function<void(const result&)>& progress);

} // namespace paxtor::scope
