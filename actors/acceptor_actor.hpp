#pragma once

#include <optional>

#include "actors/role_actor.hpp"
#include "libpaxtor/paxos/acceptor.hpp"

namespace paxtor::actors {

/// The acceptor's mailbox (L2). One per voter, detached; ends with stop_atom.
class acceptor_actor final : public role_actor {
public:
  using role_actor::role_actor;

  const char* name() const override { return "paxtor.acceptor"; }

protected:
  [[nodiscard]] paxos::role which() const override { return paxos::role::acceptor; }
  void start(const role_start& begin) override;
  void step(voter_id from, const paxos::message& what) override;
  void persisted(write_id upto) override;
  void flush() override;
  [[nodiscard]] std::string status() const override;

private:
  std::optional<paxos::acceptor> role_;
};

} // namespace paxtor::actors
