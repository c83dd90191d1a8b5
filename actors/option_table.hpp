#pragma once

/// \file
/// The options of the category "paxtor": one table for their names, help texts and readers.

#include <caf/actor_system_config.hpp>
#include <caf/expected.hpp>

#include <paxtor/config.hpp>

namespace paxtor::detail {

/// Adds all of them to CAF's.
void add_options(caf::actor_system_config& cfg);

/// `result` with what the settings say. ERRORS: invalid: an option that does not exist, a value
/// that makes no sense.
[[nodiscard]] caf::expected<node_options> read_options(const caf::settings& all,
                                                       node_options result);

} // namespace paxtor::detail
