#pragma once

#include <cstdint>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::paxos {

/// The learner: counts acceptances of distinct voters of the slot's configuration (L2), concludes decisions from what
/// a leader observed, yields decided entries in order, catches up from other learners by values or snapshot (L4).
/// Owned by the learner actor (or a replica). A standby runs only this role.
///
/// I8 decided values of a slot never change. I9 entries come out in order, each index once.
/// I10 the log is cut only behind a durable snapshot.
class learner {
public:
  learner(voter_id self, const recovered& state, configuration voters, timing times, limits bounds, time_point now);

  void step(time_point now, voter_id from, const message& what);
  void tick(time_point now);

  /// The driver made the image it was asked for: of exactly the registry after all entries handed out so far.
  void snapshot_made(blob image);

  void persisted(write_id id);

  [[nodiscard]] learner_output take_output();

  /// The last slot whose entries were handed out.
  [[nodiscard]] slot decided_upto() const;
  [[nodiscard]] index last_index() const;
  [[nodiscard]] const configuration& voters() const;
};

} // namespace paxtor::paxos
