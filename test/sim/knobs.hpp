#pragma once

#include <cstdint>
#include <string>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/base/time.hpp"

namespace paxtor::sim {

/// Everything that differs between two runs and is not a single event. All drawn from the seed;
/// percentages are of 100.
struct knobs {
  // The cluster.
  unsigned voters = 3;
  unsigned clients = 2;
  duration ttl{};
  /// True: voters keep a store and come back from a crash under their voter_id, with what was
  /// durable. False: the memory store; a crashed voter is gone (L5), and at most a minority may go.
  bool durable = false;
  /// How much clock rates differ, in parts per million to each side of true time.
  unsigned clock_skew_ppm = 0;

  // The network.
  duration delay_min{};
  duration delay_max{};
  unsigned slow_percent = 0; ///< of messages take up to delay_slow
  duration delay_slow{};
  unsigned loss_percent = 0;
  unsigned repeat_percent = 0;
  bool in_order = false; ///< as TCP: no reordering, no repetition within one direction of a link
  bool through_bytes = false; ///< encode and decode every message as a frame

  // Stores.
  duration write_min{};
  duration write_max{};
  bool group_commit = false;     ///< one sync covers all that waits; else each write has its own
  bool disk_any_order = false;   ///< what a crash leaves of unsynced writes: crash_order::any
  unsigned snapshot_entries = 0; ///< small, so that truncation and snapshot transfer happen
  unsigned slots_kept = 0;

  // Faults: mean time between two of them; weights against each other.
  duration fault_every{};
  unsigned cut_weight = 0;
  unsigned crash_weight = 0;
  unsigned pause_weight = 0;
  unsigned leave_weight = 0;
  unsigned slow_disk_weight = 0;
  unsigned full_disk_weight =
    0;                          ///< writes fail until there is room again: the voter's process ends
  unsigned bad_disk_weight = 0; ///< reads fail as well: it cannot start before the disk is mended
  unsigned lost_disk_weight = 0; ///< gone for good, with the voter (L5); a minority at most
  unsigned at_leader_percent = 0;
  unsigned guardian_percent = 0; ///< of crashes are certified soon after (F4)
  unsigned forger_percent = 0;   ///< of faults come with a forged certificate

  // Changes of the voters (L6): mean time between two that an operator wants; zero: none, and a
  // store that is lost is not replaced. Clients that stand by from the start.
  duration change_every{};
  unsigned standbys = 0;
  unsigned at_change_percent = 0; ///< of changes are followed by a cut at once

  // What actors do.
  duration spawn_every{};
  unsigned actors_per_node = 0;
  unsigned keys = 0;
  unsigned names = 0;
  unsigned multi_percent = 0;
  unsigned nested_percent = 0;
  unsigned try_percent = 0;
  unsigned deadline_percent = 0;
  unsigned strict_percent = 0;
  unsigned put_percent = 0;
  unsigned ask_percent = 0;
  unsigned name_percent = 0;
  unsigned stuck_percent = 0; ///< of killed actors do not end: the watchdog must
  duration hold{};

  /// Bytes of effects in one message to a node; small ones make syncs come in parts.
  unsigned effect_bytes = 0;

  /// Stores may be lost for good, with their voters.
  [[nodiscard]] bool loses_stores() const { return !durable || lost_disk_weight != 0; }

  /// The knobs of a seed.
  [[nodiscard]] static knobs draw(generator random);

  /// One line, `name=value` each.
  [[nodiscard]] std::string text() const;
};

} // namespace paxtor::sim
