#pragma once

/// \file
/// The times of sessions (protocol: "Sessions", "Fence before grant"), and whether they fit the
/// log's.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "libpaxtor/base/time.hpp"
#include "libpaxtor/paxos/config.hpp"

namespace paxtor::cluster {

inline constexpr duration min_ttl = std::chrono::milliseconds{300};
inline constexpr duration max_ttl = std::chrono::seconds{60};

struct lease_options {
  duration ttl = std::chrono::seconds{3};
  /// Clock rates of two nodes differ by at most this many parts in a thousand.
  std::uint32_t rho_permille = 10;
  duration tick = std::chrono::milliseconds{25};

  /// S: a node renews this often.
  [[nodiscard]] duration renew_every() const { return ttl / 6; }

  /// The node stops its owners this long before its lease ends: max(ttl/8, 100 ms), never over
  /// ttl/4.
  [[nodiscard]] duration margin() const {
    return std::min(std::max(ttl / 8, duration{std::chrono::milliseconds{100}}), ttl / 4);
  }

  /// S1: the leader expires a session that was silent for longer than this.
  [[nodiscard]] duration expire_after() const { return ttl + ttl * rho_permille / 1000 + tick; }
};

/// A leader's death must fence nobody: ttl - ttl/6 - margin >= 2 x longest election timeout + 4 x
/// heartbeat. Returns false and sets `why` (says which bound and what to do).
[[nodiscard]] bool validate(const lease_options& leases, const paxos::timing& times,
                            std::string& why);

/// Times of the log that fit `ttl`: the defaults, or proportionally shorter elections for a short
/// ttl.
[[nodiscard]] paxos::timing timing_for(duration ttl);

} // namespace paxtor::cluster
