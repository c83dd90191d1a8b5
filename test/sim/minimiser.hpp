#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "test/sim/knobs.hpp"
#include "test/sim/run_options.hpp"
#include "test/sim/world.hpp"

namespace paxtor::sim {

/// Shrinks a run that finds something: as few steps as will do, then without the faults, actors and
/// knobs that it does not need, as long as the same rule is broken in the same way (delta
/// debugging). What it takes out does not shift what stays more than the run itself makes it, so
/// most of it goes.
class minimiser {
public:
  using trial = std::function<run_result(const run_options&)>;
  using progress = std::function<void(const minimiser&)>;

  struct limits {
    /// Runs at most; it may end with more than is needed.
    unsigned runs = 3000;
  };

  minimiser(trial run, limits bounds, progress tell)
      : run_(std::move(run)), bounds_(bounds), tell_(std::move(tell)) {}

  /// Returns false if `start` finds nothing.
  [[nodiscard]] bool shrink(const run_options& start);

  /// The smallest so far. REQUIRES: shrink() found something.
  [[nodiscard]] const run_result& result() const { return best_; }
  [[nodiscard]] const run_options& options() const { return how_; }

  [[nodiscard]] unsigned runs() const { return runs_; }
  /// Faults, actors: that it was begun with, and that are left.
  [[nodiscard]] std::uint64_t faults_left() const;
  [[nodiscard]] std::uint64_t actors_left() const;

private:
  /// Takes `candidate` if it finds the same. Returns whether it does.
  bool take(const run_options& candidate);
  /// The same, with other deliveries too: for large cuts, where a finding hangs on chance.
  bool take_somehow(const run_options& candidate);
  bool shorten();
  bool calm_knobs();
  bool thin(number_set changes::*without, std::uint64_t run_result::*drawn);

  trial run_;
  limits bounds_;
  progress tell_;
  unsigned runs_ = 0;
  unsigned salt_ = 0;
  run_options how_;
  run_result best_;
};

/// The program's command: minimises, tells its progress on stderr, and prints what is left and how
/// to see it. Returns the kind of the finding; 0 if the seed finds nothing, 64 if it is refused.
[[nodiscard]] int run_minimiser(const run_options& start, const std::string& program,
                                std::size_t keep_lines);

} // namespace paxtor::sim
