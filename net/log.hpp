#pragma once

/// \file
/// Log lines of net/ and actors/. They go to the spdlog logger named "paxtor", which the door
/// makes; without it, nowhere.

#include <chrono>
#include <cstdint>
#include <exception>
#include <string_view>

namespace paxtor::net {

enum class level : std::uint8_t { debug, info, warn, error };

/// Thread-safe; never throws.
void log(level how, std::string_view line) noexcept;

/// For lines that a peer can cause: at most one in `every`, with the number of those left out.
class log_limiter {
public:
  explicit log_limiter(std::chrono::milliseconds every = std::chrono::seconds{1}) : every_(every) {}

  void log(level how, std::string_view line) noexcept;

  /// All lines so far, logged or not.
  [[nodiscard]] std::uint64_t count() const { return count_; }

private:
  std::chrono::milliseconds every_;
  std::chrono::steady_clock::time_point next_{};
  std::uint64_t count_ = 0;
  std::uint64_t left_out_ = 0;
};

/// Ends the process with one line on stderr and in the log: for what must not leave a half-dead
/// node behind.
[[noreturn]] void die(std::string_view who, std::string_view why) noexcept;

/// The same for an exception that nobody caught.
[[noreturn]] void die(std::string_view who, const std::exception_ptr& problem) noexcept;

} // namespace paxtor::net
