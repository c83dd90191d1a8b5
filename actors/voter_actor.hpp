#pragma once

/// \file
/// A voter as actors: one detached actor per role (acceptor, proposer, learner, storage) and one
/// that makes snapshots, and the supervisor that runs formation (L5), tells the roles who votes,
/// and says how they are.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/expected.hpp>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/cluster/lease_options.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/storage/store.hpp"
#include "net/peers.hpp"

namespace paxtor::actors {

/// To `listener`, once: (formed_atom, cluster id as uint64, encode(paxos::configuration)); or
/// (outsider_atom, why): the store has lost what it promised, so this node never votes and goes on
/// as a client node.
using formed_atom = caf::atom_constant<caf::atom("pxFormed")>;

struct voter_setup {
  /// This node's name, and the names of all initial voters. A node that is not among them is a
  /// standby: it follows the log of a cluster that has formed.
  std::string name;
  std::vector<std::string> initial_names;
  /// Where the initial voters are, by name.
  std::map<std::string, std::string> addresses;
  std::shared_ptr<net::peers> book;
  std::unique_ptr<storage::store> store;
  paxos::timing times;
  paxos::limits bounds;
  cluster::lease_options leases;
  std::uint64_t seed = 0;
  caf::actor listener;
};

/// All take (net::stop_atom) through `supervisor`, which stops the roles and ends. `supervisor`
/// also takes the hub's link_up, link_down and formation events (hub_options::voter), and answers
/// (net::status_atom) with JSON text: phase, leader, ballot, decided slot, log length, dropped
/// counters, store.
struct voter_handles {
  caf::actor supervisor;
  caf::actor acceptor;
  caf::actor proposer;
  caf::actor learner;
  caf::actor storage;
  caf::actor snapshots;
  voter_id id;
};

/// Spawned before the hub, so that hub_options.boxes can name the roles. Before formation the roles
/// drop what they get.
/// ERRORS: errc::cannot_open: the store cannot be read.
[[nodiscard]] caf::expected<voter_handles> spawn_voter(caf::actor_system& sys, voter_setup setup);

} // namespace paxtor::actors
