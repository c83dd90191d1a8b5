#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/cluster/agent.hpp"
#include "test/sim/exclusion_checker.hpp"
#include "test/sim/name_user.hpp"
#include "test/sim/scene.hpp"
#include "test/sim/script.hpp"
#include "test/sim/singleton_host.hpp"

namespace paxtor::sim {

class process;
class node_side;

/// The actors of one node: each runs a script (take keys, work, take more, put, ask), owns from the
/// moment its grant reaches it to its end, and ends by itself, by a fence, or with its process.
class actor_model {
public:
  actor_model(scene& all, process& home, node_side& node, generator random);

  void start();

  // -- notices of the agent ---------------------------------------------------------------------
  void completed(cluster::request_id id, const cluster::completion& how);
  void start_singleton(const registry::start_singleton& what) { host_.start(what); }
  void hand_over(const registry::hand_over& what) { host_.hand_over(what); }
  void moved(const cluster::name_moved& what) { names_.moved(what); }
  void fenced(const cluster::fence& what);

  void receive(process_number from, const letter& what);

  /// The process dies at this instant: all ownerships end.
  void process_ended();

  /// Actors that run (singletons not counted).
  [[nodiscard]] std::size_t running() const { return actors_.size(); }

  [[nodiscard]] local_actor_id next_actor() { return last_actor_ = last_actor_.next(); }

private:
  struct actor {
    script plan;
    generator random{0};
    std::size_t next = 0;
    cluster::request_id waits_for;
    std::vector<std::string> owns;
    /// It called acquire or an owned put: its end is reported.
    bool known_to_agent = false;
    bool dying = false;
  };

  /// What a request was about, until it completes.
  struct asked {
    local_actor_id who;
    std::string put_key;
    bool owned = false;
    bool must_exist = false;
    /// A question, as versions names it, and how old its answer may be.
    std::string question;
    index oldest;
  };

  void spawn_later();
  void spawn(generator own);
  void run(local_actor_id id);
  void do_acquire(local_actor_id id, actor& who, const step& what);
  void do_put(local_actor_id id, actor& who, const step& what);
  void do_ask(local_actor_id id, actor& who, const step& what);
  void replied(const asked& about, const std::string& json);
  void grow_impatient(local_actor_id id, cluster::request_id request);
  void received(local_actor_id id, cluster::request_id request, const cluster::completion& how);
  void granted(local_actor_id id, actor& who, const cluster::granted& what);
  void end(local_actor_id id, const char* why);
  void kill(local_actor_id id);
  void use_name(generator own);
  [[nodiscard]] claimant me(local_actor_id id) const;

  scene& all_;
  process& home_;
  node_side& node_;
  generator random_;
  singleton_host host_;
  name_user names_;
  local_actor_id last_actor_;
  std::map<local_actor_id, actor> actors_;
  std::map<cluster::request_id, asked> asked_;
};

} // namespace paxtor::sim
