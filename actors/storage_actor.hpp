#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "actors/role_messages.hpp"
#include "actors/store_access.hpp"

namespace paxtor::actors {

/// The only thread that touches a durable store. Group commit: all orders that have arrived are one
/// append, one sync. One per voter, detached; ends with stop_atom.
class storage_actor final : public caf::event_based_actor {
public:
  storage_actor(caf::actor_config& cfg, std::string node_name, std::shared_ptr<store_access> store);

  const char* name() const override { return "paxtor.storage"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void commit();

  std::string node_name_;
  std::shared_ptr<store_access> store_;
  std::vector<paxos::write> waiting_;
  std::vector<std::pair<caf::strong_actor_ptr, write_id>> askers_;
};

} // namespace paxtor::actors
