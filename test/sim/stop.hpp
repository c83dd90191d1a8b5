#pragma once

namespace paxtor::sim {

/// From now on SIGINT and SIGTERM ask for an end instead of making one; the third of them ends the
/// program.
void stop_on_signals();

/// Somebody asked for an end.
[[nodiscard]] bool stop_asked();

} // namespace paxtor::sim
