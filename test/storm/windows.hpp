#pragma once

/// \file
/// Availability: in which seconds of the unrest a lock was granted to somebody. Pure.

#include "test/storm/history.hpp"

namespace paxtor::storm {

struct availability {
  /// One-second windows of the unrest, and those in which somebody was granted a lock.
  std::size_t windows = 0;
  std::size_t granted = 0;
  /// Those in which a worker had reached a majority throughout, and for `settle` before.
  std::size_t should = 0;
  std::size_t should_granted = 0;
  /// The longest time between two grants within one unrest.
  boot_time longest_gap{};
  /// The longest that a request for a lock that was granted had waited.
  boot_time longest_wait{};
};

/// `settle`: how long a majority may take to find its leader.
[[nodiscard]] availability measure(const history& all, boot_time settle);

} // namespace paxtor::storm
