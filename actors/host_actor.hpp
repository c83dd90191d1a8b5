#pragma once

/// \file
/// The singleton host: starts the actors that the cluster places on this node, and says what
/// becomes of them.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/atom.hpp>
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

/// Host -> the agent of a node that got the handle of a singleton: (let_go_atom, name, token).
/// Answered by let_go_atom once no handle of that node sends there any more.
using let_go_atom = caf::atom_constant<caf::atom("pxLetGo")>;

/// How long a hand-over waits for others.
struct hand_over_patience {
  /// For a node to let go; then it counts as gone. Its link is cut long before if it is silent.
  std::chrono::milliseconds let_go{5'000};
  /// For the singleton to end once it was asked to; then it is killed.
  std::chrono::milliseconds end{30'000};
};

/// One per node; detached, so that constructors of users' actors may take their time. Mailbox:
/// start_singleton, hand_over and stop_singletons of the session agent, and of any node (get_atom,
/// name, token), answered with the singleton's handle and its messaging interface.
///
/// A singleton is handed over without losing a message. Every node that got its handle is asked to
/// let go of it; it answers over the same link as its messages went, which keeps their order, so
/// all that it sent is in the singleton's mailbox before the answer is here. When all have
/// answered, the singleton is asked to end by an exit message of normal priority, which CAF handles
/// in its turn: behind all of these. What senders sent meanwhile waits in their own nodes' handles.
///
/// I34 at most one actor per (name, token), and every one made is reported as started before it is
/// reported as ended.
/// I56 a singleton is asked to end only when every node that got its handle has let go of it, is
/// gone, or was waited for long enough.
/// I58 the handle of one that is handed over is given to nobody.
class host_actor : public caf::event_based_actor {
public:
  host_actor(caf::actor_config& cfg, std::string node, parking_unit* unit,
             hand_over_patience patience = {});

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "paxtor.host"; }

private:
  struct resident {
    term name;
    token grant;
    caf::strong_actor_ptr actor;
    std::set<std::string> interface;
    /// The agents of nodes that got its handle.
    std::set<caf::actor_addr> users{};
    /// It is handed over: those of them that have not let go.
    std::optional<std::set<caf::actor_addr>> holding{};
  };

  void start(const registry::start_singleton& order);
  [[nodiscard]] caf::error make(const registry::singleton_spec& spec, resident& out);
  void ended(const caf::down_msg& what);
  void kill(const resident& one, const std::string& reason);
  [[nodiscard]] resident* find(const term& name, token grant);

  // -- host_moves.cpp ----------------------------------------------------------------------------
  caf::result<caf::strong_actor_ptr, std::set<std::string>> give(const term& name, token grant);
  void hand_over(const registry::hand_over& order);
  void let_go(caf::actor_id which, const caf::actor_addr& user, const caf::error& why);
  void user_gone(const caf::actor_addr& user);
  void ask_to_end(const resident& one);
  void overdue(caf::actor_id which);

  logger log_;
  parking_unit* unit_;
  const hand_over_patience patience_;
  caf::actor agent_;
  std::map<caf::actor_id, resident> residents_;
  /// Those who are watched: everybody who got a handle.
  std::set<caf::actor_addr> users_;
};

} // namespace paxtor::actors
