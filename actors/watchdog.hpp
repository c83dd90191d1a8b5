#pragma once

/// \file
/// F2: the thread that ends the process rather than let an owner outlive its lease.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "libpaxtor/base/time.hpp"

namespace paxtor::actors {

/// The exit status of a process that its watchdog has ended.
inline constexpr int watchdog_exit_status = 70;

/// A plain thread that depends on no scheduler, no socket, no lock and no allocation: it sleeps in
/// poll() on a timer of CLOCK_BOOTTIME, and at lease_end, while armed, writes one line to stderr
/// and calls _exit(watchdog_exit_status). Owned by the node; `update` is called by the session
/// agent alone.
///
/// I31 `update(end, true)` returns only after the thread is sure to look again no later than `end`:
///     so it is called before an owner is told of its grant.
class watchdog {
public:
  /// `node` is named in the last words. ERRORS: throws std::system_error if the kernel has no timer
  /// left to give.
  explicit watchdog(std::string node);
  ~watchdog();

  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  /// Bounded owners or singletons live here (`armed`), and must not do so at `lease_end`.
  void update(time_point lease_end, bool armed) noexcept;

  /// Ends the thread. REQUIRES: nothing bounded is left, or the process is about to end.
  /// Idempotent.
  void stop() noexcept;

  /// Told in the last words: how many there are.
  void owners(std::uint64_t count) noexcept { owners_.store(count, std::memory_order_relaxed); }

private:
  void run() noexcept;
  [[noreturn]] void bite(std::int64_t late_ns) noexcept;
  void poke() noexcept;

  std::string node_;
  int timer_ = -1;
  int wakeup_ = -1;
  std::atomic<std::int64_t> lease_end_ns_{0};
  std::atomic<bool> armed_{false};
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> owners_{0};
  /// When the thread will look by itself.
  std::atomic<std::int64_t> wake_ns_{0};
  std::thread thread_;
};

} // namespace paxtor::actors
