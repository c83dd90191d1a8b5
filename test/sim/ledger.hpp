#pragma once

#include <chrono>
#include <string>

#include "test/sim/campaign.hpp"
#include "test/sim/stats.hpp"

namespace paxtor::sim {

/// The results of a campaign: gathers and prints them.
class ledger {
public:
  explicit ledger(const campaign_options& options);

  /// One seed is done: what was counted, its exit code, and what to print of a finding.
  void take(const stats& counts, int code, const std::string& text);

  /// Prints the summary. Returns the exit code.
  [[nodiscard]] int close();

private:
  /// The program may read a clock to say how fast it is; no run ever sees it.
  using wall_clock = std::chrono::steady_clock;

  [[nodiscard]] double seconds() const;
  void tell_progress();

  const campaign_options& options_;
  wall_clock::time_point begin_;
  wall_clock::time_point told_;
  stats all_;
  std::size_t findings_ = 0;
  int code_ = 0;
};

} // namespace paxtor::sim
