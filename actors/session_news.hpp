#pragma once

#include <vector>

#include "actors/log.hpp"
#include "libpaxtor/registry/effects.hpp"

namespace paxtor::actors {

/// What a leader's log says of sessions that ended: who, by which proof (F4), and what it freed.
/// A node that left is worth a debug line, one that died, fell silent or was released by force a
/// warning, and so is a certificate that was refused.
/// `telling` is false in a reign that has not begun yet, where old entries are applied again.
void tell_ends(const logger& log, const std::vector<registry::session_event>& events,
               bool& telling);

} // namespace paxtor::actors
