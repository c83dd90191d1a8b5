#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "libpaxtor/cluster/lease_keeper.hpp"
#include "libpaxtor/cluster/registrar.hpp"
#include "libpaxtor/cluster/steward.hpp"
#include "libpaxtor/paxos/replica.hpp"

namespace paxtor::cluster {

struct voter_output {
  std::vector<paxos::outgoing> send;
  std::vector<to_node> to_nodes;
  /// What this voter says to others as a node does.
  std::vector<to_voter> to_voters;
  std::vector<paxos::write> writes;
};

/// A whole voter: replica, lease keeper, steward, registrar, wired as the actors wire them. For the
/// simulator and transcripts; in production acceptor, proposer and learner actors hold the same
/// parts.
class voter {
public:
  voter(const paxos::recovered& state, paxos::configuration voters, paxos::timing times,
        paxos::limits bounds, lease_options leases, generator random, time_point now,
        std::size_t effect_bytes = registrar::max_effect_bytes);

  void step(time_point now, const paxos::envelope& what);
  void step(time_point now, node_id from, node_message what);
  void tick(time_point now);
  void persisted(time_point now, write_id id);

  /// REQUIRES: called once after every input above; the parts hand over to each other here.
  [[nodiscard]] voter_output take_output();

  /// For a standby, whose part of the log may not tell yet who votes now: these do.
  void ask_of(std::vector<voter_id> voters);

  [[nodiscard]] const paxos::replica& replica() const;
  [[nodiscard]] const registry::machine& machine() const;
  [[nodiscard]] const paxos::leadership& state() const;
  [[nodiscard]] steward& get_steward() { return steward_; }

private:
  /// Carries what one part says to the others, until all are quiet.
  void pump();
  /// L4: one tick later, so the log has moved on, as it has in production.
  void make_snapshot();
  [[nodiscard]] bool pump_replica();
  [[nodiscard]] bool pump_registrar();
  [[nodiscard]] bool pump_keeper();
  [[nodiscard]] bool pump_steward();

  time_point now_;
  paxos::replica replica_;
  lease_keeper keeper_;
  steward steward_;
  registrar registrar_;
  voter_output out_;
  std::optional<paxos::snapshot_task> making_;
  /// I50: the registry's own image after the task's last slot.
  std::optional<blob> expected_;
};

} // namespace paxtor::cluster
