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

/// What a voter says of itself to the other initial voters, until it is formed, and as an answer
/// afterwards.
struct formation_report {
  std::string name;
  voter_id voter;
  /// The configuration it is pledged to, if any, and the id of the cluster that it makes.
  cluster_id pledged;
  configuration voters;
  bool formed = false;
  MSGPACK_DEFINE(name, voter, pledged, voters, formed)
};

/// The id of the cluster that these voters make: the same on every voter, never 0.
[[nodiscard]] cluster_id cluster_of(const configuration& voters);

/// Formation (L5): the initial voters, all of them once, agree on who they are. Pure; driven by
/// reports.
///
/// A voter that has heard the current voter_id of every initial name pledges that configuration
/// (durably, before it tells); one that has heard the same pledge from all is formed. A voter
/// re-pledges only while it is not formed and has voted for nothing; it counts as formed as soon as
/// anybody says that the pledged cluster is formed, or speaks Paxos in it. So two different
/// configurations can never both decide: forming one needs every initial name, a formed voter never
/// pledges again, and a voter votes in the one cluster that it is formed in. A store that is new to
/// a cluster that has formed takes over the cluster's formation and follows its log as a standby:
/// no configuration names its voter_id before a `configure` does (L6), so it has no vote. A store
/// that is blank although the cluster counts on its voter_id has lost what it promised: it is an
/// `outsider` and never votes.
class formation {
public:
  enum class phase : std::uint8_t { gathering, pledged, formed, outsider };

  /// `names` are the initial voters' names (once each: the caller has checked). If this one's is
  /// not among them it never pledges: it waits for a cluster that has formed, to be its standby.
  /// `addresses`: where the initial voters are, by name, as far as known.
  formation(std::string self_name, std::vector<std::string> names, const recovered& state,
            std::map<std::string, std::string> addresses = {});

  /// A report of another voter arrived (or this voter's peer answered). A report that is malformed,
  /// or of no initial voter, is counted and dropped.
  void step(const formation_report& peer);

  /// A Paxos message of cluster `id` arrived.
  void heard_paxos(cluster_id id);

  /// These are the voters now, says one who follows the log. L5: if they count on this store, which
  /// knows nothing of it, it has lost what it promised.
  void heard_voters(const configuration& current);

  /// All writes up to and including `id` are durable.
  void persisted(write_id id);

  [[nodiscard]] std::vector<write> take_writes();

  /// What to tell the others now. Never says more than what is durable.
  [[nodiscard]] formation_report report() const;

  /// `formed` only once that is durable: from then on this voter may vote.
  [[nodiscard]] phase state() const;
  [[nodiscard]] cluster_id cluster() const;
  [[nodiscard]] const configuration& voters() const;
  /// For logs: the names not yet heard of or not yet pledged alike.
  [[nodiscard]] std::vector<std::string> waiting_for() const;
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
  void hear_formed(const formation_report& peer);
  void consider();
  void write_down(cluster_id cluster, configuration voters, bool formed);
  [[nodiscard]] bool alike(const std::string& name) const;
  [[nodiscard]] bool quiet() const { return durable_ == last_write_; }

  std::string name_;
  voter_id self_;
  std::vector<std::string> names_;
  std::map<std::string, std::string> addresses_;
  std::map<std::string, formation_report> heard_;
  /// What was last written down, durable or not.
  std::optional<write_formation> pledge_;
  /// What is durable.
  std::optional<write_formation> safe_;
  /// What the outsider was told.
  std::optional<write_formation> foreign_;
  bool outsider_ = false;
  write_id last_write_;
  write_id durable_;
  std::vector<write> writes_;
  std::uint64_t dropped_ = 0;
  /// What `voters` gives before there is a pledge.
  configuration none_;
};

} // namespace paxtor::paxos
