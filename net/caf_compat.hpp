#pragma once

/// \file
/// What differs between versions of CAF, in one place: this is written for 0.17.6. A port to 0.18
/// or 1.x begins here (atoms become a type id block, `detached` actors and error categories
/// change), in net/wire.hpp, which plugs our sockets into CAF's loop, and in net/inline_actor.cpp,
/// which does what CAF's scheduler does.

#include <cstdint>
#include <string>
#include <utility>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/spawn_options.hpp>

#include <paxtor/error.hpp>

#include "net/settle.hpp"

namespace paxtor::net {

/// The category of Paxtor's errors in CAF.
inline constexpr caf::atom_value error_category = caf::atom("paxtor");

/// An error of that category; `text` is one line that says what to do.
[[nodiscard]] inline caf::error fail(errc code, std::string text) {
  return {static_cast<std::uint8_t>(code), error_category, caf::make_message(std::move(text))};
}

/// F6: an actor with a thread of its own, so that no user's actor can starve it, and which keeps no
/// system alive.
template <class Actor, class... Ts>
[[nodiscard]] caf::actor spawn_own_thread(caf::actor_system& sys, Ts&&... xs) {
  caf::actor made = sys.spawn<Actor, caf::detached + caf::hidden>(std::forward<Ts>(xs)...);
  note_own_thread(made);
  return made;
}

/// True if nothing waits in the mailbox of the actor that runs now: the moment to let gathered
/// output go.
template <class Self>
[[nodiscard]] bool mailbox_drained(Self* self) {
  return self->mailbox().empty();
}

} // namespace paxtor::net
