#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/cluster/agent.hpp"
#include "test/sim/mail.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

class process;
class node_side;

/// The handles of one node, as actors/name_keeper and actors/name_cell are in production: finds
/// singletons through the agent, fetches their handles from their hosts, passes messages on, lets
/// them wait while there is nobody, refuses them when there will be nobody, and lets go of a
/// singleton that moves.
class name_user {
public:
  name_user(scene& all, process& home, node_side& node);

  /// An actor makes a handle of this name, sends some messages and drops it.
  void use(const term& name, const registry::singleton_spec& spec, generator own);

  // -- notices of the agent ---------------------------------------------------------------------
  /// True if the request was of a handle.
  bool completed(cluster::request_id id, const cluster::completion& how);
  void moved(const cluster::name_moved& what);

  // -- mail -------------------------------------------------------------------------------------
  void receive(process_number from, const letter& what);

  /// What waits here ends with the process.
  void process_ended();

private:
  enum class step : std::uint8_t { idle, resolving, fetching, direct, suspect };

  /// All handles of one name and type of a node are one: they share what waits.
  struct use_of {
    registry::singleton_spec spec;
    std::uint64_t handle = 0;
    step at = step::idle;
    registry::location where;
    process_number host = 0;
    /// Its handle came by this link, and is worth nothing without it.
    std::uint64_t link = 0;
    std::deque<std::uint64_t> waiting;
    unsigned users = 0;
  };
  using key = std::pair<term, std::string>;

  void send_later(const key& which, unsigned messages, generator own);
  void send(const key& which);
  void pass_on(const key& which, use_of& one, std::uint64_t message);
  void resolve(const key& which, use_of& one);
  void fetch(const key& which, use_of& one, const registry::location& where);
  void suspect(const key& which, use_of& one);
  void link_ended(process_number peer);
  void refuse(use_of& one, const std::string& why);
  void drop(const key& which);

  scene& all_;
  process& home_;
  node_side& node_;
  std::map<key, use_of> uses_;
  std::map<cluster::request_id, key> asked_;
};

} // namespace paxtor::sim
