#pragma once

/// \file
/// What `join` waits for, and what it says if it waited in vain.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <caf/error.hpp>

namespace paxtor::actors {

/// Written by the session agent, read by the thread that joins (or leaves). Thread-safe.
class join_progress {
public:
  enum class outcome : std::uint8_t { joined, refused, timed_out };

  void linked(const std::string& node);
  void unlinked(const std::string& node);
  /// A peer refused this node, or the other way round.
  void turned_away(const std::string& why);
  void formed();
  void joined();
  /// For good: no use to wait on.
  void refused(caf::error why);
  /// For now: waiting may help, as a dead predecessor's session runs out.
  void name_taken(std::string detail);
  void left();
  /// F2: bounded owners or singletons live here, and the watchdog must watch them.
  void guarded(bool now);

  [[nodiscard]] outcome wait(std::chrono::milliseconds timeout);
  [[nodiscard]] bool wait_left(std::chrono::milliseconds timeout);
  /// True as soon as nothing is guarded.
  [[nodiscard]] bool wait_unguarded(std::chrono::milliseconds timeout);

  /// After a wait that failed: the error for the caller, who knows the voters' names.
  [[nodiscard]] caf::error explain(const std::vector<std::string>& voters, const std::string& self,
                                   std::chrono::milliseconds waited) const;

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> links_;
  std::vector<std::string> refusals_;
  std::optional<caf::error> refused_;
  std::string taken_;
  bool formed_ = false;
  bool joined_ = false;
  bool left_ = false;
  bool guarded_ = false;
};

} // namespace paxtor::actors
