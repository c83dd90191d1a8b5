#pragma once

#include <cstdint>
#include <utility>

#include "test/sim/number_set.hpp"

namespace paxtor::sim {

/// Numbers what a run draws, and leaves some of it out. A thing that is left out is drawn all the
/// same, from a generator of its own, so that the others stay what they are.
class schedule {
public:
  schedule(number_set without_faults, number_set without_actors)
      : without_faults_(std::move(without_faults)), without_actors_(std::move(without_actors)) {}

  /// The next fault, or wish of an operator: true if it happens.
  [[nodiscard]] bool next_fault() { return !without_faults_.contains(++faults_); }

  /// The next actor, or use of a name: true if it happens.
  [[nodiscard]] bool next_actor() { return !without_actors_.contains(++actors_); }

  [[nodiscard]] std::uint64_t faults() const { return faults_; }
  [[nodiscard]] std::uint64_t actors() const { return actors_; }

private:
  number_set without_faults_;
  number_set without_actors_;
  std::uint64_t faults_ = 0;
  std::uint64_t actors_ = 0;
};

} // namespace paxtor::sim
