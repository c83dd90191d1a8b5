#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "libpaxtor/paxos/acceptor.hpp"
#include "libpaxtor/paxos/learner.hpp"
#include "libpaxtor/paxos/proposer.hpp"

namespace paxtor::paxos {

struct replica_output {
  /// To other voters; what passes between the replica's own roles was delivered inside.
  std::vector<outgoing> send;
  std::vector<write> writes;
  std::optional<write_snapshot> install;
  std::vector<decided_entry> decided;
  std::optional<snapshot_task> want_snapshot;
  std::vector<proposer_output::confirmed> confirmations;
  std::optional<leadership> changed;
};

/// One voter of the log: the three roles, and a queue for what they say to each other. The same
/// roles are run one by one by CAF actors in production and as a whole by this class in the
/// simulator and in transcripts. Writes of acceptor and learner share one sequence of write ids
/// here: one write per turn for both.
class replica {
public:
  replica(const recovered& state, configuration voters, timing times, limits bounds,
          generator random, time_point now);

  /// A message from another voter. One that is not for this voter, claims to be from it, or is
  /// local by kind is counted and dropped.
  void step(time_point now, const envelope& what);
  void tick(time_point now);
  [[nodiscard]] bool propose(time_point now, entry what);
  void confirm(time_point now, std::uint64_t id);
  /// See proposer::reign_in_force.
  void reign_in_force(time_point now, ballot at);
  void persisted(time_point now, write_id id);
  void snapshot_made(time_point now, slot upto, blob image);
  /// See learner::ask_of.
  void ask_of(std::vector<voter_id> voters) { learner_.ask_of(std::move(voters)); }

  /// Delivers what the roles say to each other until they are silent, then hands out the rest.
  [[nodiscard]] replica_output take_output();

  [[nodiscard]] const leadership& state() const { return proposer_.state(); }
  [[nodiscard]] const acceptor& get_acceptor() const { return acceptor_; }
  [[nodiscard]] const proposer& get_proposer() const { return proposer_; }
  [[nodiscard]] const learner& get_learner() const { return learner_; }
  [[nodiscard]] std::uint64_t dropped() const {
    return dropped_ + acceptor_.dropped() + proposer_.dropped() + learner_.dropped();
  }

private:
  struct local {
    role to_role;
    message what;
  };

  /// The roles' own write ids that one write of the replica covers.
  struct covered {
    write_id id;
    write_id by_acceptor;
    write_id by_learner;
  };

  void deliver(voter_id from, role to_role, const message& what);
  void collect();
  void route(std::vector<outgoing>& all);
  void gather(std::vector<write>& all, write_id covered::*by);

  voter_id self_;
  acceptor acceptor_;
  learner learner_;
  proposer proposer_;
  time_point now_;
  std::deque<local> queue_;
  std::deque<covered> writing_;
  write_id last_write_;
  // The write of this turn.
  std::vector<write_op> ops_;
  covered open_;
  std::uint64_t dropped_ = 0;
  replica_output out_;
};

} // namespace paxtor::paxos
