#pragma once

/// \file
/// Signals as events: blocked in the whole program, read where they are wanted.

#include <functional>
#include <thread>
#include <vector>

#include <csignal>

namespace paxtor::tools {

/// Blocks the signals that end or steer the program (HUP INT QUIT TERM USR1 USR2) and PIPE. Make
/// one before any thread is started, so that all inherit it.
class signals {
public:
  signals();
  ~signals();
  signals(const signals&) = delete;
  signals& operator=(const signals&) = delete;

  /// Readable when a signal waits.
  [[nodiscard]] int fd() const { return fd_; }

  /// The next signal's number; 0 if there is none.
  [[nodiscard]] int take();

  /// Waits for a signal.
  [[nodiscard]] int wait();

private:
  int fd_ = -1;
};

/// While it lives, a signal ends the process at once with 128 + its number. For calls that block
/// where nothing is held yet (joining) or nothing is left to lose (leaving).
class impatience {
public:
  /// `last`: done before the process ends, on a thread of its own.
  explicit impatience(signals& from, std::function<void()> last = {});
  ~impatience();
  impatience(const impatience&) = delete;
  impatience& operator=(const impatience&) = delete;

private:
  int stop_ = -1;
  std::thread thread_;
};

} // namespace paxtor::tools
