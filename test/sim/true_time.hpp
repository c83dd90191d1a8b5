#pragma once

/// \file
/// Time in the simulator. `moment` is true time, which no node can read; `node_clock`
/// (base/time.hpp) is what a node reads. The two never mix: only class skewed_clock turns one into
/// the other.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/base/time.hpp"

namespace paxtor::sim {

/// Tags true time. Has no `now()` on purpose: the event queue tells.
struct true_clock {
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<true_clock, duration>;
  static constexpr bool is_steady = true;
};

using moment = true_clock::time_point;

[[nodiscard]] inline std::uint64_t micros(moment t) {
  return static_cast<std::uint64_t>(t.time_since_epoch().count());
}

[[nodiscard]] inline std::string to_string(moment t) {
  char text[32];
  auto us = micros(t);
  std::snprintf(text, sizeof text, "%llu.%06llu", static_cast<unsigned long long>(us / 1'000'000),
                static_cast<unsigned long long>(us % 1'000'000));
  return text;
}

/// A random length of time in [low, high].
[[nodiscard]] inline duration draw(generator& random, duration low, duration high) {
  return duration{static_cast<duration::rep>(random.between(
    static_cast<std::uint64_t>(low.count()), static_cast<std::uint64_t>(high.count())))};
}

/// Mostly near `mean`, now and then several times as long: what waiting times look like.
[[nodiscard]] inline duration draw_around(generator& random, duration mean) {
  auto most = random.chance(10) ? mean * 5 : mean * 2;
  return draw(random, duration{0}, most);
}

/// A node's clock: its own offset, and a rate of its own within rho of every other.
class skewed_clock {
public:
  /// `parts_per_million`: 1'000'000 runs true.
  skewed_clock(std::uint64_t offset_us, std::uint64_t parts_per_million)
      : offset_(offset_us), rate_(parts_per_million) {}

  /// What the node reads at `t`.
  [[nodiscard]] time_point read(moment t) const {
    return time_point{duration{static_cast<duration::rep>(offset_ + micros(t) * rate_ / million)}};
  }

  /// The first moment at which the node reads `local` or later; the origin if that lies before it.
  [[nodiscard]] moment when(time_point local) const {
    auto us = local.time_since_epoch().count();
    if (us <= static_cast<duration::rep>(offset_))
      return moment{};
    auto elapsed = static_cast<std::uint64_t>(us) - offset_;
    return moment{duration{static_cast<duration::rep>((elapsed * million + rate_ - 1) / rate_)}};
  }

  [[nodiscard]] std::uint64_t rate() const { return rate_; }

private:
  static constexpr std::uint64_t million = 1'000'000;
  std::uint64_t offset_;
  std::uint64_t rate_;
};

} // namespace paxtor::sim
