#pragma once

/// \file
/// Waiting for what other threads do: on a condition, never for a time.

#include <chrono>
#include <thread>

namespace test {

/// True as soon as `what` holds; false if it does not for long enough to call it broken.
template <class Predicate>
bool until(Predicate what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!what()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

} // namespace test
