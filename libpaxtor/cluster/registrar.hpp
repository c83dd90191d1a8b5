#pragma once

#include <cstdint>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/cluster/lease_keeper.hpp"
#include "libpaxtor/cluster/messages.hpp"
#include "libpaxtor/paxos/output.hpp"
#include "libpaxtor/registry/machine.hpp"

namespace paxtor::cluster {

struct registrar_output {
  /// Answers and effects, gathered per node.
  std::vector<to_node> send;
  /// For the lease keeper; at most one per turn.
  std::vector<applied_note> notes;
};

/// The registry at work: applies decided entries, sends answers and effects while its voter leads, answers reads, makes and
/// installs images. It sits beside the learner, in the same actor.
class registrar {
public:
  registrar();

  /// Whether this voter leads: only then are answers and effects sent (they are true anywhere; this saves messages).
  void lead(bool leading);

  void install(const paxos::write_snapshot& snapshot);
  void apply(const std::vector<paxos::decided_entry>& entries);

  void read(ready_read what);
  void sync(const watermark_note& note);

  [[nodiscard]] blob image() const;
  [[nodiscard]] registrar_output take_output();
  [[nodiscard]] const registry::machine& machine() const;
};

} // namespace paxtor::cluster
