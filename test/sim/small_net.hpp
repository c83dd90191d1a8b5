#pragma once

/// \file
/// A network alone, for the tests of what runs over it: each message takes a millisecond at most.

#include "test/sim/network.hpp"

namespace paxtor::sim {

struct small_net {
  explicit small_net(knobs wanted = {}) : how(wanted) {}

  /// Until nothing is under way any more.
  void run() {
    while (!events.empty())
      events.run_next();
  }

  static knobs quick() {
    knobs how;
    how.delay_max = std::chrono::milliseconds{1};
    return how;
  }

  event_queue events;
  journal story;
  court judge;
  stats counts;
  knobs how;
  network net{events, story, judge, counts, how, generator{1}};
};

} // namespace paxtor::sim
