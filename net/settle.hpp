#pragma once

/// \file
/// Ending an actor system in good order. CAF 0.17 waits for every detached actor to be destroyed;
/// but what lies unread in the mailbox of its I/O broker when that ends is never freed, and keeps
/// whom it names: their threads are then waited for in vain
/// (compare actor-framework#1975). So nothing of ours may lie there.

#include <chrono>
#include <vector>

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

namespace paxtor::net {

/// Remembers an actor with a thread of its own until it has ended and told everybody who watched
/// it. Called by spawn_own_thread, before anybody else knows the actor.
void note_own_thread(const caf::actor& who);

/// Waits until all of `sys` that note_own_thread knows have ended, and the I/O broker has read what
/// they sent. Call it after they were told to stop, before the system goes. False: not so after
/// `most`.
bool settle(caf::actor_system& sys, std::chrono::milliseconds most);

/// Tells these actors to stop (stop_atom) and waits until they have ended and the broker has read
/// what they sent. False: not so after `most`.
bool stop_and_wait(caf::actor_system& sys, const std::vector<caf::actor>& all,
                   std::chrono::milliseconds most);

} // namespace paxtor::net
