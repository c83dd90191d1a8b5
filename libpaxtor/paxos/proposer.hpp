#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/paxos/election.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/paxos/output.hpp"
#include "libpaxtor/paxos/phase_one.hpp"
#include "libpaxtor/paxos/pipeline.hpp"
#include "libpaxtor/paxos/rounds.hpp"

namespace paxtor::paxos {

/// The proposer: election (class election, L3), phase 1 recovery, phase 2 with batching and
/// pipelining, heartbeats and confirmation rounds. Owned by the proposer actor (or a replica).
/// Blank voters do not run one before formation.
///
/// The first entry of each reign is `reign(ballot)` (S2); it is proposed by this class itself.
/// I5 in one ballot, one value per slot. I6 nothing is proposed in a slot before phase 1 has
/// covered it.
/// I7 nothing is proposed beyond a `configure` until that is decided (L6).
class proposer {
public:
  proposer(voter_id self, configuration voters, slot decided_upto, ballot highest_seen,
           timing times, limits bounds, generator random, time_point now);

  /// Handles what is addressed to role::proposer; anything else, and malformed input, is counted
  /// and dropped.
  void step(time_point now, voter_id from, const message& what);

  /// Call at least every `timing::tick`.
  void tick(time_point now);

  /// Queues an entry for the next batch, which is cut by take_output(). Returns false if this
  /// proposer does not lead, its queue is full, or the entry is longer than max_entry_bytes; the
  /// caller tells its client to try elsewhere. An entry that was taken may still be lost with the
  /// leadership, or be decided much later as a ghost (R1 and S3 make that harmless).
  [[nodiscard]] bool propose(entry what);

  /// This `reign` entry is in force. An own reign must be above it, else its entry is a ghost (S2,
  /// S3). While the voters stay the same that follows from the promises; a voter that has come
  /// since (L6) may never have been asked for one.
  void reign_in_force(time_point now, ballot at);

  /// Asks for a heartbeat round that starts after this call (S1, reads). Several calls share a
  /// round; at most one round is in flight per round trip. `id` is the caller's. REQUIRES: leading;
  /// else it is never answered, as any confirmation that is open when the leadership is lost.
  void confirm(time_point now, std::uint64_t id);

  /// All that is to be sent since the last call. Call it after each turn: batches and rounds are
  /// cut here.
  [[nodiscard]] proposer_output take_output();

  [[nodiscard]] const leadership& state() const { return state_; }
  /// The voters of the first slot that is not known to be decided.
  [[nodiscard]] const configuration& voters() const { return voters_; }
  /// True if it leads, all that it took over from earlier reigns is decided, and no `configure` is
  /// in flight: who proposes a change of the voters now knows what it changes (L6).
  [[nodiscard]] bool settled() const;
  /// True if it leads, and all that was proposed is decided.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] slot decided_upto() const { return decided_upto_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
  enum class phase : std::uint8_t { following, asking, preparing, leading };

  void on_prevote_request(voter_id from, const prevote_request& asked);
  void on_prevote_reply(voter_id from, const prevote_reply& told);
  void on_promise(voter_id from, const promise& told);
  void on_rejected(voter_id from, const rejected& told);
  void on_heartbeat_reply(voter_id from, const heartbeat_reply& told);
  void on_observed(const observed& told);
  void on_advanced(const advanced& told);

  void ask_votes();
  void start_phase_one();
  void send_prepares();
  void ask_on(voter_id from);
  void try_finish_phase_one();
  void lead_on();
  void start_round();
  void send_accepts(const std::vector<pipeline::proposal>& all, bool first_time);
  void stand_down();
  void follow(leadership next);
  void saw(ballot at);
  [[nodiscard]] std::vector<configuration> in_force() const;
  [[nodiscard]] std::vector<voter_id> others() const;
  void send(std::vector<voter_id> to, role to_role, message what);

  voter_id self_;
  configuration voters_;
  slot decided_upto_;
  ballot highest_seen_;
  timing times_;
  limits bounds_;
  time_point now_;

  election election_;
  phase phase_ = phase::following;
  ballot ballot_; // ours, while preparing or leading
  std::optional<phase_one> phase_one_;
  time_point prepared_at_;

  // One reign.
  std::optional<pipeline> pipeline_;
  rounds rounds_;
  time_point round_at_;
  time_point majority_at_;
  slot announced_upto_;

  leadership state_;
  leadership reported_;
  std::uint64_t dropped_ = 0;
  proposer_output out_;
};

} // namespace paxtor::paxos
