#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "actors/role_actor.hpp"

namespace paxtor::actors {

/// The acceptor's mailbox (L2). One per voter, detached; ends with stop_atom.
///
/// What rests on a write leaves on the storage actor's thread, as soon as it is durable: the way
/// back to this one would be a wake-up more in every commit. So the role is behind a mutex, which
/// nobody holds while the disk works: a disk that stalls costs no confirmation of a lease.
class acceptor_actor final : public role_actor {
public:
  using role_actor::role_actor;
  ~acceptor_actor() override;

  const char* name() const override { return "paxtor.acceptor"; }
  void on_exit() override;

protected:
  [[nodiscard]] paxos::role which() const override { return paxos::role::acceptor; }
  [[nodiscard]] bool is_little_work(const caf::type_erased_tuple& what) const override;
  void start(const role_start& begin) override;
  void step(voter_id from, const paxos::message& what) override;
  void persisted(write_id upto) override;
  [[nodiscard]] std::shared_ptr<written_hook> when_written() override;
  void flush() override;
  [[nodiscard]] std::string status() const override;

private:
  /// The role, as both threads reach it.
  class desk;

  /// Keeps back what a follower's own learner is told of accepts alone: it changes nothing for
  /// anybody else, and a wake-up for each would compete with the commit. It goes with the next
  /// heartbeat, which an idle leader sends within a tick of a decision, or when it is much.
  void keep_back(std::vector<paxos::outgoing>& all);

  static constexpr std::size_t max_kept_back = 64;

  std::shared_ptr<desk> desk_;
  std::vector<paxos::outgoing> kept_back_;
  bool accepts_alone_ = true;
};

} // namespace paxtor::actors
