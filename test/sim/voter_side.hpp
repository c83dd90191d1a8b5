#pragma once

#include <map>
#include <memory>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/cluster/voter.hpp"
#include "test/sim/model_store.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

class process;

/// A voter in its process: turns frames, ticks and finished writes into inputs of cluster::voter
/// and carries out what it wants done, as the actors do in production. Passes node frames on to the
/// leader, and answers back.
class voter_side {
public:
  voter_side(scene& all, process& home, model_store& store, generator random);

  void start();

  void receive(const cluster::paxos_frame& what);
  void receive(process_number from, const cluster::node_frame& what);
  /// An answer for a node elsewhere, whose request this voter passed on.
  void pass_on(const cluster::voter_frame& what);
  /// For a standby: these vote now.
  void ask_of(std::vector<voter_id> voters) { voter_->ask_of(std::move(voters)); }

  [[nodiscard]] const cluster::voter& get() const { return *voter_; }
  [[nodiscard]] voter_id id() const { return id_; }
  [[nodiscard]] index last_index() const { return voter_->replica().get_learner().last_index(); }
  [[nodiscard]] const paxos::configuration& voters() const {
    return voter_->replica().get_learner().voters();
  }
  /// Nothing is being written, or waits to be.
  [[nodiscard]] bool disk_idle() const { return !writing_ && store_.idle(); }
  [[nodiscard]] bool leads() const { return voter_->state().leading; }

private:
  void tick();
  void drain();
  void write_next();
  void watch_log();
  void watch_registry();

  scene& all_;
  process& home_;
  model_store& store_;
  generator random_;
  voter_id id_;
  std::unique_ptr<cluster::voter> voter_;
  /// By which process a node was last heard: itself, or the voter that passed it on.
  std::map<node_id, process_number> routes_;
  bool writing_ = false;
  index watched_;
  slot judged_upto_;
};

} // namespace paxtor::sim
