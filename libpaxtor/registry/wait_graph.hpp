#pragma once

/// \file
/// R3: would a new wait close a cycle? An owner waits for the owners of its wanted keys and for the
/// owners of earlier places in the same queues.

#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/registry/lock_state.hpp"

namespace paxtor::registry {

/// One owner of a cycle: `who` waits for `key` because of the next one in the cycle.
struct cycle_hop {
  owner_id who;
  lock_it key;
};

/// The maps that give "none" its value.
struct lock_graph {
  lock_it no_lock;
  owner_it no_owner;
};

/// The cycle that `who` would close by standing at the end of the queues of `wanted`, starting with
/// `who`; empty if there is none. `wanted`: keys that `who` neither holds nor has a place for, held
/// or with a queue.
///
/// Searches forward from `who` and backward to it, one edge each in turn, and stops when either
/// side is exhausted: an owner for whom nobody waits, or who waits for somebody that waits for
/// nobody, costs a few steps, however long the queues are. A queue is walked once at most.
[[nodiscard]] std::vector<cycle_hop> find_cycle(const lock_graph& graph, owner_it who,
                                                const std::vector<lock_it>& wanted);

} // namespace paxtor::registry
