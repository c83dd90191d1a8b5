#pragma once

/// \file
/// The registry as the log makes it: from an image and the values of the slots behind it. Here
/// snapshots are made (L4), and a voter that is left alone finds out what it knows.

#include <functional>
#include <optional>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/output.hpp"
#include "libpaxtor/registry/machine.hpp"

namespace paxtor::cluster {

/// Applies one decided entry. False: this build cannot read it (README.md, "Versions"), and nothing
/// was changed.
bool apply_entry(registry::machine& state, const paxos::decided_entry& entry,
                 registry::outcome& result);

/// A registry of its own that follows a log.
///
/// I22 the image that it begins with can be read.
class replay {
public:
  explicit replay(const std::optional<paxos::write_snapshot>& base);

  /// The value of the next slot.
  void apply(const paxos::batch& value);

  [[nodiscard]] const registry::machine& state() const { return state_; }
  [[nodiscard]] slot upto() const { return upto_; }
  [[nodiscard]] index last() const { return last_; }
  /// The first entry that this build cannot read: from there on the state is not the log's.
  [[nodiscard]] std::optional<index> unreadable() const { return unreadable_; }

private:
  registry::machine state_;
  slot upto_;
  index last_;
  std::optional<index> unreadable_;
};

/// The image that a learner wants. The registry is deterministic, so it is the very image that the
/// learner's own registry had after the task's last slot; that one is not touched, and may be far
/// ahead. O(registry + task): seconds at a million locks. nullopt: `go_on` said no; it is asked
/// about every thousand entries.
///
/// I50 what is made is of the task's last slot and index, and equal to the image of the registry
///     that applied the same log without a stop (cluster::voter compares).
[[nodiscard]] std::optional<blob> make_image(const paxos::snapshot_task& task,
                                             const std::function<bool()>& go_on = {});

} // namespace paxtor::cluster
