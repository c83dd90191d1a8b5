#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::paxos {

/// The acceptor: promises and accepts (L2), confirms the leader's ballot (S1), and tells its voter's learner and
/// proposer what it saw. Owned by the acceptor actor (or a replica); lives as long as its store.
///
/// I1 `promised()` never goes back, and nothing is accepted below it.
/// I2 per slot, the ballot of the accepted value never goes back, and one ballot has one value.
/// I3 no promise, accepted or heartbeat_reply leaves before every write it rests on is durable (L1).
/// I4 nothing above `truncated_upto()` is ever dropped.
class acceptor {
public:
  explicit acceptor(const recovered& state);

  /// Handles what is addressed to role::acceptor; anything else, and malformed input, is counted and dropped.
  void step(voter_id from, const message& what);

  /// All writes up to and including `id` are durable.
  void persisted(write_id id);

  /// All that is to be sent and written since the last call.
  [[nodiscard]] acceptor_output take_output();

  [[nodiscard]] ballot promised() const { return promised_; }
  [[nodiscard]] slot truncated_upto() const { return truncated_upto_; }
  [[nodiscard]] std::size_t slots_held() const { return accepted_.size(); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
  // The implementer's.
  voter_id self_;
  ballot promised_;
  std::map<slot, accepted_value> accepted_;
  slot truncated_upto_;
  std::uint64_t dropped_ = 0;
  write_id last_write_;
  acceptor_output out_;
};

} // namespace paxtor::paxos
