#pragma once

/// \file
/// The arguments of a singleton on their way to its host: CAF's binary form, opaque to everybody
/// else.

#include <caf/actor_system.hpp>
#include <caf/error.hpp>
#include <caf/message.hpp>

#include "libpaxtor/base/blob.hpp"

namespace paxtor::actors {

/// The most bytes that arguments may have. A singleton that needs more asks for it in a message.
inline constexpr std::size_t max_argument_bytes = std::size_t{64} << 10;

/// ERRORS: invalid: too large, or a type that was not given to add_message_type.
[[nodiscard]] caf::error pack_arguments(caf::actor_system& sys, const caf::message& args,
                                        blob& out);

/// ERRORS: CAF's own: a type that this node does not know.
[[nodiscard]] caf::error unpack_arguments(caf::actor_system& sys, const blob& bytes,
                                          caf::message& out);

} // namespace paxtor::actors
