#pragma once

/// \file
/// How a singleton is to be made, from what the caller says.

#include <string>

#include <caf/actor_system.hpp>
#include <caf/error.hpp>
#include <caf/message.hpp>

#include <paxtor/options.hpp>

#include "libpaxtor/registry/commands.hpp"

namespace paxtor::actors {

/// ERRORS: invalid: the arguments (see pack_arguments), or no type.
[[nodiscard]] caf::error make_spec(caf::actor_system& sys, const std::string& type,
                                   const caf::message& args, const name_options& options,
                                   registry::singleton_spec& out);

} // namespace paxtor::actors
