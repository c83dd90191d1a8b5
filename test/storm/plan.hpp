#pragma once

/// \file
/// Which machines there are, and which faults hit them when: drawn from a seed. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "libpaxtor/base/random.hpp"

namespace paxtor::storm {

using milliseconds = std::chrono::milliseconds;

/// Where a voter keeps its log. `small`: on a disk that a fault can fill.
enum class store_kind : std::uint8_t { none, disk, small, memory };

/// A network namespace with an address of its own, and the one node in it.
struct machine {
  std::string name;
  std::string address;
  store_kind store = store_kind::none; ///< none: a worker
  /// Its connections run through a relay, which can delay them.
  bool relayed = false;
  /// A worker that has strict owners. So it has a data directory: when its guardian was killed too,
  /// that proves the end of the process before.
  bool strict = false;

  [[nodiscard]] bool voter() const { return store != store_kind::none; }
};

/// v1.. and w1..; at most one voter has its log in memory, and then only among three or more.
[[nodiscard]] std::vector<machine> draw_machines(generator& random, int voters, int workers);

enum class fault_kind : std::uint8_t {
  isolate, ///< `who` from all others
  cut,     ///< `who` from `other`, both ways
  one_way, ///< nothing arrives from `who` at `other`
  split,   ///< all of `who` from all the others
  loss,    ///< `amount` percent of the packets from and to `who`
  delay,   ///< up to `amount` milliseconds on each way of the connections that `who` opened
  pause,   ///< SIGSTOP
  kill,    ///< SIGKILL, and a new start after `lasts`
  leave,   ///< SIGTERM, and a new start after `lasts`
  lose,    ///< SIGKILL, and a new start without its store after `lasts`; one at most
  fill,    ///< the disk of `who` is full
  hog,     ///< `amount` processes that do nothing but burn CPU
};

inline constexpr std::size_t fault_kinds = 12;

[[nodiscard]] const char* name_of(fault_kind kind);

struct fault {
  milliseconds at{}; ///< since the beginning of the unrest
  milliseconds lasts{};
  fault_kind kind = fault_kind::hog;
  std::vector<std::string> who;
  std::string other;
  unsigned amount = 0;
  /// A cut that answers with a reset instead of silence.
  bool reject = false;
  /// The guardian of the node is hit too.
  bool guardian_too = false;
};

/// "12.3 s: cut v1 v2 for 2.4 s, rejected".
[[nodiscard]] std::string describe(const fault& one);

/// Faults for an unrest of this length; all have ended when it ends. In the order of `at`. At most
/// one voter loses its store, and only where no other keeps its own in memory: what was decided
/// must be left somewhere.
[[nodiscard]] std::vector<fault>
draw_faults(generator& random, const std::vector<machine>& machines, milliseconds length);

} // namespace paxtor::storm
