#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::paxos {

/// The acceptor: promises and accepts (L2), confirms the leader's ballot (S1), and tells its
/// voter's learner and proposer what it saw. Owned by the acceptor actor (or a replica); lives as
/// long as its store.
///
/// I1 `promised()` never goes back, and nothing is accepted below it.
/// I2 per slot, the ballot of the accepted value never goes back, and one ballot has one value.
/// I3 no promise, accepted or heartbeat_reply leaves before every write it rests on is durable
/// (L1).
/// I4 nothing above `truncated_upto()` is ever dropped.
class acceptor {
public:
  /// `part_bytes`: limits::promise_bytes.
  explicit acceptor(const recovered& state, std::size_t part_bytes = limits{}.promise_bytes);

  /// Handles what is addressed to role::acceptor; anything else, and malformed input, is counted
  /// and dropped.
  void step(voter_id from, const message& what);

  /// All writes up to and including `id` are durable.
  /// REQUIRES: take_output() has handed out that write.
  void persisted(write_id id);

  /// All that is to be sent and written since the last call: at most one write, however many steps.
  [[nodiscard]] acceptor_output take_output();

  /// What may leave at once, alone: it cuts no write short and hands none out. For whoever calls
  /// `persisted` on another thread than the one that drives the rest.
  [[nodiscard]] std::vector<outgoing> take_released() { return std::exchange(out_.send, {}); }

  /// The highest promise, durable or not.
  [[nodiscard]] ballot promised() const { return promised_; }
  [[nodiscard]] slot truncated_upto() const { return truncated_upto_; }
  [[nodiscard]] std::size_t slots_held() const { return accepted_.size(); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
  /// A message that leaves when all writes up to `after` are durable.
  struct held {
    write_id after;
    outgoing what;
  };

  /// How what is held from a slot on is cut into the parts of a promise: where each begins.
  struct cut {
    slot from;
    std::vector<slot> begins;
  };

  void on_prepare(voter_id from, const prepare& asked);
  void on_accept(voter_id from, const accept& asked);
  void on_heartbeat(voter_id from, const heartbeat& asked);
  void on_truncate(voter_id from, const truncate& asked);

  [[nodiscard]] bool below_promise(ballot at) const;
  void raise_promise(ballot at);
  void reject(voter_id proposer, ballot asked);
  [[nodiscard]] const cut& cut_from(slot from);
  void send_promise(voter_id proposer, const prepare& asked);
  void send(voter_id to, role to_role, message what);
  void send_after(write_id after, voter_id to, role to_role, message what);
  void observe(ballot at, slot decided_upto, bool sign_of_life);
  void tell_observed();
  [[nodiscard]] write_id rests_on() const;

  voter_id self_;
  ballot promised_;
  std::map<slot, accepted_value> accepted_;
  slot truncated_upto_;
  std::size_t part_bytes_;
  /// The last one that was asked for, as long as what is held stays the same.
  std::optional<cut> cut_;
  std::uint64_t dropped_ = 0;

  // L1: what this turn wants written, the last write handed out, the last one durable, and what
  // waits.
  std::vector<write_op> ops_;
  write_id last_write_;
  write_id durable_;
  write_id promise_write_;
  std::deque<held> held_;

  // What was heard of a leader and not yet told, and the last that was told.
  std::optional<observed> heard_;
  bool sign_of_life_ = false;
  observed told_;

  acceptor_output out_;
};

} // namespace paxtor::paxos
