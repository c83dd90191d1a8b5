#pragma once

#include <deque>
#include <functional>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::sim {

/// A voter's store: writes become durable in order, each as a whole, some time after they were
/// asked for. A crash loses what is not durable yet.
class model_store {
public:
  /// Told of each acceptance as it becomes durable.
  using witness = std::function<void(slot where, const paxos::accepted_value& value)>;

  model_store(voter_id self, witness see) : see_(std::move(see)) { durable_.self = self; }

  void append(paxos::write what) { waiting_.push_back(std::move(what)); }

  /// The oldest write that waits is durable now. Returns its id. REQUIRES: one waits.
  write_id complete_one();

  [[nodiscard]] bool idle() const { return waiting_.empty(); }

  /// The process died: of what waits, a random number of the oldest had become durable without
  /// anybody being told.
  void crash(generator& random);

  /// What the next life starts from.
  [[nodiscard]] const paxos::recovered& read() const { return durable_; }

private:
  void apply(const paxos::write_op& what);

  paxos::recovered durable_;
  std::deque<paxos::write> waiting_;
  witness see_;
};

} // namespace paxtor::sim
