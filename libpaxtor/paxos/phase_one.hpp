#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/paxos/messages.hpp"

namespace paxtor::paxos {

/// What phase 1 found in a slot.
struct recovered_value {
  ballot at;
  batch value;
  /// The voters from the next slot on, if the value changes them.
  std::optional<configuration> changes;
  /// A majority has accepted this in one ballot: once all before it is decided, it is, too.
  bool decided = false;
  /// Bit i: the voter of the i-th promise that was whole holds this value of this ballot.
  std::uint64_t held_by = 0;
};

/// Phase 1 of one ballot: collects promises, takes per slot the value of the highest ballot (L2),
/// and knows whose promises are still missing in every configuration that the recovered log passes
/// through (L6). Owned by the proposer; lives from `prepare` to the end of phase 1.
class phase_one {
public:
  phase_one(voter_id self, ballot at, slot from) : self_(self), at_(at), from_(from) {}

  [[nodiscard]] ballot at() const { return at_; }
  [[nodiscard]] slot from() const { return from_; }

  /// Takes a (part of a) promise. Returns false if it is not an answer to this prepare, or
  /// malformed.
  bool add(voter_id from, const promise& what);

  /// True if all of its promise is here.
  [[nodiscard]] bool promised(voter_id id) const;

  /// The first part of its promise that has not come.
  [[nodiscard]] std::uint32_t next_part(voter_id id) const;

  /// The part to ask for next, once: all that was asked of it has come, and there is more.
  [[nodiscard]] std::optional<std::uint32_t> ask_on(voter_id id);

  /// How many parts of promises have come.
  [[nodiscard]] std::uint64_t parts() const { return parts_; }

  /// The voters whose promise is still needed or may come, when all up to `decided_upto` is decided
  /// and `voters` decide the next slot.
  [[nodiscard]] std::vector<voter_id> missing(slot decided_upto, const configuration& voters) const;

  /// True if a majority of every configuration has promised, this voter among them. The own promise
  /// is always needed: nothing is proposed in a ballot that we could forget and use again after a
  /// restart.
  [[nodiscard]] bool complete(slot decided_upto, const configuration& voters) const;

  /// Slots up to here are decided and gone from an acceptor's log: they are learned, not proposed.
  [[nodiscard]] slot truncated_upto() const { return truncated_upto_; }

  /// What was found. `decided` is told of the slots up to the first that changes the voters: up to
  /// there `voters` decide, behind it others may (L6).
  [[nodiscard]] std::map<slot, recovered_value> take_values(slot decided_upto,
                                                            const configuration& voters);

private:
  struct answer {
    std::uint32_t parts = 0;
    std::uint32_t next = 0;       // the first that has not come
    std::uint32_t asked_upto = 0; // the first that was not asked for
    slot truncated_upto;
    std::map<std::uint32_t, std::map<slot, accepted_value>> got;
    bool whole = false;
    /// Its bit in `held_by`; none, if it came after 64 others.
    std::uint64_t bit = 0;
  };

  /// The configurations from slot `decided_upto` + 1 on, as far as the recovered values say.
  [[nodiscard]] std::vector<configuration> chain(slot decided_upto,
                                                 const configuration& voters) const;
  void merge(const std::map<slot, accepted_value>& accepted, std::uint64_t bit);

  voter_id self_;
  ballot at_;
  slot from_;
  slot truncated_upto_;
  std::map<voter_id, answer> answers_;
  std::uint64_t next_bit_ = 1;
  std::uint64_t parts_ = 0;
  std::map<slot, recovered_value> values_;
  /// Where values_ change the voters: asked for at each part that comes.
  std::set<slot> changes_;
};

} // namespace paxtor::paxos
