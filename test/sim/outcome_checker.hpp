#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libpaxtor/cluster/agent.hpp"
#include "test/sim/finding.hpp"
#include "test/sim/true_time.hpp"

namespace paxtor::sim {

/// A request of one life of one process.
struct asked_request {
  unsigned process = 0;
  std::uint64_t life = 0;
  cluster::request_id id;

  auto operator<=>(const asked_request&) const = default;
};

/// Exactly one outcome per request (I20, promise 3): none twice, none unasked, and none missing
/// once all is calm. The requests of a process that ended are forgotten with it.
class outcome_checker {
public:
  [[nodiscard]] verdict asked(moment now, const asked_request& which, std::string what);

  [[nodiscard]] verdict completed(const asked_request& which);

  void process_ended(unsigned process, std::uint64_t life);

  [[nodiscard]] std::uint64_t asked_count() const { return asked_; }
  [[nodiscard]] std::uint64_t completed_count() const { return completed_; }
  [[nodiscard]] bool all_answered() const { return open_.empty(); }

  /// For findings: what still waits, at most `limit` of them.
  [[nodiscard]] std::string unanswered(std::size_t limit) const;

private:
  struct pending {
    moment since;
    std::string what;
  };

  std::map<asked_request, pending> open_;
  /// The highest id asked per life: ids are never reused (request_id counts from 1).
  std::map<std::pair<unsigned, std::uint64_t>, cluster::request_id> highest_;
  std::uint64_t asked_ = 0;
  std::uint64_t completed_ = 0;
};

} // namespace paxtor::sim
