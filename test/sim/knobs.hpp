#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/base/time.hpp"

namespace paxtor::sim {

/// How long messages are under way.
enum class delay_shape : std::uint8_t {
  uniform,   ///< anything from delay_min to delay_max
  constant,  ///< delay_max, always
  long_tail, ///< mostly near delay_min; one in hundreds takes many times delay_max
  distances, ///< each direction of each link has its own, and keeps to it within a tenth
};

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
  delay_shape shape = delay_shape::uniform;
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
  unsigned known_decided = 0; ///< paxos::limits::slots_known_decided
  unsigned promise_bytes = 0; ///< small, so that promises come in many parts

  // Faults: mean time between two of them; weights against each other.
  duration fault_every{};
  unsigned cut_weight = 0;
  unsigned crash_weight = 0;
  unsigned pause_weight = 0;
  unsigned leave_weight = 0;
  unsigned flap_weight = 0;     ///< whoever leads is hit again and again for a while
  unsigned blackout_weight = 0; ///< all that may end do so at one instant
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

  /// Mean time between two drains (or their end) that an operator wants; zero: none.
  duration drain_every{};

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
  unsigned why_percent = 0; ///< of questions are about a lock or a name
  unsigned name_percent = 0;
  unsigned stuck_percent = 0; ///< of killed actors do not end: the watchdog must
  duration hold{};

  /// Bytes of effects in one message to a node; small ones make syncs come in parts.
  unsigned effect_bytes = 0;

  /// Never drawn. The same run with other delays, losses and repetitions, for the minimiser.
  unsigned salt = 0;

  /// Stores may be lost for good, with their voters.
  [[nodiscard]] bool loses_stores() const { return !durable || lost_disk_weight != 0; }

  /// The knobs of a seed.
  [[nodiscard]] static knobs draw(generator random);

  /// One line, `name=value` each. Durations are in microseconds.
  [[nodiscard]] std::string text() const;

  /// Sets the knob of this name, as text() writes it. Returns false if there is none or it does not
  /// take the value.
  [[nodiscard]] bool set(std::string_view name, std::string_view value);

  /// Why no run can have these; empty if one can.
  [[nodiscard]] std::string problem() const;

  /// Calls `f(name, field)` for each.
  template <class Self, class F>
  static void each(Self& self, F&& f);
};

template <class Self, class F>
void knobs::each(Self& self, F&& f) {
  f("voters", self.voters);
  f("clients", self.clients);
  f("ttl_us", self.ttl);
  f("durable", self.durable);
  f("clock_skew_ppm", self.clock_skew_ppm);
  f("delay_shape", self.shape);
  f("delay_min_us", self.delay_min);
  f("delay_max_us", self.delay_max);
  f("slow_percent", self.slow_percent);
  f("delay_slow_us", self.delay_slow);
  f("loss_percent", self.loss_percent);
  f("repeat_percent", self.repeat_percent);
  f("in_order", self.in_order);
  f("through_bytes", self.through_bytes);
  f("write_min_us", self.write_min);
  f("write_max_us", self.write_max);
  f("group_commit", self.group_commit);
  f("disk_any_order", self.disk_any_order);
  f("snapshot_entries", self.snapshot_entries);
  f("slots_kept", self.slots_kept);
  f("known_decided", self.known_decided);
  f("promise_bytes", self.promise_bytes);
  f("fault_every_us", self.fault_every);
  f("cut_weight", self.cut_weight);
  f("crash_weight", self.crash_weight);
  f("pause_weight", self.pause_weight);
  f("leave_weight", self.leave_weight);
  f("flap_weight", self.flap_weight);
  f("blackout_weight", self.blackout_weight);
  f("slow_disk_weight", self.slow_disk_weight);
  f("full_disk_weight", self.full_disk_weight);
  f("bad_disk_weight", self.bad_disk_weight);
  f("lost_disk_weight", self.lost_disk_weight);
  f("at_leader_percent", self.at_leader_percent);
  f("guardian_percent", self.guardian_percent);
  f("forger_percent", self.forger_percent);
  f("change_every_us", self.change_every);
  f("standbys", self.standbys);
  f("at_change_percent", self.at_change_percent);
  f("drain_every_us", self.drain_every);
  f("spawn_every_us", self.spawn_every);
  f("actors_per_node", self.actors_per_node);
  f("keys", self.keys);
  f("names", self.names);
  f("multi_percent", self.multi_percent);
  f("nested_percent", self.nested_percent);
  f("try_percent", self.try_percent);
  f("deadline_percent", self.deadline_percent);
  f("strict_percent", self.strict_percent);
  f("put_percent", self.put_percent);
  f("ask_percent", self.ask_percent);
  f("why_percent", self.why_percent);
  f("name_percent", self.name_percent);
  f("stuck_percent", self.stuck_percent);
  f("hold_us", self.hold);
  f("effect_bytes", self.effect_bytes);
  f("salt", self.salt);
}

} // namespace paxtor::sim
