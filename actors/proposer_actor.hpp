#pragma once

#include <optional>

#include "actors/role_actor.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/cluster/lease_keeper.hpp"
#include "libpaxtor/cluster/steward.hpp"
#include "libpaxtor/paxos/proposer.hpp"

namespace paxtor::actors {

/// The proposer's mailbox, and beside it the lease keeper's and the steward's: nodes' requests come
/// in here. One per voter, detached; ends with stop_atom.
class proposer_actor final : public role_actor {
public:
  proposer_actor(caf::actor_config& cfg, role_setup setup, paxos::timing times,
                 paxos::limits bounds, cluster::lease_options leases, std::uint64_t seed);

  const char* name() const override { return "paxtor.proposer"; }

protected:
  [[nodiscard]] paxos::role which() const override { return paxos::role::proposer; }
  void start(const role_start& begin) override;
  void step(voter_id from, const paxos::message& what) override;
  void persisted(write_id upto) override;
  void on_node(const cluster::node_frame& from) override;
  using role_actor::on_news;
  void on_news(const applied_news& news) override;
  void on_news(const log_news& news) override;
  void on_news(const known_voters& news) override;
  void tick() override;
  void flush() override;
  [[nodiscard]] duration tick_every() const override { return times_.tick; }
  [[nodiscard]] std::string status() const override;

private:
  void tell_learner(keeper_news& news);
  [[nodiscard]] bool pump_role(keeper_news& news);
  [[nodiscard]] bool pump_keeper(keeper_news& news);
  [[nodiscard]] bool pump_steward();

  paxos::timing times_;
  paxos::limits bounds_;
  generator random_;
  std::optional<paxos::proposer> role_;
  cluster::lease_keeper keeper_;
  cluster::steward steward_;
  slot stored_upto_;
  std::uint64_t relayed_ = 0;
  std::uint64_t refused_ = 0;
};

} // namespace paxtor::actors
