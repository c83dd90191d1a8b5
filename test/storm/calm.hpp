#pragma once

/// \file
/// The time without faults: what must be true then, asked step by step.

#include <functional>
#include <set>

#include "test/storm/crew.hpp"

namespace paxtor::storm {

class calm {
public:
  calm(crew& crew, const storm_options& options);

  /// All nodes have joined for the first time.
  [[nodiscard]] bool formed();

  /// Every node runs and has joined; every voter votes; every request that was made before is
  /// answered; on every worker each lock can be had, each singleton answers, and entries have the
  /// values that were acknowledged. False: not within the patience for each; see stuck() and
  /// wrong().
  [[nodiscard]] bool come_to_rest();

  /// All nodes leave, workers first.
  void leave();

  [[nodiscard]] const std::vector<std::string>& stuck() const { return stuck_; }
  [[nodiscard]] const std::vector<std::string>& wrong() const { return wrong_; }
  [[nodiscard]] std::chrono::microseconds took() const { return took_; }
  [[nodiscard]] std::uint64_t failed_requests() const { return failed_; }
  [[nodiscard]] std::uint64_t calls() const { return calls_; }

private:
  using step = std::function<bool()>;

  /// Until `done()`, or the patience has ended.
  [[nodiscard]] bool wait(const step& done);
  [[nodiscard]] bool all_joined();
  /// Also those that came back without their store.
  [[nodiscard]] bool all_vote();
  [[nodiscard]] bool all_answered();
  [[nodiscard]] bool all_probed();
  /// Its answer to the order with this id; null if none comes in time.
  [[nodiscard]] nlohmann::json answer(node& from, int id, milliseconds patience);
  [[nodiscard]] nlohmann::json what_to_probe() const;
  void explain();

  crew& crew_;
  const storm_options& options_;
  const boot_time start_;
  int next_id_ = 1;
  std::vector<std::string> stuck_;
  std::vector<std::string> wrong_;
  std::chrono::microseconds took_{};
  std::uint64_t failed_ = 0;
  std::uint64_t calls_ = 0;
};

} // namespace paxtor::storm
