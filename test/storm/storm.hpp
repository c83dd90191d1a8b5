#pragma once

/// \file
/// A storm: rounds of unrest, in which faults hit a cluster under load, each followed by a calm, in
/// which all must come to rest; afterwards everything that was written down is judged.

#include "test/storm/report.hpp"

namespace paxtor::storm {

/// A fault of the harness, to see that it is found.
enum class plant : std::uint8_t {
  none,
  outlive, ///< owners that were stopped count as if they had gone on for three ttls
  deaf,    ///< a worker stays cut off in the calm
  crash,   ///< a voter aborts
};

struct storm_options {
  std::uint64_t seed = 0;
  std::chrono::seconds length{180};
  /// Of the unrest of a round.
  std::chrono::seconds unrest{40};
  /// For each step of a calm.
  std::chrono::seconds patience{90};
  int voters = 3;
  int workers = 3;
  std::chrono::milliseconds ttl{2000};
  std::string program;
  std::string guardian;
  /// A folder that exists and is empty.
  std::string work;
  plant planted = plant::none;
  bool quiet = false;
};

/// What there would be: the machines, and the faults of each round.
[[nodiscard]] std::string describe_plan(const storm_options& options);

/// REQUIRES: in_own_world. Progress goes to stderr.
[[nodiscard]] report run_storm(const storm_options& options);

/// Judges what a storm left in `folder`.
[[nodiscard]] history read_folder(const std::string& folder, std::optional<boot_time> now = {});

} // namespace paxtor::storm
