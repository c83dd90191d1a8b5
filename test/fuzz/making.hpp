#pragma once

/// \file
/// Messages and commands out of an input's bytes: any field may have any value, but most are small,
/// so that they mean something to the state that they meet. Whatever comes out here a peer can also
/// send: it goes through the codec first.

#include "libpaxtor/cluster/messages.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/registry/commands.hpp"
#include "test/fuzz/fuzz.hpp"

namespace paxtor::fuzz {

/// Voters 1 to 3 vote at first; 4 and 5 are strangers.
[[nodiscard]] voter_id make_voter(reader& in);
[[nodiscard]] ballot make_ballot(reader& in);
[[nodiscard]] paxos::configuration make_voters(reader& in);
[[nodiscard]] paxos::batch make_value(reader& in);
[[nodiscard]] paxos::message make_message(reader& in);
/// A message to voter `to`: mostly from whom, and to which role, its kind comes.
[[nodiscard]] paxos::envelope make_envelope(voter_id to, reader& in);
[[nodiscard]] registry::command make_command(reader& in);
[[nodiscard]] registry::query make_query(reader& in);
[[nodiscard]] cluster::node_message make_node_message(reader& in);

} // namespace paxtor::fuzz
