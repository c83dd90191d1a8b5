#pragma once

/// \file
/// Paxtor's part of an actor system: starts nothing, and leaves the cluster in good order when the
/// system ends.

#include <memory>
#include <mutex>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/detail/type_list.hpp>
#include <caf/expected.hpp>

#include "actors/host_actor.hpp"
#include "actors/node.hpp"

namespace paxtor::actors {

/// Made by the config's module factories (paxtor::load), owned by the system. CAF stops modules one
/// after the other, those with the highest id first: we take the id of a module that this CAF does
/// not ship, so that our actors still find middleman and scheduler running.
class module : public caf::actor_system::module {
public:
  static caf::actor_system::module* make(caf::actor_system& sys, caf::detail::type_list<>);

  explicit module(caf::actor_system& sys);
  ~module() override;

  void init(caf::actor_system_config& cfg) override;
  void start() override;
  void stop() override;
  id_t id() const override { return network_manager; }
  void* subtype_ptr() override { return this; }

  /// Null if paxtor::load was not called for this system's config.
  [[nodiscard]] static module* of(caf::actor_system& sys);

  /// ERRORS: as paxtor::join.
  [[nodiscard]] caf::expected<std::shared_ptr<node>> join(const plan& what);

private:
  /// TLS files become CAF's own options, which net/ reads.
  void use_certificates(const node_options& options);

  caf::actor_system& sys_;
  caf::actor_system_config* cfg_ = nullptr;
  parking_unit unit_;
  std::mutex mutex_;
  std::shared_ptr<node> node_;
};

} // namespace paxtor::actors
