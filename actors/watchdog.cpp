#include "actors/watchdog.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <system_error>
#include <utility>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "actors/boot_clock.hpp"
#include "actors/quiet_thread.hpp"

namespace paxtor::actors {

namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

} // namespace

watchdog::watchdog(std::string node) : node_(std::move(node)), wake_ns_(never) {
  timer_ = ::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  wakeup_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (timer_ < 0 || wakeup_ < 0) {
    const auto code = errno;
    ::close(timer_);
    ::close(wakeup_);
    throw std::system_error(code, std::generic_category(), "watchdog");
  }
#ifndef PAXTOR_CANARY_WATCHDOG_WITHOUT_THREAD
  thread_ = quiet_thread([this] { run(); });
#endif
}

watchdog::~watchdog() {
  stop();
  ::close(timer_);
  ::close(wakeup_);
}

void watchdog::stop() noexcept {
  stop_.store(true);
  poke();
  if (thread_.joinable())
    thread_.join();
}

void watchdog::update(time_point lease_end, bool armed) noexcept {
  const auto end = to_ns(lease_end);
  lease_end_ns_.store(end);
  armed_.store(armed);
  // I31: run() publishes when it wakes, then reads these again; so one of the two sees the other. A
  // lease is mostly renewed, then there is nothing to do: the thread wakes at the old end and sets
  // its timer anew.
  if (armed && wake_ns_.load() > end)
    poke();
#ifdef PAXTOR_CANARY_WATCHDOG_WITHOUT_THREAD
  if (armed && end <= boot_ns())
    bite(boot_ns() - end);
#endif
}

void watchdog::poke() noexcept {
  const std::uint64_t one = 1;
  // Fails only if the counter is full: then the thread is being woken already.
  [[maybe_unused]] const auto written = ::write(wakeup_, &one, sizeof(one));
}

void watchdog::run() noexcept {
  pthread_setname_np(pthread_self(), "px.watchdog");
  while (!stop_.load()) {
    auto due = armed_.load() ? lease_end_ns_.load() : never;
    wake_ns_.store(due);
    // I31: what was stored before this line is seen here, what comes after it pokes.
    const auto armed = armed_.load();
    const auto end = lease_end_ns_.load();
    if (armed && end < due) {
      due = end;
      wake_ns_.store(due);
    }
    const auto now = boot_ns();
    if (armed && end <= now)
      bite(now - end);
    itimerspec spec{};
    if (due != never) {
      // A time in the past fires at once; all zeros would disarm it.
      spec.it_value.tv_sec = static_cast<time_t>(due / 1'000'000'000);
      spec.it_value.tv_nsec = static_cast<long>(due % 1'000'000'000);
      if (due <= 0)
        spec.it_value.tv_nsec = 1;
    }
    ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &spec, nullptr);
    std::array<pollfd, 2> fds{{{timer_, POLLIN, 0}, {wakeup_, POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), -1);
    std::uint64_t ignored = 0;
    [[maybe_unused]] auto n = ::read(wakeup_, &ignored, sizeof(ignored));
    n = ::read(timer_, &ignored, sizeof(ignored));
  }
}

void watchdog::bite(std::int64_t late_ns) noexcept {
  std::array<char, 512> line{};
  const auto size = std::snprintf(
    line.data(), line.size(),
    "paxtor watchdog: node=%.200s owners=%llu late_us=%lld: the lease has ended and owners of "
    "locks or singletons have "
    "not: ending the process (status %d), as the cluster may give away what they hold\n",
    node_.c_str(), static_cast<unsigned long long>(owners_.load(std::memory_order_relaxed)),
    static_cast<long long>(late_ns / 1000), watchdog_exit_status);
  if (size > 0) {
    const auto bytes = std::min(static_cast<std::size_t>(size), line.size() - 1);
    [[maybe_unused]] const auto n = ::write(STDERR_FILENO, line.data(), bytes);
  }
  ::_exit(watchdog_exit_status);
}

} // namespace paxtor::actors
