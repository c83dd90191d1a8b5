#pragma once

/// \file
/// The actor types that the program's nodes host, so that there is something to find.

#include <cstdint>
#include <string>
#include <vector>

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>

namespace paxtor::tools {

/// (inc_atom) adds one and answers (count, node name). (get_atom) answers the same without adding.
using inc_atom = caf::atom_constant<caf::atom("inc")>;
using get_atom = caf::atom_constant<caf::atom("get")>;
/// (where_atom) answers the node's name.
using where_atom = caf::atom_constant<caf::atom("where")>;
/// (ping_atom, n) answers n; (self_atom) answers the actor's own handle: for comparing with a
/// direct send.
using ping_atom = caf::atom_constant<caf::atom("ping")>;
using self_atom = caf::atom_constant<caf::atom("self")>;

enum class hosting {
  nothing,
  /// "counter" and "echo".
  built_in,
  /// "local-echo": where a benchmark wants an echo in its own process.
  local_echo,
};

void add_types(caf::actor_system_config& config, hosting what, const std::string& node);

/// Counters that run in this process now.
[[nodiscard]] std::int64_t running_counters();

} // namespace paxtor::tools
