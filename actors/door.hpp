#pragma once

/// \file
/// What is behind paxtor::cluster. A header of its own, as the class paxtor::cluster and the
/// namespace of that name (floor 2) must not meet in one file.

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <caf/message.hpp>
#include <nlohmann/json.hpp>

#include <paxtor/config.hpp>
#include <paxtor/key.hpp>
#include <paxtor/options.hpp>

namespace paxtor::detail {

/// One per joined node; see actors/node.hpp. All functions may be called from any thread.
class node {
public:
  virtual ~node();

  /// The session agent; an actor that answers not_joined once the node is leaving; null once it has
  /// stopped.
  [[nodiscard]] virtual caf::actor agent() const = 0;
  /// Null once it has stopped.
  [[nodiscard]] virtual caf::actor_system* system() const = 0;
  [[nodiscard]] virtual caf::strong_actor_ptr named(const key& k, const std::string& type,
                                                    const caf::message& args,
                                                    const name_options& options,
                                                    const std::set<std::string>& interface) = 0;
  [[nodiscard]] virtual const std::string& name() const = 0;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  [[nodiscard]] virtual nlohmann::json status() const = 0;
  virtual void leave() = 0;
};

/// ERRORS: as paxtor::join.
[[nodiscard]] caf::expected<std::shared_ptr<node>> join_node(caf::actor_system& sys,
                                                             const node_options& options);

} // namespace paxtor::detail
