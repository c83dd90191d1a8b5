#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "test/sim/run_options.hpp"
#include "test/sim/seed_source.hpp"
#include "test/sim/world.hpp"

namespace paxtor::sim {

struct campaign_options {
  seed_source seeds;
  std::uint64_t steps = 0;
  /// What differs in every run from what its seed draws.
  changes differs;
  unsigned jobs = 1;
  bool trace = false;
  bool json = false;
  /// Runs each seed twice and compares the digests.
  bool twice = false;
  /// Goes on after a finding.
  bool keep_going = false;
  /// Goes on until a finding with this exit code, and tells no other; 0: any finding will do.
  int expect = 0;
  /// Begins no more seeds after this time.
  std::optional<std::chrono::seconds> time_limit;
  /// Seconds between two progress lines on stderr; 0: none.
  unsigned progress_every = 10;
  std::size_t keep_lines = 80;
  std::string program = "paxtor-sim";
};

/// Runs many seeds, in several processes if asked to, and prints what was found. SIGINT and SIGTERM
/// end it after the seeds at hand, with its summary. Returns the exit code: 0 clean, else that of
/// the gravest finding (1 wrong, 2 stuck, 3 crashed); 64 if its runs cannot have the knobs that are
/// set.
[[nodiscard]] int run_campaign(const campaign_options& options);

/// One seed of a campaign. A finding brings the end of its story.
[[nodiscard]] run_result run_one(const campaign_options& options, std::uint64_t seed);

/// 0 or the kind of its finding; 64 if it was refused.
[[nodiscard]] int code_of(const run_result& result);

} // namespace paxtor::sim
