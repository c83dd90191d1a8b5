#pragma once

/// \file
/// The node's clock: CLOCK_BOOTTIME, which never goes back and runs on while the machine sleeps.
/// The only clock that leases are measured with.

#include <cstdint>
#include <ctime>

#include "libpaxtor/base/time.hpp"

namespace paxtor::actors {

[[nodiscard]] inline std::int64_t boot_ns() noexcept {
  timespec ts{};
  ::clock_gettime(CLOCK_BOOTTIME, &ts);
  return std::int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

[[nodiscard]] inline time_point boot_now() noexcept {
  return time_point{duration{boot_ns() / 1000}};
}

[[nodiscard]] inline std::int64_t to_ns(time_point t) noexcept {
  return t.time_since_epoch().count() * 1000;
}

} // namespace paxtor::actors
