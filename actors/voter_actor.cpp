#include "actors/voter_actor.hpp"

#include <utility>

#include "actors/acceptor_actor.hpp"
#include "actors/learner_actor.hpp"
#include "actors/proposer_actor.hpp"
#include "actors/snapshot_actor.hpp"
#include "actors/storage_actor.hpp"
#include "actors/supervisor_actor.hpp"
#include "net/caf_compat.hpp"

namespace paxtor::actors {

caf::expected<voter_handles> spawn_voter(caf::actor_system& sys, voter_setup setup) {
  auto store = std::make_shared<store_access>(std::move(setup.store));
  auto loaded = store->load();
  if (!loaded.outcome.ok())
    return net::fail(errc::cannot_open, loaded.outcome.why);
  auto state = std::make_shared<const paxos::recovered>(std::move(loaded.state));
  role_setup role{setup.name, state->self, setup.book, store};
  voter_handles result;
  result.id = state->self;
  if (!store->in_place())
    result.storage = net::spawn_own_thread<storage_actor>(sys, setup.name, store);
  result.snapshots = net::spawn_own_thread<snapshot_actor>(sys);
  result.acceptor = net::spawn_own_thread<acceptor_actor>(sys, role);
  result.learner = net::spawn_own_thread<learner_actor>(sys, role, setup.times, setup.bounds);
  result.proposer = net::spawn_own_thread<proposer_actor>(sys, role, setup.times, setup.bounds,
                                                          setup.leases, setup.seed);
  supervisor_actor::setup inside;
  inside.name = setup.name;
  inside.initial_names = std::move(setup.initial_names);
  inside.addresses = std::move(setup.addresses);
  inside.book = std::move(setup.book);
  inside.store = std::move(store);
  inside.state = std::move(state);
  inside.roles = {
    {}, result.acceptor, result.proposer, result.learner, result.storage, result.snapshots};
  inside.times = setup.times;
  inside.bounds = setup.bounds;
  inside.listener = std::move(setup.listener);
  result.supervisor = net::spawn_own_thread<supervisor_actor>(sys, std::move(inside));
  return result;
}

} // namespace paxtor::actors
