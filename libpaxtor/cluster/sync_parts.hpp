#pragma once

/// \file
/// Effects in messages of bounded size (R4): what a session missed may be more than a frame holds.

#include <cstddef>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/registry/effects.hpp"

namespace paxtor::cluster {

/// About how many bytes an effect takes on the wire, rounded up.
[[nodiscard]] std::size_t weight(const registry::effect& what);

/// About how many bytes these effects take on the wire, rounded up.
[[nodiscard]] std::size_t weight(const registry::effects_for& what);

/// The sync `what`, made of the state as of entry `as_of`, as messages of at most `most_bytes` each
/// (more only if a single effect is larger).
[[nodiscard]] std::vector<registry::effects_for> split(registry::effects_for what, index as_of,
                                                       std::size_t most_bytes);

} // namespace paxtor::cluster
