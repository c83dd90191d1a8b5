#pragma once

/// \file
/// The seeds of a campaign in several processes: one that dies costs its seed and no more.

#include <chrono>
#include <optional>
#include <string>

#include "test/sim/campaign.hpp"

namespace paxtor::sim {

inline constexpr int exit_refused = 64;

/// The seeds that may still begin: none after a signal or the time limit.
class seed_turns {
public:
  explicit seed_turns(const campaign_options& options);

  [[nodiscard]] std::optional<std::uint64_t> at(std::size_t place) const;

private:
  using wall_clock = std::chrono::steady_clock;

  const campaign_options& options_;
  std::optional<wall_clock::time_point> end_;
};

/// True if no more seeds are to be run after this one.
[[nodiscard]] bool enough(const campaign_options& options, const run_result& result);

/// What to print of a result; empty if it is clean.
[[nodiscard]] std::string text_of(const campaign_options& options, const run_result& result);

/// Runs the campaign in options.jobs processes. Returns the exit code.
[[nodiscard]] int run_children(const campaign_options& options, const seed_turns& turns);

/// Runs one seed in a process of its own. What ends that process is a finding.
[[nodiscard]] run_result run_apart(const run_options& options);

} // namespace paxtor::sim
