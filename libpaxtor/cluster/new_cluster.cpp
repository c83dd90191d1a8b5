#include "libpaxtor/cluster/new_cluster.hpp"

#include <algorithm>
#include <utility>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/cluster/replay.hpp"
#include "libpaxtor/paxos/batches.hpp"
#include "libpaxtor/paxos/formation.hpp"

namespace paxtor::cluster {

std::string name_of(const paxos::recovered& state) {
  std::string result;
  const auto look = [&](const paxos::configuration& voters) {
    for (const auto& who : voters.members)
      if (who.id == state.self)
        result = who.name;
  };
  // The newest last.
  if (state.formation)
    look(state.formation->voters);
  if (state.snapshot)
    look(state.snapshot->voters);
  for (const auto& [where, value] : state.accepted)
    if (const auto voters = paxos::configuration_after(value.value))
      look(*voters);
  return result;
}

new_cluster force_new_cluster(const paxos::recovered& old, voter_id fresh, std::string name) {
  new_cluster result;
  if (!old.formation || !old.formation->formed) {
    result.why = "this voter's cluster has not formed yet: it has decided nothing that could be "
                 "saved. Start its node with all its voters";
    return result;
  }
  if (name.empty())
    name = name_of(old);
  if (name.empty()) {
    result.why = "the store does not tell its node's name: give it with --name";
    return result;
  }
  result.old_cluster = old.formation->cluster;
  replay log{old.snapshot};
  for (auto next = old.accepted.upper_bound(log.upto()); next != old.accepted.end(); ++next) {
    if (next->first != log.upto().next()) {
      result.left_out = static_cast<std::uint64_t>(std::distance(next, old.accepted.end()));
      break;
    }
    log.apply(next->second.value);
    ++result.applied;
  }
  if (const auto where = log.unreadable()) {
    result.why =
      "entry " + to_string(*where) + " was written by a newer version of paxtor; use that version";
    return result;
  }
  const paxos::configuration alone{{{fresh, std::move(name)}}};
  auto& made = result.state;
  made.self = fresh;
  made.formation = paxos::write_formation{paxos::cluster_of(alone), alone, true};
  made.promised = old.promised;
  for (const auto& [where, value] : old.accepted)
    made.promised = std::max(made.promised, value.at);
  // S3: an image that came from another voter may hold a later reign than this one ever promised.
  made.promised = std::max(made.promised, log.state().reign());
  if (log.upto().valid()) {
    made.snapshot =
      paxos::write_snapshot{log.upto(), log.last(), alone, log.state().image(), log.upto()};
    made.truncated_upto = log.upto();
  }
  PAXTOR_CHECK("I53", made.formation->cluster != result.old_cluster && made.self != old.self
                        && !old.formation->voters.contains(fresh));
  PAXTOR_CHECK("I54", made.promised >= log.state().reign());
  return result;
}

} // namespace paxtor::cluster
