#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/cluster/agent.hpp"
#include "test/sim/exclusion_checker.hpp"
#include "test/sim/mail.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

class process;
class node_side;

/// Starts singletons as it is told, after a while, or fails to; they live until they end by
/// themselves, are fenced, or their process ends.
class singleton_host {
public:
  singleton_host(scene& all, process& home, node_side& node, generator random);

  void start(const registry::start_singleton& what);

  /// It ends once every node that got its handle has let go, behind their last messages.
  void hand_over(const registry::hand_over& what);

  /// A node wants a handle, sends a message, has let go, or is linked no more.
  void receive(process_number from, const letter& what);

  /// Stops these, and does not spawn what has not been spawned yet.
  void fenced(const std::vector<local_actor_id>& singletons);

  void process_ended();

private:
  struct hosted {
    token grant;
    local_actor_id actor; ///< not valid() until spawned
    bool dying = false;
    /// Nodes that got its handle; while it moves: that have not let go.
    std::set<process_number> users;
    bool moves = false;
  };

  void spawn(const term& name, token grant);
  void link_ended(process_number peer);
  void take_message(const letter& what);
  void end_if_let_go(const term& name, token grant);
  void kill(const term& name, token grant);
  void end(const term& name, token grant, bool failed, const char* why);
  [[nodiscard]] hosted* find(const term& name, token grant);
  [[nodiscard]] claimant me(local_actor_id id) const;

  scene& all_;
  process& home_;
  node_side& node_;
  generator random_;
  std::map<term, std::map<token, hosted>> hosted_;
  /// Those that have moved away in good order: no message may come for them any more.
  std::set<std::pair<term, token>> moved_away_;
};

/// How long an actor that was told to stop takes for it; now and then longer than its lease.
[[nodiscard]] duration draw_dying(generator& random, const scene& all, const process& home);

} // namespace paxtor::sim
