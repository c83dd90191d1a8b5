#pragma once

/// \file
/// Finds singletons for the handles of this node and follows them when they move.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/event_based_actor.hpp>

#include "actors/name_book.hpp"
#include "actors/name_cell.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/cluster/agent.hpp"
#include "net/peers.hpp"

namespace paxtor::actors {

/// How long the node goes on to follow a name that no handle uses: for programs that make a handle
/// for each message.
inline constexpr duration name_lingers = std::chrono::seconds{10};

/// Names that linger at once. Beyond, unused names are forgotten at once.
inline constexpr std::size_t max_lingering = 1024;

/// A part of the session agent's actor; runs on its thread. It decides nothing: the agent knows
/// where a name lives, the keeper fetches the handle from there and connects cells.
///
/// I35 a cell is connected only to the actor that its location names by token, and only if its
/// interface fits.
/// I57 a singleton that was let go of has no connected cell here, and gets none again (I58).
class name_keeper {
public:
  /// REQUIRES: `self` and `agent` outlive this.
  name_keeper(caf::event_based_actor* self, cluster::agent* agent, std::shared_ptr<net::peers> book,
              std::shared_ptr<name_book> names);

  void hub_is(caf::actor hub) { hub_ = std::move(hub); }

  // -- from cells ---------------------------------------------------------------------------------
  void wanted(time_point now, const std::shared_ptr<name_cell>& cell);
  void lost(time_point now, const std::shared_ptr<name_cell>& cell);
  void idle(time_point now, const std::shared_ptr<name_cell>& cell);

  // -- from the agent -----------------------------------------------------------------------------
  /// True if the request was the keeper's.
  bool located(time_point now, const cluster::located& what);
  bool failed(const cluster::failed& what);
  void moved(time_point now, const cluster::name_moved& what);

  // -- from elsewhere -----------------------------------------------------------------------------
  /// Its host hands this singleton over: when this returns, nothing is sent there any more.
  void let_go(time_point now, const term& name, token grant);
  void link_up(time_point now, node_id node);
  void link_down(time_point now, node_id node);
  void tick(time_point now);
  /// When tick has something to do; nullopt: nothing.
  [[nodiscard]] std::optional<time_point> next_wake() const { return wake_; }

  /// Called with what came of a request to a host, before the keeper acts on it: the agent's actor
  /// counts it as an input.
  std::function<void(std::function<void(time_point)>)> on_reply;

  [[nodiscard]] std::size_t size() const { return names_.size(); }

private:
  enum class step : std::uint8_t {
    idle,      ///< the next message asks
    resolving, ///< the agent was asked
    fetching,  ///< the host was asked for the handle, or a link to it is being made
    direct,    ///< connected
    suspect,   ///< lost: the agent looks, and will say name_moved
  };

  struct use {
    std::shared_ptr<name_cell> cell;
    step at = step::idle;
    registry::location where;
    std::optional<time_point> unused_since;
    std::optional<time_point> fetch_again;
    time_point linked_at{};
  };

  using uses = std::vector<use>;

  [[nodiscard]] use* find(const std::shared_ptr<name_cell>& cell);
  void resolve(time_point now, use& one);
  void fetch(time_point now, use& one, const registry::location& where);
  void fetched(time_point now, const std::shared_ptr<name_cell>& cell, token grant,
               const caf::strong_actor_ptr& actor, const std::set<std::string>& interface);
  void not_fetched(time_point now, const std::shared_ptr<name_cell>& cell, token grant);
  void refuse(use& one, const caf::error& why);
  void suspect(time_point now, use& one);
  void stay_linked(time_point now, use& one);
  void wake_at(time_point when);

  caf::event_based_actor* self_;
  cluster::agent* agent_;
  std::shared_ptr<net::peers> book_;
  std::shared_ptr<name_book> handles_;
  caf::actor hub_;
  std::map<term, uses> names_;
  std::map<cluster::request_id, std::shared_ptr<name_cell>> asked_;
  std::optional<time_point> wake_;
};

} // namespace paxtor::actors
