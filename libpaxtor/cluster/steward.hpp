#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/cluster/messages.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::cluster {

struct steward_output {
  /// For proposer::propose, as a `configure` entry; if it is refused, call `refused`.
  std::optional<paxos::configuration> proposal;
  /// Answers to nodes.
  std::vector<to_node> send;
  /// What this voter says of itself to other voters.
  std::vector<to_voter> reports;
};

/// Who votes, and how that changes (L6). One per voter and standby, beside the lease keeper. On
/// each it reports how far its own log is; on the leader it knows from those reports who lives and
/// who has caught up, carries out what operators ask for, and puts a new store of a node in the
/// place of its lost one. It keeps nothing that a new leader would miss: who wants a change asks
/// until it is done.
///
/// I45 a change is proposed only by a leader that knows all that its predecessors left, one at a
///     time, and only when the one before it is complete: a majority of the voters has stored an
///     image that covers it.
/// I46 what is proposed can decide (1 to max_voters members, none twice), and a majority of it was
///     heard of after the change was first asked for: who died just before does not count.
class steward {
public:
  /// The most voters. More make every commit slower and none safer.
  static constexpr std::size_t max_voters = 15;
  /// Voters and standbys that are remembered; reports of more are dropped.
  static constexpr std::size_t max_known = 256;
  /// How far behind the leader's log a standby may be when it becomes a voter, in slots: it has the
  /// rest from the other voters' logs within a round trip or two.
  static constexpr std::uint64_t max_behind = 256;
  /// Different changes that are asked for at once; with more, the oldest begins anew.
  static constexpr std::size_t max_wishes = 16;
  /// Bytes of a name or an address.
  static constexpr std::size_t max_text = 255;

  steward(voter_id self, const paxos::timing& times);

  /// What this voter says of itself: its node's name and where it listens.
  void introduce(std::string name, std::string address);

  /// The proposer's `changed`.
  void leadership_changed(time_point now, const paxos::leadership& state);

  /// The learner's voters, and the slot of the `configure` that made them so.
  void voters_are(slot since, const paxos::configuration& voters);

  /// For a standby, whose part of the log may not tell yet who votes now: these do.
  void ask_of(std::vector<voter_id> voters);

  /// How far this voter is: handed out, covered by a durable snapshot; and proposer::settled().
  void progress(slot decided_upto, slot stored_upto, bool settled);

  void step(time_point now, node_id from, const change_voters& what);
  /// Who it is of, it says itself.
  void step(time_point now, const voter_report& what);

  /// The proposer did not take the proposal.
  void refused() { pending_.reset(); }

  void tick(time_point now);

  [[nodiscard]] steward_output take_output();

  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
  /// Another voter or standby, as it reported last.
  struct known {
    voter_report what;
    time_point heard;
  };
  /// A change that somebody asks for again and again.
  struct wish {
    change_voters what;
    time_point since;
    time_point asked;
  };
  enum class outcome : std::uint8_t { done, waiting, refused };
  struct ruling {
    outcome what = outcome::done;
    std::string why;
    std::optional<paxos::configuration> next;
  };

  /// Since when this has been asked for.
  [[nodiscard]] time_point asked_since(const change_voters& what);
  [[nodiscard]] ruling judge(const change_voters& what) const;
  [[nodiscard]] ruling add(const change_voters& what) const;
  [[nodiscard]] ruling remove(const change_voters& what) const;
  [[nodiscard]] ruling replace(const change_voters& what) const;
  [[nodiscard]] ruling admit(const std::string& name, const std::string& address,
                             const std::string& leaves) const;
  /// As `next` if it may be proposed now.
  [[nodiscard]] ruling propose(paxos::configuration next) const;
  [[nodiscard]] ruling in_force(std::string why) const;
  void replace_lost();
  void put_forward(paxos::configuration next);

  [[nodiscard]] const paxos::member* member(const std::string& name) const;
  [[nodiscard]] const known* standby(const std::string& name) const;
  /// It was heard of within `alive_within`.
  [[nodiscard]] bool alive(voter_id id) const;
  /// It was heard of since then.
  [[nodiscard]] bool heard_since(time_point since, voter_id id) const;
  [[nodiscard]] std::size_t living(const paxos::configuration& voters) const;
  [[nodiscard]] std::uint64_t behind(const known& who) const;
  [[nodiscard]] std::size_t stored_by() const;
  [[nodiscard]] bool complete() const;
  [[nodiscard]] std::string describe(const ruling& what) const;
  void report();

  voter_id self_;
  duration report_every_;
  duration alive_within_;
  std::string name_;
  std::string address_;

  paxos::leadership state_;
  time_point now_{};
  time_point leading_since_{};
  /// Since when the change that is judged has been asked for.
  time_point judging_since_{};
  /// Of the change that is judged: who was heard of since then is alive.
  time_point fresh_since_{};
  std::vector<wish> wishes_;
  bool settled_ = false;
  slot decided_upto_;
  slot stored_upto_;
  slot since_;
  paxos::configuration voters_;
  std::vector<voter_id> ask_of_;
  std::map<voter_id, known> known_;
  /// Proposed in this reign, and not in force yet.
  std::optional<paxos::configuration> pending_;
  time_point report_at_{};
  steward_output out_;
  std::uint64_t dropped_ = 0;
};

} // namespace paxtor::cluster
