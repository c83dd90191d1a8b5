#pragma once

#include <caf/event_based_actor.hpp>

#include "actors/role_messages.hpp"

namespace paxtor::actors {

/// Makes the images of snapshots beside the learner, so that the voter need not stop for them (L4):
/// a registry of its own restores the snapshot before and applies the log since. It holds nothing
/// between two tasks. One per voter, detached, and less urgent than all others; whatever comes next
/// (a newer task, stop_atom) makes what is under way void. Ends with stop_atom.
class snapshot_actor final : public caf::event_based_actor {
public:
  explicit snapshot_actor(caf::actor_config& cfg) : caf::event_based_actor(cfg) {}

  const char* name() const override { return "paxtor.snapshots"; }
  caf::behavior make_behavior() override;
};

} // namespace paxtor::actors
