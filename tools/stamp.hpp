#pragma once

/// \file
/// Signs of life: a process writes the time into a file that another maps, again and again, until
/// it ends. Whoever took over compares: a sign that is later than the takeover is an overlap.

#include <chrono>
#include <functional>
#include <string>

namespace paxtor::tools {

/// How often by default: an overlap that is shorter than this may be missed.
inline constexpr std::chrono::microseconds stamp_every{100};

/// Two signs that lie so far apart that this process, or its machine, did not run in between.
struct stall_watch {
  /// Between two signs.
  std::chrono::microseconds every = stamp_every;
  std::chrono::milliseconds longer_than{100};
  /// Called with CLOCK_BOOTTIME of both, from the thread that writes the signs.
  std::function<void(std::chrono::nanoseconds from, std::chrono::nanoseconds until)> tell{};
};

/// Writes CLOCK_BOOTTIME into `file` from a thread of its own until the process ends. False if the
/// file cannot be mapped.
[[nodiscard]] bool stamp_until_death(const std::string& file, const stall_watch& stalls = {});

/// The other side: makes the file (in the folder for temporary files) and removes it.
class life_sign {
public:
  /// Throws std::runtime_error.
  life_sign();
  /// The same in another folder.
  explicit life_sign(const std::string& folder);
  ~life_sign();
  life_sign(const life_sign&) = delete;
  life_sign& operator=(const life_sign&) = delete;

  [[nodiscard]] const std::string& file() const { return file_; }
  /// CLOCK_BOOTTIME of the last sign; zero: none.
  [[nodiscard]] std::chrono::nanoseconds last() const;

private:
  std::string file_;
  const void* page_ = nullptr;
};

} // namespace paxtor::tools
