#pragma once

/// \file
/// A network namespace for each machine, all on one bridge.

#include <string>
#include <vector>

#include "test/storm/plan.hpp"

namespace paxtor::storm {

/// The port that every machine's node listens on.
inline constexpr int node_port = 4800;
/// The port of a machine's relay, and the mark of packets that have been through it.
inline constexpr int relay_port = 4799;
inline constexpr int relay_mark = 7;

/// The file that stands for the network namespace of a machine.
[[nodiscard]] std::string space_of(const machine& one);

/// Makes namespaces, cables and the bridge, here in this network namespace. Connections that a
/// relayed machine opens to another one's node_port go to its own relay_port instead. Throws
/// std::runtime_error with what `ip` or `iptables` said.
void build_lan(const std::vector<machine>& machines);

/// Replaces the packet filter of a machine at once. Throws std::runtime_error.
void set_rules(const machine& at, const std::string& rules);

/// The words that make a command run on this machine.
[[nodiscard]] std::vector<std::string> on(const machine& at);

} // namespace paxtor::storm
