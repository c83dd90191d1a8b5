#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::storage {

/// What a store says of a call. `why` is empty on success, else one line that says what to do.
struct result {
  std::string why;

  [[nodiscard]] bool ok() const { return why.empty(); }
};

/// What was found at start.
struct loaded {
  result outcome;
  /// Meaningful only if `outcome.ok()`. `self` is set also by a blank store: a voter_id is made
  /// with the store and dies with it (L5).
  paxos::recovered state;
};

/// What a store says of a part of a snapshot.
struct part_written {
  result outcome;
  /// It was the last one: the snapshot is durable, and in force.
  bool whole = false;
};

/// Where a voter keeps what it must not forget (L1). Owned by the storage actor, one thread at a
/// time; lives as long as the voter.
///
/// I23 what an `append` that succeeded wrote is given back by every later `load`, unless a later
///     write replaced or truncated it.
class store {
public:
  store() = default;
  store(const store&) = delete;
  store& operator=(const store&) = delete;
  virtual ~store() = default;

  /// All that is kept. ERRORS: it cannot be read; then the voter must not run.
  [[nodiscard]] virtual loaded load() = 0;

  /// Carries out these writes in order, as a whole. When it returns ok they are durable: the caller
  /// then says `persisted(id)` of the last one. Callers gather what waits into one call: one sync
  /// for all. ERRORS: the disk refused. Nothing may be assumed of what was written; the voter
  /// stops.
  [[nodiscard]] virtual result append(const std::vector<paxos::write>& writes) = 0;

  /// As `append` of this snapshot, a part at a time, so that other writes need not wait for all of
  /// it: call it with the same one until `whole`. Each call takes a short time, and what it wrote
  /// is durable. Until the last one the snapshot before is in force (L4: nothing behind may be
  /// cut). Another snapshot begins anew. ERRORS: as append.
  [[nodiscard]] virtual part_written write_part(const paxos::write_snapshot& what) {
    return {append({paxos::write{{}, {what}}}), true};
  }

  /// For logs: the kind of store and where it is.
  [[nodiscard]] virtual const std::string& describe() const = 0;

  /// True if it dies with the process: the node comes back as a new voter (L5).
  [[nodiscard]] virtual bool volatile_store() const = 0;
};

} // namespace paxtor::storage
