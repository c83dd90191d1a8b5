#pragma once

/// \file
/// A world of its own for a storm: network, mounts and process ids that nobody else sees, and that
/// are gone when it ends, however it ends.

#include <functional>

namespace paxtor::storm {

/// Runs `body` in a process of new namespaces (network, mounts, process ids; of users too unless
/// this is root) and returns its exit status. When this process dies, also by SIGKILL, the first
/// process of the namespace dies, and with it all others, all interfaces and all mounts. SIGINT and
/// SIGTERM end it: 128 + n. 69 (and a line on stderr) if namespaces are not allowed here.
/// REQUIRES: no other thread runs.
[[nodiscard]] int in_own_world(const std::function<int()>& body);

} // namespace paxtor::storm
