#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/atom.hpp>
#include <caf/event_based_actor.hpp>

#include "actors/role_messages.hpp"
#include "actors/store_access.hpp"

namespace paxtor::actors {

/// The only thread that touches a durable store. Group commit: all orders that have arrived are one
/// append, one sync. A snapshot is written a part at a time between them, so no order waits for
/// more than a part of it. One per voter, detached; ends with stop_atom.
class storage_actor final : public caf::event_based_actor {
public:
  storage_actor(caf::actor_config& cfg, std::string node_name, std::shared_ptr<store_access> store);

  const char* name() const override { return "paxtor.storage"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  /// To itself: the next part of a snapshot.
  using part_atom = caf::atom_constant<caf::atom("pxPart")>;

  /// Who hears that a write is durable, and how.
  struct asker {
    caf::strong_actor_ptr who;
    std::shared_ptr<written_hook> hook;
  };

  /// Orders of one role that are written a part at a time. `written` covers all that the role has
  /// ordered before, so what it orders behind them waits for them.
  struct slow_orders {
    asker from;
    std::deque<paxos::write> writes;
  };

  void take(const write_order& order);
  void commit();
  void write_part();
  void check(const storage::result& outcome) const;
  void tell(const asker& whom, write_id upto);

  std::string node_name_;
  std::shared_ptr<store_access> store_;
  std::vector<paxos::write> waiting_;
  std::vector<std::pair<asker, write_id>> askers_;
  std::deque<slow_orders> slow_;
};

} // namespace paxtor::actors
