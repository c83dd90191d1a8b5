#pragma once

#include <map>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/cluster/agent.hpp"
#include "test/sim/exclusion_checker.hpp"
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

  /// It ends after a while, as one that was asked to behind its last message.
  void hand_over(const registry::hand_over& what);

  /// Stops these, and does not spawn what has not been spawned yet.
  void fenced(const std::vector<local_actor_id>& singletons);

  void process_ended();

private:
  struct hosted {
    token grant;
    local_actor_id actor; ///< not valid() until spawned
    bool dying = false;
  };

  void spawn(const term& name, token grant);
  void kill(const term& name, token grant);
  void end(const term& name, token grant, bool failed, const char* why);
  [[nodiscard]] hosted* find(const term& name, token grant);
  [[nodiscard]] claimant me(local_actor_id id) const;

  scene& all_;
  process& home_;
  node_side& node_;
  generator random_;
  std::map<term, std::map<token, hosted>> hosted_;
};

/// How long an actor that was told to stop takes for it; now and then longer than its lease.
[[nodiscard]] duration draw_dying(generator& random, const scene& all, const process& home);

} // namespace paxtor::sim
