#pragma once

/// \file
/// The state of the roles, bit by bit. Two roles with the same bytes do the same for ever. The
/// classes keep that state to themselves, and nobody but this explorer needs it, so it is reached
/// by the one door that the language leaves open: an explicit instantiation may name private
/// members.

#include <string>

#include "libpaxtor/paxos/acceptor.hpp"
#include "libpaxtor/paxos/learner.hpp"
#include "libpaxtor/paxos/proposer.hpp"

namespace paxtor::scope {

/// Appends all that decides what the role will do. Left out: counters, times (nothing here waits),
/// and what only ever concerns changes of the voters and snapshots, of which there are none.
/// Numbers of writes are told relative to the last durable one.
void describe(const paxos::acceptor& role, std::string& out);
void describe(const paxos::proposer& role, std::string& out);
void describe(const paxos::learner& role, std::string& out);

/// The highest ballot that the proposer has seen: the next one that it asks for is above it.
[[nodiscard]] ballot highest_seen(const paxos::proposer& role);

/// True unless it leads or asks for promises.
[[nodiscard]] bool may_campaign(const paxos::proposer& role);

} // namespace paxtor::scope
