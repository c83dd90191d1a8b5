#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <msgpack.hpp>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::paxos {

/// What a voter says of itself to the other initial voters, until it is formed, and as an answer afterwards.
struct formation_report {
  std::string name;
  voter_id voter;
  /// The configuration it is pledged to, if any, and the id of the cluster that it makes.
  cluster_id pledged;
  configuration voters;
  bool formed = false;
  MSGPACK_DEFINE(name, voter, pledged, voters, formed)
};

/// Formation (L5): the initial voters, all of them once, agree on who they are. Pure; driven by reports.
///
/// A voter that has heard the current voter_id of every initial name pledges that configuration (durably, before it
/// tells); one that has heard the same pledge from all is formed. A voter re-pledges only while it is not formed and
/// has voted for nothing; it counts as formed as soon as anybody says that the pledged cluster is formed, or
/// speaks Paxos in it. So two different configurations can never both be formed: forming one needs every
/// initial name, and whoever pledges the second gave up the first for good.
/// A voter that hears of a formed cluster in which its name has another voter_id is an `outsider`: it never votes.
class formation {
public:
  enum class phase : std::uint8_t { gathering, pledged, formed, outsider };

  /// `names` are the initial voters' names, this one's included.
  formation(std::string self_name, std::vector<std::string> names, const recovered& state);

  /// A report of another voter arrived (or this voter's peer answered).
  void step(const formation_report& peer);

  /// A Paxos message of cluster `id` arrived.
  void heard_paxos(cluster_id id);

  void persisted(write_id id);

  [[nodiscard]] std::vector<write> take_writes();

  /// What to tell the others now. Never says more than what is durable.
  [[nodiscard]] formation_report report() const;

  [[nodiscard]] phase state() const;
  [[nodiscard]] cluster_id cluster() const;
  [[nodiscard]] const configuration& voters() const;
  /// For logs: the names not yet heard of or not yet pledged alike.
  [[nodiscard]] std::vector<std::string> waiting_for() const;
};

} // namespace paxtor::paxos
