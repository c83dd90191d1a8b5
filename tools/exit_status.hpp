#pragma once

/// \file
/// What the program's exit status tells scripts. Kept in step with tools/README.md and `paxtor
/// --help`.

#include <string>

#include <caf/error.hpp>

namespace paxtor::tools {

enum exit_status : int {
  exit_ok = 0,
  /// It failed, and stderr says how: no such entry, deadlock, no host, a check of the demo.
  exit_failure = 1,
  /// The command line, a config file, the environment, a key or a value is wrong (sysexits:
  /// EX_USAGE).
  exit_usage = 64,
  /// This node cannot join, or cannot open an address or file (EX_UNAVAILABLE).
  exit_unavailable = 69,
  /// The deadline passed (EX_TEMPFAIL).
  exit_timed_out = 75,
  /// `paxtor lock`: the lock was lost while the command ran; the command was killed.
  exit_lock_lost = 76,
  /// `paxtor lock --try`: somebody else holds or waits for the key.
  exit_busy = 77,
  /// `paxtor lock`: the command cannot be run, or is not found; as shells have it.
  exit_cannot_run = 126,
  exit_not_found = 127,
  /// Plus the number of the signal that ended the command, or this program.
  exit_signal = 128,
};

/// The status for an error of a request or of `join`.
[[nodiscard]] int status_of(const caf::error& err);

/// Prints "paxtor: WHAT" on stderr and returns `status`.
int complain(const std::string& what, int status);

/// The same for an error: its description and its status.
int complain(const caf::error& err);

} // namespace paxtor::tools
