#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/cluster/lease_options.hpp"
#include "libpaxtor/cluster/messages.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::cluster {

/// A question that may be answered now: the registrar answers once `upto` is applied.
struct ready_read {
  node_id node;
  std::uint64_t id = 0;
  registry::query what;
  slot upto;
  std::map<session_id, registry::silence> silent;
};

/// A renewal said that its session has missed effects, perhaps: the registrar compares and syncs
/// (R4).
struct watermark_note {
  session_id session;
  index watermark;
};

/// What the registrar applied: local, registrar -> lease keeper, in log order.
struct applied_note {
  slot upto;
  index last;
  std::vector<registry::session_event> events;
  /// Acquires that wait for a lock now.
  std::uint64_t waiting = 0;
};

struct lease_output {
  /// For proposer::propose, in order, with the node to tell if it is refused.
  struct proposal {
    node_id node;
    std::string command; ///< encode(registry::command)
  };
  std::vector<proposal> proposals;
  /// For proposer::confirm.
  std::vector<std::uint64_t> confirms;
  std::vector<to_node> send;
  /// For the registrar.
  std::vector<ready_read> reads;
  std::vector<watermark_note> watermarks;
};

/// The leader's side of sessions (S1, S2, S3) and the door for commands and reads. It sits beside
/// the proposer, in the same actor; on a voter that does not lead it answers `not_leading`.
///
/// I16 `renewed` leaves only in the reign that confirmed it, after the own reign entry is applied,
///     for a session that is open and that no expire is in flight for.
/// I17 expire is proposed only after ttl * (1 + rho) + tick of silence within this reign.
/// I62 a release rests only while this voter leads and nobody is known to wait for a lock, and
///     nothing that came later leaves before it.
class lease_keeper {
public:
  /// Renewals and reads that wait for a confirmation; one more is answered `overloaded`.
  static constexpr std::size_t max_waiting = 65536;
  /// Certificates that are in the log and not applied yet; one more is answered `overloaded`.
  static constexpr std::size_t max_certifying = 4096;
  /// Askers of one certificate: a guardian and its successor, seldom more.
  static constexpr std::size_t max_askers = 16;
  /// Expires proposed in one tick; the others follow with the next.
  static constexpr std::size_t max_expires_per_tick = 1024;
  /// Releases that nobody waits for, and that rest for that; with one more all go.
  static constexpr std::size_t max_resting = 256;

  lease_keeper(voter_id self, lease_options options);

  /// The proposer's `changed`. `now` of becoming leader is the moment phase 1 ended (S1).
  void leadership_changed(time_point now, const paxos::leadership& state);

  /// From the registrar.
  void applied(time_point now, const applied_note& note);

  /// From a node.
  void step(time_point now, node_id from, node_message what);

  /// The proposer's confirmations.
  void confirmed(time_point now, const paxos::proposer_output::confirmed& done);

  /// The proposer refused this proposal: its queue is full or it does not lead.
  void refused(const lease_output::proposal& what);

  void tick(time_point now);

  /// True if all that was proposed in this reign is decided. Call it before take_output().
  void log_is_idle(bool idle) { log_idle_ = idle; }

  /// Call it again after proposals: what is to be confirmed then counts them in.
  [[nodiscard]] lease_output take_output();

  [[nodiscard]] const paxos::leadership& state() const;

  /// The reign in force as far as it is applied here: for proposer::reign_in_force.
  [[nodiscard]] ballot reign() const { return reign_; }

  /// Commands and messages that were refused without an answer.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
  /// What is known of an open session.
  struct open {
    node_id node;
    /// S1: when it was last heard of within this reign.
    time_point heard{};
    /// S2: an expire was proposed in this reign and may be decided; never taken back within the
    /// reign unless the proposer refused it. When it was proposed.
    bool expiring = false;
    time_point proposed_at{};
  };
  struct waiting_renew {
    node_id node;
    session_id session;
    std::uint64_t n = 0;
  };
  struct waiting_read {
    node_id node;
    std::uint64_t id = 0;
    registry::query what;
  };
  /// All that arrived in one turn and shares a confirmation.
  struct round {
    std::vector<waiting_renew> renews;
    std::vector<waiting_read> reads;

    [[nodiscard]] std::size_t size() const { return renews.size() + reads.size(); }
  };
  /// A renewal that is confirmed, and waits until `upto` (or the own reign) is applied.
  struct confirmed_renew {
    waiting_renew what;
    slot upto;
  };

  // One per message of a node.
  void handle(time_point now, node_id from, submit&& what);
  void handle(time_point now, node_id from, renew&& what);
  void handle(time_point now, node_id from, read&& what);
  void handle(time_point now, node_id from, certify&& what);
  // The steward's.
  void handle(time_point, node_id, change_voters&&) { ++dropped_; }
  void handle(time_point, node_id, voter_report&&) { ++dropped_; }

  // One per event of the registry.
  void handle(time_point now, const registry::session_opened& what);
  void handle(time_point now, const registry::session_closed& what);
  void handle(time_point now, const registry::reign_began& what);
  void handle(time_point now, const registry::end_certified& what);

  enum class admission : std::uint8_t {
    refused,
    proposed,
    release ///< a lock's owner has ended: `proposed`, but it may rest
  };
  /// Whether `from` may have this command proposed; answers or counts it if not.
  admission admit(node_id from, const std::string& bytes);
  /// Proposes it, and before it what rests.
  void propose(node_id from, std::string command);
  /// A release alone in an idle log costs a write and a round of messages that the next command,
  /// often the next lock of the same key, would wait for. If nobody waits, it goes along with that.
  [[nodiscard]] bool may_rest() const;
  /// Proposes the releases that rest.
  void wake();
  void say_not_leading(node_id to);
  void say_overloaded(node_id to);
  void void_confirmations();
  /// S2: the own reign entry is applied here.
  [[nodiscard]] bool barrier_passed() const;
  /// Answers it, or keeps it until it can be answered.
  void settle(confirmed_renew&& what);
  void settle_held();
  [[nodiscard]] std::map<session_id, registry::silence> silences(time_point now,
                                                                 const registry::query& what) const;

  voter_id self_;
  lease_options options_;
  paxos::leadership state_;
  /// Last reign that was applied here.
  ballot reign_;
  slot applied_;
  std::map<session_id, open> sessions_;
  std::uint64_t last_round_ = 0;
  round gathering_;
  std::map<std::uint64_t, round> rounds_;
  std::size_t waiting_ = 0;
  std::vector<confirmed_renew> held_;
  /// F4: certificates that are proposed and not applied yet, by their command, and who asked.
  std::map<std::string, std::set<node_id>> certifying_;
  std::vector<lease_output::proposal> resting_;
  std::uint64_t lock_waits_ = 0;
  bool log_idle_ = false;
  /// Nodes that were told something of this kind in this turn: once is enough.
  std::set<node_id> told_not_leading_;
  std::set<node_id> told_overloaded_;
  lease_output out_;
  std::uint64_t dropped_ = 0;
};

} // namespace paxtor::cluster
