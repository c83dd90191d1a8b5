#pragma once

#include <cstdint>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/registry/machine.hpp"
#include "test/sim/agreement_checker.hpp"
#include "test/sim/finding.hpp"
#include "test/sim/registry_checker.hpp"

namespace paxtor::sim {

/// Every replica picks the same indices for its image to be compared; all of them would cost too
/// much.
[[nodiscard]] bool picked_for_images(index at);

/// Sees each value at the moment at which it is chosen, before any node can: applies the log to a
/// registry of its own, which it has judged entry by entry, and which every voter's must equal.
class log_witness {
public:
  explicit log_witness(agreement_checker& log) : log_(log) {}

  /// Applies what has been chosen since.
  [[nodiscard]] verdict follow();

  /// The last entry that is chosen.
  [[nodiscard]] index last() const { return last_; }
  [[nodiscard]] const registry_checker& judged() const { return judged_; }
  [[nodiscard]] versions& reads() { return judged_.reads(); }

private:
  [[nodiscard]] verdict apply(const paxos::entry& what);
  [[nodiscard]] verdict look();

  agreement_checker& log_;
  registry::machine state_;
  registry_checker judged_;
  slot upto_;
  index last_;
};

} // namespace paxtor::sim
