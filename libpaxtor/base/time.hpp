#pragma once

/// \file
/// Time as an input. libpaxtor never reads a clock: whoever drives it passes `now`, a point on a
/// clock of the driver's choice that never goes back and does not stop while the machine sleeps
/// (CLOCK_BOOTTIME in production, the simulator's clock in tests). Points of two nodes never
/// compare.

#include <chrono>

namespace paxtor {

/// Tags time points of the driver's clock. Has no `now()` on purpose.
struct node_clock {
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<node_clock, duration>;
  static constexpr bool is_steady = true;
};

using duration = node_clock::duration;

using time_point = node_clock::time_point;

} // namespace paxtor
