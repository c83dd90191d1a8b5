#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace paxtor::sim {

struct campaign_options {
  std::vector<std::uint64_t> seeds;
  std::uint64_t steps = 0;
  unsigned jobs = 1;
  bool trace = false;
  bool json = false;
  /// Runs each seed twice and compares the digests.
  bool twice = false;
  /// Goes on after a finding.
  bool keep_going = false;
  /// Seconds between two progress lines on stderr; 0: none.
  unsigned progress_every = 10;
  std::size_t keep_lines = 80;
  std::string program = "paxtor-sim";
};

/// Runs many seeds, in several processes if asked to, and prints what was found. Returns the exit
/// code: 0 clean, else that of the gravest finding (1 wrong, 2 stuck, 3 crashed).
[[nodiscard]] int run_campaign(const campaign_options& options);

} // namespace paxtor::sim
