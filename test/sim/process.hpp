#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/random.hpp"
#include "test/sim/model_store.hpp"
#include "test/sim/node_side.hpp"
#include "test/sim/scene.hpp"
#include "test/sim/voter_side.hpp"

namespace paxtor::sim {

/// `full`: writes fail. `broken`: nothing can be read either, so a voter cannot start.
enum class disk_health : std::uint8_t { fine, full, broken };

/// One operating system process on a host of its own: a node, and a voter if it was given a store.
/// It has its own clock, can crash, be started again (a new life), be paused and thawed. Everything
/// that runs in it goes through `later` or `at`, so that nothing of an old life runs in a new one,
/// and nothing runs while it is paused.
class process {
public:
  process(scene& all, process_number number, skewed_clock clock, generator random);

  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// Gives it a blank store, with a voter id of its own (L5). REQUIRES: not alive.
  void give_store(voter_id id);

  /// Who votes, as far as this process knows: what its links' hellos tell it, and its own log.
  [[nodiscard]] const cluster::voters_now& known_voters() const { return known_voters_; }
  [[nodiscard]] std::vector<voter_id> known_voter_ids() const;
  void hear_voters(const cluster::voters_now& news);

  void start();

  /// The process ends at this instant, and everything in it.
  void crash(const std::string& why);

  /// Its disk is gone for good, and its store with it (L5); the process ends. A later life has no
  /// store. REQUIRES: it has one.
  void lose_disk();

  /// False: its disk gives nothing back, so its voter cannot start.
  [[nodiscard]] bool can_start() const { return disk != disk_health::broken || !has_store(); }

  void pause();
  void thaw();

  /// Leaves the cluster in good order, then ends.
  void leave();

  void receive(process_number from, const packet& what);
  /// Mail has arrived. Returns false if the process is not there to take it.
  [[nodiscard]] bool mail_from(process_number from);

  /// Runs `what` in this life, unless it ends before; while the process is paused, after the thaw.
  void later(duration delay, action what);
  void at(moment when, action what);

  [[nodiscard]] time_point read_clock() const { return clock_.read(all_.events.now()); }
  [[nodiscard]] const skewed_clock& clock() const { return clock_; }

  [[nodiscard]] process_number number() const { return number_; }
  [[nodiscard]] std::uint64_t life() const { return life_; }
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] bool paused() const { return paused_; }
  /// True if this life of the process runs a voter.
  [[nodiscard]] bool votes() const { return voter_ != nullptr; }
  [[nodiscard]] bool ever_voted() const { return store_.has_value(); }
  [[nodiscard]] bool has_store() const { return store_ && !lost_store_; }
  [[nodiscard]] voter_side& voter() { return *voter_; }
  /// REQUIRES: has_store().
  [[nodiscard]] voter_id store_id() const { return store_->read().self; }
  [[nodiscard]] node_side& node() { return *node_; }
  [[nodiscard]] std::string name() const { return "p" + std::to_string(number_); }

  /// Earlier lives, which their guardian may certify as ended (F4).
  struct ended_life {
    node_id node;
    std::string secret;
  };
  [[nodiscard]] const std::vector<ended_life>& ended_lives() const { return ended_lives_; }

  /// Its store may be lost, by a disk or (memory) by the end of the process, with the voter.
  bool may_lose_store = true;
  /// Neither its store is ever lost, nor is it ever removed from the voters, where others may lose
  /// theirs: a majority of every configuration keeps what it has.
  bool core = false;
  /// False: nothing may end this process; its store is in memory and must not be lost.
  [[nodiscard]] bool mortal() const { return all_.how.durable || may_lose_store || !has_store(); }
  /// In runs that change the voters: whenever it has no store it is given a new one at its next
  /// start, and is a standby of the cluster until it is made a voter (L6).
  bool stands_by = false;

  /// How many times slower its disk is at the moment.
  unsigned disk_slowness = 1;
  disk_health disk = disk_health::fine;

private:
  struct postponed {
    std::uint64_t life;
    action what;
  };

  void run(std::uint64_t life, const action& what);
  void end_life();
  void forget_store();

  scene& all_;
  process_number number_;
  skewed_clock clock_;
  generator random_;
  bool alive_ = false;
  bool paused_ = false;
  bool lost_store_ = false;
  cluster::voters_now known_voters_;
  std::uint64_t life_ = 0;
  std::optional<model_store> store_;
  std::unique_ptr<voter_side> voter_;
  std::unique_ptr<node_side> node_;
  std::vector<postponed> postponed_;
  std::vector<ended_life> ended_lives_;
};

} // namespace paxtor::sim
