#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/paxos/output.hpp"
#include "libpaxtor/paxos/snapshots.hpp"

namespace paxtor::paxos {

/// The learner: counts acceptances of distinct voters of the slot's configuration (L2), concludes
/// decisions from what a leader observed, yields decided entries in order, catches up from other
/// learners by values or snapshot (L4). Owned by the learner actor (or a replica). A standby runs
/// only this role.
///
/// A snapshot that was recovered is the first `install` it hands out.
///
/// I8 decided values of a slot never change. I9 entries come out in order, each index once.
/// I10 the log is cut only behind a durable snapshot.
class learner {
public:
  learner(voter_id self, const recovered& state, configuration voters, timing times, limits bounds,
          time_point now);

  /// Handles what is addressed to role::learner; anything else, and malformed input, is counted and
  /// dropped.
  void step(time_point now, voter_id from, const message& what);

  /// Call about every `timing::tick`: asks again for what did not come.
  void tick(time_point now);

  /// The driver made the image it was asked for by `want_snapshot`, of the task that ends with
  /// `upto`. One that is void by now is ignored.
  void snapshot_made(slot upto, blob image);

  /// All writes up to and including `id` are durable.
  void persisted(write_id id);

  /// Send `send` before acting on `decided`: so whoever hears of a decision finds the proposer
  /// told.
  [[nodiscard]] learner_output take_output();

  /// The last slot whose entries were handed out.
  [[nodiscard]] slot decided_upto() const { return decided_upto_; }
  [[nodiscard]] index last_index() const { return last_index_; }
  /// The voters from the next slot on.
  [[nodiscard]] const configuration& voters() const { return voters_; }
  /// The slot of the `configure` that made them so; 0: they are the initial ones.
  [[nodiscard]] slot voters_since() const { return changed_at_; }
  /// The last slot that a durable snapshot covers.
  [[nodiscard]] slot stored_upto() const { return source_.upto(); }
  /// Whom to ask as well: those that vote now, which this part of the log may not tell yet.
  void ask_of(std::vector<voter_id> voters) { known_voters_ = std::move(voters); }
  /// The first slot of the decided log that is still kept here.
  [[nodiscard]] slot log_first() const { return log_first_; }
  /// The value of a decided slot; null if it is not decided, or gone behind a snapshot.
  [[nodiscard]] const batch* value_of(slot where) const {
    return where < log_first_ || where > decided_upto_ ? nullptr
                                                       : &log_[where.value - log_first_.value];
  }
  /// Within a tenth of the bound at which `want_snapshot` comes, and with it a long call.
  [[nodiscard]] bool snapshot_near() const;
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
  /// A slot that is not handed out yet.
  struct pending {
    ballot value_at;
    batch value;
    ballot votes_at;
    /// Bit i: the member i of `voters_` accepted in `votes_at`.
    std::uint64_t votes = 0;
    bool decided = false;
    /// Decided by another's word, not by votes counted here.
    bool told = false;
  };

  void on_value(time_point now, ballot at, slot where, const batch& value);
  void on_accepted(time_point now, voter_id from, const accepted& told);
  void on_already_decided(time_point now, const already_decided& found);
  void on_observed(time_point now, const observed& told);
  void on_learn(time_point now, voter_id from, const learn& asked);
  void on_learned(time_point now, voter_id from, const learned_values& told);
  void on_chunk(time_point now, voter_id from, const snapshot_chunk& part);

  [[nodiscard]] pending* find(time_point now, slot where);
  [[nodiscard]] bool settled(pending& front) const;
  [[nodiscard]] bool snapshot_due() const;
  void advance(time_point now);
  void hand_out(batch value);
  void install(time_point now, write_snapshot image);
  void cut_log(slot upto);
  [[nodiscard]] snapshot_task begin_snapshot();
  void ask(time_point now, voter_id peer, duration patience);
  [[nodiscard]] voter_id next_peer();
  void send(voter_id to, role to_role, message what);

  voter_id self_;
  configuration voters_;
  slot changed_at_; // of the `configure` that made them so
  std::vector<voter_id> known_voters_;
  timing times_;
  limits bounds_;

  /// Voters that are remembered as asked: more than one configuration and the one before have.
  static constexpr std::size_t max_asked = 64;
  std::vector<voter_id> asked_;

  slot decided_upto_;
  index last_index_;
  std::deque<pending> window_; // slots from decided_upto_ + 1 on
  std::deque<batch> log_;      // slots from log_first_ to decided_upto_
  slot log_first_{1};

  // The highest word of a leader, and how far anybody that is believed says it is decided.
  observed heard_;
  slot behind_upto_;
  time_point heard_at_;
  time_point progress_at_;
  time_point ask_again_at_;
  std::size_t peer_turn_ = 0;

  index handed_index_;
  // What was decided since the last snapshot that is durable, being written or being made.
  std::size_t entries_since_ = 0;
  std::size_t bytes_since_ = 0;
  /// The driver makes this one; its image is still empty.
  std::optional<write_snapshot> making_;

  write_id last_write_;
  std::deque<std::pair<write_id, write_snapshot>> writing_;
  snapshot_source source_;
  std::optional<snapshot_sink> sink_;

  slot advanced_upto_; // the last that the own proposer was told
  slot told_upto_;     // the last that was decided by another's word
  std::uint64_t dropped_ = 0;
  learner_output out_;
};

} // namespace paxtor::paxos
