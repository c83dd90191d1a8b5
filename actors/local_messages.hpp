#pragma once

/// \file
/// What the actors of one node say to each other. Never leaves the process.

#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/term.hpp"
#include "libpaxtor/registry/effects.hpp"

namespace paxtor::actors {

/// Node -> its agent and its host, first of all: where this node listens, and who is who.
struct begin {
  std::string endpoint;
  caf::actor agent;
  caf::actor hub;
  caf::actor host;
  caf::actor voter; ///< null on a client node
};

/// Agent -> host. F1: stop these now.
struct stop_singletons {
  std::vector<local_actor_id> actors;
  std::string reason;
};

/// Host -> agent.
struct singleton_started {
  term name;
  token grant;
  local_actor_id actor;
};
struct singleton_failed {
  term name;
  token grant;
  std::string error;
};
struct singleton_ended {
  term name;
  token grant;
  bool failed = false;
  std::string reason;
};

using tick_atom = caf::atom_constant<caf::atom("pxTick")>;
/// The host to itself: this singleton should have ended by now.
using overdue_atom = caf::atom_constant<caf::atom("pxOverdue")>;
/// To itself: let the outputs go.
using flush_atom = caf::atom_constant<caf::atom("pxFlush")>;
using leave_atom = caf::atom_constant<caf::atom("pxLeave")>;
using quit_atom = caf::atom_constant<caf::atom("pxQuit")>;

} // namespace paxtor::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::begin)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::stop_singletons)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::singleton_started)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::singleton_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::actors::singleton_ended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::registry::start_singleton)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::registry::hand_over)
