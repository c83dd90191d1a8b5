#pragma once

/// \file
/// What an actor system needs for links: CAF's middleman, set up as we depend on it.

#include <caf/fwd.hpp>

namespace paxtor::net {

/// Loads the middleman. F6: without workers of its own, since with CAF's default a few busy actors
/// stop all remote delivery.
void load_middleman(caf::actor_system_config& cfg);

} // namespace paxtor::net
