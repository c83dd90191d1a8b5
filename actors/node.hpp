#pragma once

/// \file
/// A node: everything behind paxtor::cluster, put together and taken apart again.

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <nlohmann/json.hpp>

#include <paxtor/key.hpp>
#include <paxtor/options.hpp>

#include "actors/agent_actor.hpp"
#include "actors/data_dir.hpp"
#include "actors/door.hpp"
#include "actors/guardian_keeper.hpp"
#include "actors/host_actor.hpp"
#include "actors/join_progress.hpp"
#include "actors/lease_view.hpp"
#include "actors/log.hpp"
#include "actors/name_book.hpp"
#include "actors/plan.hpp"
#include "actors/voter_actor.hpp"
#include "actors/watchdog.hpp"
#include "net/peers.hpp"

namespace paxtor::actors {

/// Owned by the actor system's module, and by copies of `cluster`. Once it has stopped it holds no
/// actor any more: a copy of `cluster` may outlive the actor system. (CAF waits at its end for
/// every detached actor to be *destroyed*.)
///
/// I38 a node that could not be joined leaves nothing behind: no actor, no thread, no socket.
class node final : public detail::node {
public:
  /// Starts everything and waits until the session is open. ERRORS: as paxtor::join.
  [[nodiscard]] static caf::expected<std::shared_ptr<node>>
  join(caf::actor_system& sys, const plan& what, parking_unit* unit);

  node(caf::actor_system& sys, plan what);
  ~node() override;

  node(const node&) = delete;
  node& operator=(const node&) = delete;

  [[nodiscard]] caf::actor agent() const override;
  [[nodiscard]] caf::actor_system* system() const override;
  [[nodiscard]] caf::strong_actor_ptr named(const key& k, const std::string& type,
                                            const caf::message& args, const name_options& options,
                                            const std::set<std::string>& interface) override;
  [[nodiscard]] const std::string& name() const override { return plan_.options.name; }
  [[nodiscard]] std::uint16_t port() const override { return port_; }
  [[nodiscard]] nlohmann::json status() const override;

  /// Safe to call by several threads, and twice.
  void leave() override;

  /// The actor system ends: as leave, and lets go of the last actor.
  void stop();

  /// It leaves, or has left: nobody can use it any more.
  [[nodiscard]] bool leaving() const;

private:
  [[nodiscard]] caf::error start(parking_unit* unit);
  /// Tells the guardian of changes of the voters, as long as there is one.
  [[nodiscard]] std::function<void(const paxos::configuration&)> guardian_news() const;
  [[nodiscard]] caf::error start_voter();
  /// Takes the data directory, if there is one. Its lives that have ended are proofs (F4).
  [[nodiscard]] caf::error open_data(agent_setup& setup);
  /// Null if it is off, or there can be none: then a line has said why.
  [[nodiscard]] std::unique_ptr<guardian_keeper> make_guardian() const;
  [[nodiscard]] caf::expected<std::uint16_t> start_hub(const cluster::hello_frame& hello);
  /// Sends each its order to end and waits for it.
  void end_actors();

  caf::actor_system* sys_;
  const plan plan_;
  logger log_;
  std::shared_ptr<net::peers> book_;
  std::shared_ptr<name_book> names_;
  std::shared_ptr<detail::lease_view> lease_;
  std::shared_ptr<watchdog> dog_;
  std::shared_ptr<join_progress> progress_;
  /// Shared with the agent, which tells it who votes.
  std::shared_ptr<guardian_keeper> guardian_;
  std::shared_ptr<data_dir> data_;

  mutable std::mutex mutex_;
  node_id id_;
  std::uint16_t port_ = 0;
  bool leaving_ = false;
  bool stopped_ = false;
  caf::actor agent_;
  caf::actor host_;
  caf::actor hub_;
  caf::actor closed_;
  std::optional<voter_handles> voter_;
  /// One leave at a time; whoever comes second waits for the first.
  std::mutex leave_mutex_;
};

} // namespace paxtor::actors
