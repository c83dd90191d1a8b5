#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/sim/faults.hpp"
#include "test/sim/finding.hpp"
#include "test/sim/guardian.hpp"
#include "test/sim/hearsay.hpp"
#include "test/sim/links.hpp"
#include "test/sim/operator_model.hpp"
#include "test/sim/run_options.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

struct run_result {
  /// Why there was no run: its knobs cannot be set so; else empty.
  std::string refused;
  /// How to see it again.
  std::string replay;
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;
  verdict found;
  /// Faults and actors that were drawn, whether they happened or not.
  std::uint64_t faults = 0;
  std::uint64_t actors = 0;
  std::uint64_t digest = 0;
  stats counts;
  std::string knobs;
  std::vector<std::string> tail;
};

/// One run: a cluster of voters and client nodes under faults, then without; everything drawn from
/// the seed. Broken invariants and exceptions become findings. REQUIRES: install_check_handler()
/// was called.
[[nodiscard]] run_result run(const run_options& options);

/// Makes a broken invariant (PAXTOR_CHECK) a finding of the run instead of the end of the program.
void install_check_handler();

/// The cluster of one run and its phases.
class world {
public:
  /// REQUIRES: `how` is what knobs_of says.
  world(const run_options& options, const knobs& how);

  /// Runs all phases, up to the first finding.
  void run();

  [[nodiscard]] scene& all() { return all_; }

  /// Adds what the checkers counted.
  void count();

private:
  void build();
  void unrest(std::uint64_t steps);
  void calm();
  /// Runs until `missing` says nothing is missing, at most `limit`.
  template <class Missing>
  void run_until(const char* phase, duration limit, Missing&& missing);
  [[nodiscard]] std::string missing_progress();
  [[nodiscard]] std::string held_keys(const registry::machine& state) const;
  [[nodiscard]] std::string missing_sessions(const registry::machine& state);
  [[nodiscard]] std::string missing_agreement();
  [[nodiscard]] std::string missing_values();
  [[nodiscard]] std::string missing_leave();
  [[nodiscard]] process* leader();

  run_options options_;
  generator random_;
  /// What the knobs were drawn from.
  generator drawn_before_;
  scene all_;
  process_list processes_;
  links links_;
  guardian guardian_;
  faults faults_;
  hearsay hearsay_;
  operator_model operator_;
};

} // namespace paxtor::sim
