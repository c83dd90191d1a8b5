#pragma once

/// \file
/// Singletons of a storm and those who call them.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <caf/actor_system_config.hpp>

#include "tools/client.hpp"

namespace paxtor::storm {

/// Writes a whole line.
using line_writer = std::function<void(const std::string& line)>;

/// The actor type: each life writes `begin NAME 0 NS 0` and `end NAME 0 NS` (history.hpp). NS of
/// the end is when it last did something, at most `beat` before.
inline constexpr const char* singleton_type = "storm";
inline constexpr std::chrono::milliseconds beat{10};
void add_singleton_type(caf::actor_system_config& config, const line_writer& write);

/// The handle of the singleton `name`. What it is sent starts it.
[[nodiscard]] caf::actor singleton_of(const cluster& door, const std::string& name);

/// (call_atom) answers a singleton's count of calls.
using call_atom = caf::atom_constant<caf::atom("call")>;

/// Actors that call singletons, one after the other, until they are told to stop.
class callers {
public:
  callers(tools::client& node, int how_many, int names, std::chrono::milliseconds rest);
  ~callers() { stop(); }
  callers(const callers&) = delete;
  callers& operator=(const callers&) = delete;

  void stop();
  /// That still wait for an answer.
  [[nodiscard]] int busy() const;
  [[nodiscard]] std::uint64_t answered() const;
  [[nodiscard]] std::uint64_t failed() const;

  struct shared;

private:
  std::shared_ptr<shared> shared_;
};

} // namespace paxtor::storm
