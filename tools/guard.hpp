#pragma once

/// \file
/// The guard of `paxtor lock`: a small process of its own that runs the command and sees to it that
/// nothing the command started outlives the lock, whatever becomes of the process that holds it.
///
///   paxtor lock (holds the lock)  --pipe-->  guard  --fork-->  command (its own process group)
///
/// G1 The guard kills everything the command started when it is told to, when the pipe closes (the
/// holder's process is
///    gone), and when the deadline it was told has passed with no later one (the holder is frozen).
/// G2 "Everything" is the command's process group and all other descendants: the guard is their
/// subreaper
///    (PR_SET_CHILD_SUBREAPER), so those that leave the group, as timeout(1) does, come back to it.
/// G3 `all_gone` is told only when no descendant is alive.
/// G5 Then, and only then, one byte goes into a pipe that nobody else can write to: what the
/// holder's guardian waits for before it tells the cluster that the holder has died.
/// G4 The command dies with the guard (PR_SET_PDEATHSIG), and the holder then kills the rest as
/// their next subreaper.
///
/// It is forked before the program starts any thread, so it may use the whole of libc.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace paxtor::tools {

/// CLOCK_BOOTTIME, the clock of leases.
using boot_time = std::chrono::nanoseconds;
[[nodiscard]] boot_time boot_now();

/// What the guard tells the holder.
struct guard_event {
  enum class kind : std::uint8_t {
    started,     ///< value: the command's process id
    not_started, ///< value: errno of execvp
    ended,       ///< value: the command's wait status; background children may still run
    suspended,   ///< value: the signal that stopped it
    all_gone,    ///< G3; value: 1 if the guard had to kill
    lost,        ///< the guard itself is gone; made by the holder's end of the pipe
  };
  kind what;
  std::int64_t value = 0;
};

/// The holder's end.
class guard {
public:
  /// Forks the guard for `command`. REQUIRES: one thread. Returns false and sets `why`.
  [[nodiscard]] bool start(std::vector<std::string> command, std::string& why);

  /// As the end of the holder would: the guard kills and ends. Waits until it has, and all else is
  /// gone.
  ~guard();

  guard() = default;
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;

  /// Runs the command with these additional variables.
  void run(const std::vector<std::string>& variables);

  /// G1: kill at this time unless a later one is told before.
  void keep_until(boot_time deadline);

  void signal(int number);
  void kill_all();

  /// G5: the pipe's other end; for node_options::guardian_awaits.
  [[nodiscard]] int gone_fd() const { return gone_; }

  /// A child of this process that is none of the command's, and is not killed in its stead (G4).
  void spare(std::function<pid_t()> whom) { spared_ = std::move(whom); }

  /// Becomes readable when there is an event.
  [[nodiscard]] int fd() const { return in_; }
  [[nodiscard]] std::optional<guard_event> next(std::chrono::milliseconds patience);

private:
  void send(char what, std::int64_t value, const std::string& text = {});

  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  int gone_ = -1;
  std::function<pid_t()> spared_;
};

} // namespace paxtor::tools
