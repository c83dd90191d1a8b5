#pragma once

/// \file
/// The measurements of `paxtor bench`. They assert nothing about time; what they check is order
/// (FIFO) and that nothing failed.

#include <chrono>
#include <functional>
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

/// How processes are killed: SIGKILL, `runs` times.
struct failover_options {
  int runs = 50;
  std::string ttl = "3s";
  /// Whether nodes have guardians, which certify the end of a process.
  bool guardian = true;
};

/// Called after each run.
using progress_line =
  std::function<void(const std::string& what, int run, int runs, clock::duration took)>;

/// The process of a lock's owner is killed: time until the next owner has its grant. Also says
/// how often the killed process was still alive then ("overlaps": a sign of life later than that).
[[nodiscard]] nlohmann::json bench_owner_killed(const failover_options& how,
                                                const progress_line& say);

/// The process that hosts a singleton is killed: time until a request is answered by the next one.
[[nodiscard]] nlohmann::json bench_host_killed(const failover_options& how,
                                               const progress_line& say);

/// The leader's process is killed, and it owns the lock.
[[nodiscard]] nlohmann::json bench_owning_leader_killed(const failover_options& how,
                                                        const progress_line& say);

/// The leader's process is killed: the longest time in which no lock was granted, and owners that
/// were fenced for it.
[[nodiscard]] nlohmann::json bench_leader_killed(const failover_options& how,
                                                 const progress_line& say);

} // namespace paxtor::tools
