#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "test/sim/number_set.hpp"

namespace paxtor::sim {

struct knobs;

/// What of a run differs from what its seed draws: what a minimiser takes out.
struct changes {
  /// Knobs by name, in this order.
  std::vector<std::pair<std::string, std::string>> set;
  /// Faults, and wishes of operators, that do not happen, by their number in the story.
  number_set without_faults;
  /// Actors that do not start, and names that are not used, by their number in the story.
  number_set without_actors;

  /// As options of the program, each with a blank before it; empty if nothing differs.
  [[nodiscard]] std::string text() const;
};

struct run_options {
  std::uint64_t seed = 0;
  /// Events in the phase with faults.
  std::uint64_t steps = 0;
  changes differs;
  /// Lines of the story kept for a finding.
  std::size_t keep_lines = 0;
  /// Gets the whole story; may be null.
  std::ostream* follow = nullptr;

  /// The options of the program that show this very run.
  [[nodiscard]] std::string replay() const;
};

/// Where all draws of a seed begin. The knobs are drawn from the first fork.
[[nodiscard]] generator generator_of(std::uint64_t seed);

/// The knobs of a run: drawn, and set. Returns why no run can have them; empty if one can.
[[nodiscard]] std::string knobs_of(const run_options& options, knobs& out);

} // namespace paxtor::sim
