#pragma once

/// \file
/// The checker: what the promise says of a history (libpaxtor/PROTOCOL.md, "The promise"). Pure.

#include "test/storm/history.hpp"

namespace paxtor::storm {

struct judge_options {
  /// How long a process that was frozen may run on after it thaws, until its own threads have told
  /// it that its lease has ended. On a busy machine they wait for a CPU too.
  boot_time thaw{std::chrono::seconds{1}};
  /// A planted fault: owners that were stopped, or ended with their process, count as if they had
  /// gone on for this long.
  boot_time outlive{0};
};

struct verdict {
  /// Each a broken promise, in words.
  std::vector<std::string> wrong;
  std::size_t ownerships = 0; ///< of locks
  std::size_t strict = 0;     ///< of these, by strict owners
  std::size_t lives = 0;      ///< of singletons
  std::size_t keys = 0;
  std::size_t tokens = 0;
  std::size_t entries = 0;
  std::size_t killed = 0; ///< owners and singletons that were stopped
  std::size_t died = 0;   ///< those that ended with their process
  /// Owners that others overtook while they were frozen: stopped, or without a CPU.
  std::size_t after_thaw = 0;
  std::size_t after_stall = 0;
  /// The longest that one of these lasted after its thaw.
  boot_time ran_on{};
};

/// No two ownerships of a key overlap, and tokens grow in true time. An owner whose process was
/// frozen may overlap with a later one, until `thaw` after it runs again, and must have the lower
/// token; a strict owner never, frozen or not. `wrong` holds the first 100.
[[nodiscard]] verdict judge(const history& all, const judge_options& options = {});

} // namespace paxtor::storm
