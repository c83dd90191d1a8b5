#pragma once

/// \file
/// A small cluster that a script moves by hand: whole voters (cluster::voter) and session agents
/// (cluster::agent) in one clock, every message under way for 1 ms, every write for 1 ms. Nothing
/// is drawn but the back-off of elections, from a fixed seed, so the same script tells the same
/// story for ever.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "libpaxtor/cluster/agent.hpp"
#include "libpaxtor/cluster/frame.hpp"
#include "libpaxtor/cluster/voter.hpp"
#include "libpaxtor/storage/memory_store.hpp"
#include "test/transcripts/names.hpp"

namespace paxtor::transcripts {

struct stage_options {
  std::vector<std::string> voters;
  /// Who has a session agent; voters too, if they are named here.
  std::vector<std::string> nodes;
  duration ttl = std::chrono::seconds{3};
  /// A snapshot after so many entries; zero: the default.
  std::size_t snapshot_entries = 0;
  /// Actor types that every node hosts.
  std::vector<std::string> types{"counter"};
};

class stage {
public:
  explicit stage(const stage_options& how);

  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  /// Lets this much time pass.
  void run(duration how_long);

  // -- the network: directions between two processes ----------------------------------------------
  void cut(const std::string& from, const std::string& to) { cuts_.insert({from, to}); }
  /// What is sent from now on waits until `let_go`; `kind` is the first word of what describe()
  /// says of it, or empty: everything.
  void hold(const std::string& from, const std::string& to, const std::string& kind) {
    holds_.insert({{from, to}, kind});
  }
  /// What was held arrives now, in its order.
  void let_go();
  /// What was held is lost.
  void lose_held();
  void heal() { cuts_.clear(); }
  [[nodiscard]] std::vector<std::string> all_names() const;

  // -- processes ----------------------------------------------------------------------------------
  /// Ends at once; of its store what was durable stays.
  void crash(const std::string& name);
  void start(const std::string& name);
  /// SIGSTOP: what comes waits; its clock runs on.
  void pause(const std::string& name);
  void thaw(const std::string& name);
  void leave(const std::string& name);
  /// Its writes take so long from now on.
  void slow_disk(const std::string& name, duration each) { at(name).write_time = each; }
  /// The process cannot end this actor: a handler that never returns.
  void make_stubborn(const std::string& name, local_actor_id actor);

  // -- what actors do -----------------------------------------------------------------------------
  void lock(const std::string& node, local_actor_id actor, std::vector<term> keys,
            cluster::acquire_options how);
  void exit(const std::string& node, local_actor_id actor);
  void resolve(const std::string& node, const term& name, const std::string& type);
  void put(const std::string& node, const term& key, const std::string& value);
  void ask(const std::string& node, registry::query what);
  void drain(const std::string& node, const std::string& which);

  // -- what is seen -------------------------------------------------------------------------------
  /// What happened since the last call: a line each, with the time since then.
  [[nodiscard]] std::vector<std::string> take_told();
  /// One line per voter: who leads, as it knows, and how far its log is.
  [[nodiscard]] std::vector<std::string> voters() const;
  /// The registry of the voter that leads. ERRORS: std::invalid_argument if none does.
  [[nodiscard]] const registry::machine& registry_of_leader() const;
  [[nodiscard]] std::string leader() const;
  [[nodiscard]] time_point now() const { return now_; }
  /// How long the lease of this node still runs; zero: it has none.
  [[nodiscard]] duration lease_left(const std::string& node);
  [[nodiscard]] std::string lease(const std::string& node);
  /// Entries of the log from `first` on, as decided.
  [[nodiscard]] std::vector<std::string> log(std::uint64_t first) const;

private:
  using action = std::function<void()>;
  using direction = std::pair<std::string, std::string>;

  struct process {
    std::string name;
    std::optional<voter_id> votes;
    /// Has a session agent: actors can live there.
    bool hosts = false;
    std::unique_ptr<storage::memory_store> store;
    std::deque<paxos::write> writing;
    bool syncing = false;
    duration write_time = std::chrono::milliseconds{1};
    std::unique_ptr<cluster::voter> voter;
    std::unique_ptr<cluster::agent> agent;
    node_id node;
    std::uint64_t life = 0;
    bool paused = false;
    std::vector<action> postponed;
    bool runs = false;
    bool leads = false;
    slot judged_upto;
    time_point watched{};
    time_point wake_at = time_point::max();
    std::uint64_t next_singleton = 100;
    std::map<local_actor_id, std::pair<term, token>> singletons;
    std::set<local_actor_id> stubborn;
    std::map<node_id, std::string> routes;

    [[nodiscard]] bool alive() const { return runs; }
  };

  void tell(const std::string& what);
  [[nodiscard]] process& at(const std::string& name);
  [[nodiscard]] process& living(const std::string& name);
  /// One with a session agent.
  [[nodiscard]] process& node_at(const std::string& name);
  [[nodiscard]] process* owner_of(node_id node);
  [[nodiscard]] process* owner_of(voter_id voter);

  void at_time(time_point when, action what) { events_[{when, ++asked_}] = std::move(what); }
  /// In this life of the process; while it is paused, after the thaw.
  void later(process& home, duration delay, action what);
  void post(process& from, process& to, cluster::frame what);
  void arrive(const std::string& from, const std::string& to, const cluster::frame& what);
  void receive(process& home, process& from, const cluster::frame& what);

  void start(process& home);
  void start_agent(process& home);
  void tick(process& home);
  void drain_voter(process& home);
  void write_next(process& home);
  void watch_log(process& home);
  void note_log(process& home, slot where, const paxos::batch& value);

  template <class Use>
  void use(process& home, Use what) {
    what(*home.agent, now_);
    drain_agent(home);
  }
  void drain_agent(process& home);
  void handle(process& home, const cluster::notice& what);
  void ended(process& home, local_actor_id actor, bool failed, const std::string& why);
  void fence(process& home, const cluster::fence& what);
  void watch(process& home);
  void wake(process& home);

  time_point now_{std::chrono::seconds{1}};
  time_point told_at_ = now_;
  std::map<std::pair<time_point, std::uint64_t>, action> events_;
  std::uint64_t asked_ = 0;
  generator random_{1};

  paxos::configuration voters_;
  paxos::timing times_;
  paxos::limits bounds_;
  cluster::lease_options leases_;
  std::vector<std::string> types_;
  std::map<std::string, process> processes_;
  std::set<direction> cuts_;
  std::multimap<direction, std::string> holds_;
  std::vector<std::tuple<std::string, std::string, std::shared_ptr<const cluster::frame>>> held_;

  names words_;
  std::uint64_t last_node_ = 0;
  /// The log as it was first decided.
  std::map<slot, std::pair<paxos::batch, std::vector<std::string>>> log_;
  std::uint64_t last_index_ = 0;
  std::vector<std::string> told_;
};

} // namespace paxtor::transcripts
