#pragma once

/// \file
/// The measurements of `paxtor bench`. They assert nothing about time; what they check is order
/// (FIFO) and that nothing failed.

#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/client.hpp"
#include "tools/process.hpp"

namespace paxtor::tools {

/// Times in microseconds.
class samples {
public:
  void add(double us) { values_.push_back(us); }
  void add(const samples& other) {
    values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  }
  [[nodiscard]] std::size_t count() const { return values_.size(); }
  /// The value that a share of `p` is not above; 0 if there is none.
  [[nodiscard]] double percentile(double p) const;
  /// {"p50_us":..,"p99_us":..,"max_us":..,"count":..}
  [[nodiscard]] nlohmann::json summary() const;

private:
  std::vector<double> values_;
};

[[nodiscard]] inline double micros(clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

/// Lock, release, lock again: `in_flight` chains at once, each on a key of its own. The first fifth
/// of the time warms up.
[[nodiscard]] nlohmann::json bench_cycles(client& node, int in_flight,
                                          std::chrono::milliseconds time);

/// One key, `waiters` actors in its queue at all times.
[[nodiscard]] nlohmann::json bench_handoffs(client& node, int waiters,
                                            std::chrono::milliseconds time);

/// Request and reply through a named handle against the actor's own handle, in blocks that
/// alternate.
[[nodiscard]] nlohmann::json bench_name(client& node, const std::string& type, int block,
                                        std::chrono::milliseconds time);

/// A holder's process is killed: time until the next owner has its grant.
[[nodiscard]] nlohmann::json bench_holder_killed(int runs, const std::string& ttl, bool chatty);

/// The leader's process is killed: the longest time in which no lock was granted, and owners that
/// were fenced for it.
[[nodiscard]] nlohmann::json bench_leader_killed(int runs, const std::string& ttl, bool chatty);

} // namespace paxtor::tools
