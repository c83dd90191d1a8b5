#pragma once

#include <cstdint>
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
  bool want_snapshot = false;
  std::vector<proposer_output::confirmed> confirmations;
  std::optional<leadership> changed;
};

/// One voter of the log: the three roles, and a queue for what they say to each other. The same roles are run one by
/// one by CAF actors in production and as a whole by this class in the simulator and in transcripts.
/// Writes of acceptor and learner share one sequence of write ids here.
class replica {
public:
  replica(const recovered& state, configuration voters, timing times, limits bounds, generator random, time_point now);

  void step(time_point now, const envelope& what);
  void tick(time_point now);
  [[nodiscard]] bool propose(time_point now, entry what);
  void confirm(time_point now, std::uint64_t id);
  void persisted(time_point now, write_id id);
  void snapshot_made(time_point now, blob image);
  [[nodiscard]] replica_output take_output();

  [[nodiscard]] const leadership& state() const;
  [[nodiscard]] const acceptor& get_acceptor() const;
  [[nodiscard]] const learner& get_learner() const;
};

} // namespace paxtor::paxos
