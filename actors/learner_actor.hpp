#pragma once

#include <atomic>
#include <optional>

#include "actors/role_actor.hpp"
#include "actors/session_news.hpp"
#include "libpaxtor/cluster/registrar.hpp"
#include "libpaxtor/paxos/learner.hpp"

namespace paxtor::actors {

/// The learner's mailbox, and the registrar's beside it: decided commands are applied and answered
/// here. One per voter, detached; ends with stop_atom.
class learner_actor final : public role_actor {
public:
  learner_actor(caf::actor_config& cfg, role_setup setup, paxos::timing times,
                paxos::limits bounds);

  const char* name() const override { return "paxtor.learner"; }

protected:
  [[nodiscard]] paxos::role which() const override { return paxos::role::learner; }
  [[nodiscard]] bool is_little_work(const caf::type_erased_tuple& what) const override;
  void start(const role_start& begin) override;
  void step(voter_id from, const paxos::message& what) override;
  void persisted(write_id upto) override;
  using role_actor::on_news;
  void on_news(const keeper_news& news) override;
  void on_news(const known_voters& news) override;
  void on_news(const snapshot_image& made) override;
  void tick() override;
  void flush() override;
  [[nodiscard]] duration tick_every() const override { return times_.tick; }
  [[nodiscard]] std::string status() const override;

private:
  [[nodiscard]] bool pump_role();
  void pump_registrar();
  /// Tells who votes and what is stored, if one of them has changed.
  void tell_log();

  paxos::timing times_;
  paxos::limits bounds_;
  std::optional<paxos::learner> role_;
  cluster::registrar registrar_;
  ends_teller ends_;
  known_voters known_voters_;
  log_news told_;
  std::uint64_t snapshots_ = 0;
  bool leads_ = false;
  /// It sits beside the leader, and no snapshot is near.
  std::atomic<bool> works_inline_ = false;
};

} // namespace paxtor::actors
