#pragma once

/// \file
/// The node's lease as everybody may read it: `grant::valid()` without a lock and without a
/// message.

#include <atomic>
#include <cstdint>

#include "actors/boot_clock.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/time.hpp"

namespace paxtor::detail {

/// One writer (the session agent), any number of readers. Shared by all grants of a node; lives as
/// long as the last of them.
///
/// I30 a reader never sees the fence time of one session together with the id of another.
class lease_view {
public:
  /// The session is open; bounded owners are stopped at `fence_at` (F1: lease_end - margin).
  void publish(session_id session, time_point fence_at) noexcept {
    const auto now = session_.load(std::memory_order_relaxed);
    if (now != session.value) {
      // I30: between two sessions nothing is valid.
      session_.store(0);
      fence_ns_.store(0);
      session_.store(session.value);
    }
    fence_ns_.store(actors::to_ns(fence_at));
  }

  /// F1: the fence has fallen; bounded owners are being stopped.
  void fence() noexcept {
    session_.store(0);
    fence_ns_.store(0);
  }

  /// The node has left: nothing that it owned is owned any more.
  void leave() noexcept {
    left_.store(true);
    fence();
  }

  /// A bounded owner of `session` may still work.
  [[nodiscard]] bool valid(std::uint64_t session) const noexcept {
    if (session == 0 || session_.load() != session)
      return false;
    const auto fence = fence_ns_.load();
    // I30: read again, as the fence may be that of a newer session.
    return session_.load() == session && actors::boot_ns() < fence;
  }

  /// Nanoseconds until a bounded owner of `session` is stopped; 0 if it is not valid.
  [[nodiscard]] std::int64_t left_ns(std::uint64_t session) const noexcept {
    const auto fence = fence_ns_.load();
    // I30: `valid` reads the session after the fence.
    if (!valid(session))
      return 0;
    const auto left = fence - actors::boot_ns();
    return left > 0 ? left : 0;
  }

  /// F5: silence takes nothing from a strict owner, so the loss of its session does not either.
  [[nodiscard]] bool strict_valid() const noexcept { return !left_.load(); }

private:
  std::atomic<std::uint64_t> session_{0};
  std::atomic<std::int64_t> fence_ns_{0};
  std::atomic<bool> left_{false};
};

} // namespace paxtor::detail
