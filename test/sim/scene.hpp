#pragma once

/// \file
/// What all parts of one run share.

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/cluster/lease_options.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "test/sim/agreement_checker.hpp"
#include "test/sim/court.hpp"
#include "test/sim/durability_checker.hpp"
#include "test/sim/event_queue.hpp"
#include "test/sim/exclusion_checker.hpp"
#include "test/sim/journal.hpp"
#include "test/sim/knobs.hpp"
#include "test/sim/log_witness.hpp"
#include "test/sim/mail.hpp"
#include "test/sim/network.hpp"
#include "test/sim/outcome_checker.hpp"
#include "test/sim/put_checker.hpp"
#include "test/sim/schedule.hpp"
#include "test/sim/stats.hpp"

namespace paxtor::sim {

/// What happens by itself after a thaw (timers, queued messages) happens within this time.
inline constexpr duration thaw_jitter = std::chrono::milliseconds{5};

/// How long after a thaw an owner may still run: "a moment" of promise 2.
inline constexpr duration thaw_grace = std::chrono::milliseconds{10};

/// What operators call the node of this process: stable over its lives.
[[nodiscard]] inline std::string node_name(process_number number) {
  return "n" + std::to_string(number);
}

/// Where each id lives.
struct directory {
  std::map<voter_id, process_number> voters;
  std::map<node_id, process_number> nodes;
};

struct scene {
  scene(const knobs& chosen, schedule what_happens, generator network_random)
      : how(chosen),
        plan(std::move(what_happens)),
        exclusion(thaw_grace),
        net(events, story, judge, counts, chosen, network_random) {
    leases.ttl = how.ttl;
    times = cluster::timing_for(how.ttl);
    leases.tick = times.tick;
    bounds.snapshot_entries = how.snapshot_entries;
    bounds.slots_kept = how.slots_kept;
    bounds.slots_known_decided = how.known_decided;
    bounds.promise_bytes = how.promise_bytes;
  }

  scene(const scene&) = delete;
  scene& operator=(const scene&) = delete;

  void note(std::uint64_t number, const std::string& text) {
    story.note(events.now(), number, [&] { return text; });
  }

  knobs how;
  schedule plan;
  event_queue events;
  journal story;
  court judge;
  stats counts;
  exclusion_checker exclusion;
  outcome_checker outcomes;
  put_checker puts;
  agreement_checker agreement{{}};
  durability_checker durability{agreement};
  log_witness log{agreement};
  network net;
  mail_checker letters;
  mail post{events, net, how, letters};
  /// Handles that were made.
  std::uint64_t handles = 0;
  directory where;

  cluster::lease_options leases;
  paxos::timing times;
  paxos::limits bounds;
  paxos::configuration voters;

  /// Called when a life of a process has ended.
  std::function<void(process_number)> process_ended = [](process_number) {};

  /// Called when a leader has seen a change of the voters decided, before it tells anybody.
  std::function<void()> voters_changed = [] {};

  /// All faults have ended: actors come to an end and no new ones start.
  bool calm = false;
};

} // namespace paxtor::sim
