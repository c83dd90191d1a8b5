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
#include "tools/team.hpp"

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
/// of the time warms up. `rest`: between a release and the next lock, so that a lock is measured
/// without the release that would still be under way.
[[nodiscard]] nlohmann::json bench_cycles(client& node, int in_flight,
                                          std::chrono::milliseconds time,
                                          std::chrono::milliseconds rest);

/// One key, `waiters` actors in its queue at all times.
[[nodiscard]] nlohmann::json bench_handoffs(client& node, int waiters,
                                            std::chrono::milliseconds time);

/// Request and reply through a named handle against the actor's own handle, in blocks that
/// alternate.
[[nodiscard]] nlohmann::json bench_name(client& node, const std::string& type, int block,
                                        std::chrono::milliseconds time);

/// Distinct keys, each locked and released once.
struct keys_options {
  std::uint64_t keys = 1'000'000;
  int in_flight = 256;
  /// Lines of the table: how often the voters' memory is looked at.
  int rows = 20;
};

/// Called with each row: {"keys", "seconds", "client_bytes", "voters": {"a": {"resident_bytes",
/// "disk_bytes" (with data directories)}}}.
using keys_row = std::function<void(const nlohmann::json& row)>;

/// What voters need in memory (and on disk) while `node` locks and releases many keys. The largest
/// voter's memory in the first half and in the second are told; it must not grow with the keys
/// (R6).
[[nodiscard]] nlohmann::json bench_keys(client& node, team& voters, const keys_options& how,
                                        const keys_row& say);

/// Of a process; 0 if there is none.
[[nodiscard]] std::uint64_t resident_bytes(pid_t pid);

/// How long voters need to come back, and a standby to catch up, when many locks are held.
struct recovery_options {
  std::uint64_t locks = 1'000'000;
  /// How often a voter is killed and started again.
  int runs = 5;
  /// Slots that the locks of the chain fill, one by one, before all voters are killed.
  std::uint64_t slots = 0;
  /// Where the data directories are made.
  std::string store_under;
};

/// Called with a line that says how far it is.
using progress_text = std::function<void(const std::string& line)>;

/// With data directories: takes the locks; kills a follower (SIGKILL) and starts it again; the
/// same with all voters at once; lets a blank standby catch up. A chain of locks on another key
/// goes on all the time: the longest that one of them waited in each phase is told. Throws
/// std::runtime_error if something takes longer than a minute or more, or fails.
[[nodiscard]] nlohmann::json bench_recovery(const recovery_options& how, const progress_text& say);

/// How processes are killed: SIGKILL, `runs` times.
struct failover_options {
  int runs = 50;
  std::string ttl = "3s";
  /// Whether nodes have guardians, which certify the end of a process.
  bool guardian = true;
  /// Where voters have their data directories; empty: memory stores.
  std::string store_under;
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
