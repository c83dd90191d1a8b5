#pragma once

/// \file
/// The singleton host: starts the actors that the cluster places on this node, and says what
/// becomes of them.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_execution_unit.hpp>

#include "actors/local_messages.hpp"
#include "actors/log.hpp"

namespace paxtor::actors {

/// Keeps actors from running between their making and `release`, so that their flags can be
/// changed: a singleton must not keep its system from ending (CAF waits for every actor that is not
/// hidden, and a singleton never ends by itself). Lives as long as the system: blocking actors keep
/// the unit they were made with.
class parking_unit : public caf::scoped_execution_unit {
public:
  explicit parking_unit(caf::actor_system* sys) : caf::scoped_execution_unit(sys) {}

  void exec_later(caf::resumable* what) override;

  /// What this thread makes from now on waits.
  void park();

  /// Lets it run.
  void release();
};

/// One per node; detached, so that constructors of users' actors may take their time. Mailbox:
/// start_singleton and stop_singletons of the session agent, and of any node (get_atom, name,
/// token), answered with the singleton's handle and its messaging interface.
///
/// I34 at most one actor per (name, token), and every one made is reported as started before it is
/// reported as ended.
class host_actor : public caf::event_based_actor {
public:
  host_actor(caf::actor_config& cfg, std::string node, parking_unit* unit);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "paxtor.host"; }

private:
  struct resident {
    term name;
    token grant;
    caf::strong_actor_ptr actor;
    std::set<std::string> interface;
  };

  void start(const registry::start_singleton& order);
  [[nodiscard]] caf::error make(const registry::singleton_spec& spec, resident& out);
  void ended(const caf::down_msg& what);
  void kill(const resident& one, const std::string& reason);
  [[nodiscard]] const resident* find(const term& name, token grant) const;

  logger log_;
  parking_unit* unit_;
  caf::actor agent_;
  std::map<caf::actor_id, resident> residents_;
};

} // namespace paxtor::actors
