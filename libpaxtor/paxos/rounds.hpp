#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::paxos {

/// The heartbeat rounds of one reign, and who waits for one (S1). A reply to round n confirms every
/// round up to n, since the acceptor was asked after all of them had started. Owned by the
/// proposer; lives for one reign.
class rounds {
public:
  /// Someone waits for a round that starts after this call, and then for `upto` to be applied.
  void ask(std::uint64_t id, slot upto);

  /// True if someone waits for a round that has not started, and none is in flight.
  [[nodiscard]] bool wanted() const {
    return !open_.empty() && open_.back().round > started_ && confirmed_ == started_;
  }

  /// Starts a round; returns its number.
  std::uint64_t start() { return ++started_; }

  /// Counts a reply. Returns false if that round never started.
  bool reply(voter_id from, std::uint64_t round);

  /// Sees which rounds a majority of each of `all` has confirmed. Returns true if that became more.
  bool settle(const std::vector<configuration>& all);

  /// Those whose round is confirmed, in the order in which they asked.
  [[nodiscard]] std::vector<proposer_output::confirmed> take_confirmed();

private:
  struct waiting {
    std::uint64_t id = 0;
    std::uint64_t round = 0;
    slot upto;
  };

  [[nodiscard]] std::uint64_t confirmed_by(const configuration& voters) const;

  std::uint64_t started_ = 0;
  std::uint64_t confirmed_ = 0;
  std::map<voter_id, std::uint64_t> replied_;
  std::deque<waiting> open_;
};

} // namespace paxtor::paxos
