#pragma once

/// \file
/// What happened in a storm, put together from what its processes wrote down. All times are
/// CLOCK_BOOTTIME in nanoseconds, of the one kernel that all of them share.
///
/// A worker writes into LIFE.records, one line at once (O_APPEND):
///   begin KEY TOKEN NS WAITED_NS [strict]   an owner of KEY may work from here on; TOKEN 0: not
///                                           known; strict: silence takes nothing from it
///   end KEY TOKEN NS [killed]               it does not any more; killed: it was stopped
///   put KEY VALUE                           the entry KEY is acknowledged to have this value
///   stall FROM_NS UNTIL_NS                  this process got no CPU in between
/// The harness writes into `events`:
///   stop LIFE NS, cont LIFE NS     SIGSTOP and SIGCONT
///   dead LIFE NS STATUS            it ended; NS: the last sign of life that it gave
///   unrest NS, calm NS             faults begin, faults have ended
///   majority NS 0|1                whether a worker that lives reaches a majority of the voters

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace paxtor::storm {

using boot_time = std::chrono::nanoseconds;

/// One owner of one key, or one life of a singleton.
struct ownership {
  std::string key;
  std::uint64_t token = 0; ///< 0: not known
  boot_time begin{};
  std::optional<boot_time> end;
  bool killed = false;
  std::string life; ///< of the process that it was in
  boot_time waited{};
  bool strict = false;
};

/// A time in which a process did not run. `stall`: nobody stopped it, it got no CPU.
struct freeze {
  boot_time from{};
  boot_time until{};
  bool stall = false;
};

/// One life of a process, such as "w2.5": the fifth start of node w2.
struct process_life {
  std::vector<freeze> freezes;
  std::optional<boot_time> dead;
};

struct span {
  boot_time from{};
  boot_time until{};
};

struct history {
  std::vector<ownership> owners;
  std::map<std::string, process_life> lives;
  /// What was acknowledged.
  std::map<std::string, std::string> entries;
  std::vector<span> unrest;
  /// From each moment on: is there a majority that a worker reaches?
  std::map<boot_time, bool> majority;
  /// Lines that make no sense, and entries that were told to have two values.
  std::vector<std::string> problems;
};

/// Takes lines in the order in which they were written, file by file.
class history_reader {
public:
  void read_worker(const std::string& life, const std::vector<std::string>& lines);
  void read_events(const std::vector<std::string>& lines);

  /// What was a stop is no stall. What has no end ends with its process; if that still runs, at
  /// `now`. Without `now` all has ended: then an owner without an end is a problem.
  [[nodiscard]] history finish(std::optional<boot_time> now = {});

private:
  void worker_line(const std::string& life, const std::string& line);
  [[nodiscard]] bool event_line(const std::string& line);

  history made_;
  /// Owners without an end, by life, key, token.
  std::map<std::string, std::map<std::pair<std::string, std::uint64_t>, std::size_t>> open_;
  std::map<std::string, boot_time> stopped_;
  std::optional<boot_time> unrest_since_;
};

} // namespace paxtor::storm
