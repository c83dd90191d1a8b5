#pragma once

/// \file
/// What a storm found, for people and for programs.

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "test/storm/judge.hpp"
#include "test/storm/windows.hpp"

namespace paxtor::storm {

/// Exit statuses. Worse ones win: wrong, crashed, stuck.
enum exit_status : int { clean = 0, wrong = 1, stuck = 2, crashed = 3 };

struct report {
  std::uint64_t seed = 0;
  std::string machines;
  double seconds = 0;
  int rounds = 0;
  /// How many faults of each kind were injected.
  std::map<std::string, int> faults;
  int starts = 0;
  int watchdog_ends = 0;
  int full_ends = 0;
  int joins_given_up = 0;
  verdict found;
  availability available;
  std::uint64_t failed_requests = 0;
  std::uint64_t calls = 0;
  /// How long each calm took until all was at rest, at most; seconds.
  double longest_calm = 0;
  std::uint64_t relayed_bytes = 0;
  /// How late the harness was at most, when a fault should have begun or ended.
  boot_time latest{};
  std::vector<std::string> stuck;
  std::vector<std::string> crashes;
  /// Where the records are; empty: removed.
  std::string kept;

  [[nodiscard]] exit_status status() const;
};

[[nodiscard]] std::string text_of(const report& all);
[[nodiscard]] nlohmann::json json_of(const report& all);

} // namespace paxtor::storm
