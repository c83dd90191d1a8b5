#pragma once

#include <cstdint>
#include <map>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/output.hpp"
#include "test/sim/agreement_checker.hpp"
#include "test/sim/finding.hpp"

namespace paxtor::sim {

/// Durability, judged from what lies in the stores at each moment, as if all lost their power then:
/// among the voters of a slot that live or can come back, those that hold its chosen value (in
/// their log, or in a snapshot that covers it) must meet every majority. Else a later leader could
/// be promised by a majority that has never heard of the value (L2, L4, L5).
class durability_checker {
public:
  explicit durability_checker(const agreement_checker& log) : log_(log) {}

  /// `what` is durable in the store of `by`. The agreement checker knows already.
  [[nodiscard]] verdict wrote(voter_id by, const paxos::write& what);

  /// A voter starts, from `state`: what it does not hold from here on, it has forgotten.
  [[nodiscard]] verdict starts(voter_id by, const paxos::recovered& state);

  /// The store of `by` is gone, and `by` never votes again.
  void lost(voter_id by) { stores_.erase(by); }

  /// The last slot that a log at rest ends with is at least that of the last chosen value.
  [[nodiscard]] verdict at_rest(voter_id by, slot decided_upto) const;

  [[nodiscard]] std::uint64_t checked() const { return checked_; }

private:
  struct store {
    std::map<slot, blob> accepted;
    slot snapshot_upto;

    [[nodiscard]] bool holds(slot where, const blob& value) const {
      if (where <= snapshot_upto)
        return true;
      auto i = accepted.find(where);
      return i != accepted.end() && i->second == value;
    }
  };

  [[nodiscard]] verdict check(slot where, voter_id by, const char* what);

  const agreement_checker& log_;
  std::map<voter_id, store> stores_;
  std::uint64_t checked_ = 0;
};

} // namespace paxtor::sim
