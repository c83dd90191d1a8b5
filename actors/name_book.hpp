#pragma once

/// \file
/// The names that this node uses: one cell and one handle for each.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include "actors/name_cell.hpp"

namespace paxtor::actors {

/// Thread-safe. Shared by the node, its session agent and all cells; lives as long as the last
/// handle.
class name_book : public std::enable_shared_from_this<name_book> {
public:
  explicit name_book(caf::actor_system& sys) : sys_(sys) {}

  /// The handle for this name, type, arguments and interface: the one that exists, or a new one.
  [[nodiscard]] caf::strong_actor_ptr handle(const term& name, const registry::singleton_spec& spec,
                                             const std::set<std::string>& interface);

  /// Whom cells tell what they need. Until `close`.
  void keeper(caf::actor who);

  /// Forgets the cell if it has no handle. False if it has one (again).
  [[nodiscard]] bool retire(const std::shared_ptr<name_cell>& cell);

  /// This node leaves: every handle refuses messages with `why` and ends; so do those made later.
  void close(const caf::error& why);

  template <class Atom>
  void tell(Atom what, const std::shared_ptr<name_cell>& cell) {
    if (auto to = current_keeper())
      caf::anon_send(to, what, cell);
  }

  void count_dropped() { dropped_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t size() const;

private:
  /// Name, encoded spec, interface.
  using cell_key = std::tuple<std::string, std::string, std::set<std::string>>;

  [[nodiscard]] static cell_key key_of(const term& name, const registry::singleton_spec& spec,
                                       const std::set<std::string>& interface);
  [[nodiscard]] caf::actor current_keeper() const;

  caf::actor_system& sys_;
  std::atomic<std::uint64_t> dropped_{0};
  mutable std::mutex mutex_;
  std::map<cell_key, std::shared_ptr<name_cell>> cells_;
  caf::error closed_;
  /// A mutex of its own: cells tell the keeper while they hold theirs.
  mutable std::mutex keeper_mutex_;
  caf::actor keeper_;
};

} // namespace paxtor::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<paxtor::actors::name_cell>)
