#pragma once

/// \file
/// The slow network: what a relayed machine sends over connections that it opened, and what it gets
/// there, runs through here and can be made late. The relay's own connections start from the same
/// machine, so that cuts and loss hit them as if there were none.

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "test/storm/plan.hpp"

namespace paxtor::storm {

class relay {
public:
  /// Listens on all relayed machines. Throws std::system_error.
  explicit relay(const std::vector<machine>& machines);
  ~relay();
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;

  /// From now on what runs through the relay of this machine is late by something up to `most`,
  /// each way. Order is kept, as TCP keeps it.
  void delay(const std::string& machine, milliseconds most);

  /// Bytes passed on until now.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  struct gate;

private:
  void run();

  std::map<std::string, std::unique_ptr<gate>> gates_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> bytes_{0};
  int wake_ = -1;
  std::thread thread_;
};

} // namespace paxtor::storm
