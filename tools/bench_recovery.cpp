/// Many locks are held: how long a voter that was killed needs until it serves again, how long a
/// blank standby needs, and how long others wait meanwhile.

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "tools/bench_team.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;

constexpr std::uint64_t owner_count = 1000;
constexpr const char* ttl = "3s";
constexpr std::chrono::minutes patience{5};

/// Polls `done`; throws after `patience`.
template <class Predicate>
void wait_until(const std::string& what, Predicate done) {
  const auto deadline = clock::now() + patience;
  while (!done()) {
    if (clock::now() > deadline)
      throw std::runtime_error("it took too long until " + what);
    std::this_thread::sleep_for(milliseconds{1});
  }
}

/// How long the locks of a chain waited.
struct probe {
  std::mutex mutex;
  samples waits;

  /// What was waited since the last call.
  json take() {
    const std::lock_guard guard{mutex};
    return std::exchange(waits, {}).summary();
  }
};

/// What the owners of a run share.
struct held_locks {
  explicit held_locks(const cluster& at, std::uint64_t keys) : door(at), count(keys) {}

  const cluster door;
  const std::uint64_t count;
  std::atomic<std::uint64_t> granted{0};
  std::atomic<std::uint64_t> ended{0};
  std::mutex mutex;
  std::string error;
};

/// Takes every thousandth key, one after the other, and keeps them.
void take_next(caf::event_based_actor* self, const std::shared_ptr<held_locks>& shared,
               std::uint64_t number) {
  if (number >= shared->count)
    return;
  shared->door.lock(self, json{"bench", "held", number})
    .then(
      [=](const grant&) {
        ++shared->granted;
        take_next(self, shared, number + owner_count);
      },
      [=](const caf::error& err) {
        const std::lock_guard guard{shared->mutex};
        shared->error = describe(err);
        self->quit();
      });
}

caf::behavior owner(caf::event_based_actor* self, const std::shared_ptr<held_locks>& shared,
                    std::uint64_t first) {
  self->attach_functor([shared](const caf::error& why) {
    const std::lock_guard guard{shared->mutex};
    if (shared->error.empty())
      shared->error = describe(why);
    ++shared->ended;
  });
  take_next(self, shared, first);
  return {[](ping_atom) {}};
}

/// The last slot that a node knows to be decided, and all before it; 0 while it reads its store.
std::uint64_t decided_upto(team_member& node) {
  const auto answer = node.ask({{"op", "status"}}, patience);
  const json::json_pointer field{"/status/log/learner/decided_upto"};
  return answer.contains(field) ? answer[field].get<std::uint64_t>() : 0;
}

/// Waits until `node` has what `leader` has now. (It is always some slots behind: a follower hears
/// of decisions with the next heartbeat.)
void wait_caught_up(team_member& node, team_member& leader) {
  const auto goal = decided_upto(leader);
  wait_until("node " + node.name + " has caught up", [&] { return decided_upto(node) >= goal; });
}

json seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

class recovery_run {
public:
  recovery_run(const recovery_options& how, const progress_text& say)
      : how_(how),
        say_(say),
        nodes_{{"a", "b", "c"}, {"--ttl", ttl}, -1, how.store_under},
        here_(join_team(nodes_, ttl)),
        held_(std::make_shared<held_locks>(here_->door(), how.locks)),
        probe_(std::make_shared<probe>()),
        chain_(std::make_shared<lock_chain>(*here_, json{"bench", "probe"},
                                            [probe = probe_](clock::time_point asked) {
                                              const std::lock_guard guard{probe->mutex};
                                              probe->waits.add(micros(clock::now() - asked));
                                            })) {
    here_->system().spawn(link_of, chain_);
  }

  ~recovery_run() {
    // A chain that no majority answers ends with the client.
    chain_->stopping = true;
    const auto deadline = clock::now() + std::chrono::seconds{5};
    while (chain_->running && clock::now() < deadline)
      std::this_thread::sleep_for(milliseconds{1});
  }
  recovery_run(const recovery_run&) = delete;
  recovery_run& operator=(const recovery_run&) = delete;

  json measure() {
    json result{{"locks", how_.locks}, {"ttl", ttl}};
    result["taking"] = take_locks();
    for (int run = 0; run < how_.runs; ++run)
      result["follower_again"].push_back(follower_again(run));
    result["slots"] = fill_slots();
    result["all_again"] = all_again();
    result["standby"] = standby();
    result["owners_ended"] = held_->ended.load();
    return result;
  }

private:
  json take_locks() {
    const auto start = clock::now();
    (void)probe_->take();
    for (std::uint64_t i = 0; i < owner_count; ++i)
      owners_.push_back(here_->system().spawn(owner, held_, i));
    auto next_line = start + std::chrono::seconds{2};
    while (held_->granted < held_->count) {
      if (held_->ended > 0) {
        const std::lock_guard guard{held_->mutex};
        throw std::runtime_error("a lock was not granted: " + held_->error);
      }
      std::this_thread::sleep_for(milliseconds{1});
      if (clock::now() >= next_line) {
        say_(std::to_string(held_->granted) + " of " + std::to_string(held_->count)
             + " locks are held");
        next_line += std::chrono::seconds{2};
      }
    }
    return {{"seconds", seconds_since(start)}, {"waits", probe_->take()}};
  }

  /// SIGKILL, and another process on the same data directory: until it has its session, and until
  /// it knows all that is decided.
  json follower_again(int run) {
    const auto leader = leader_of(nodes_);
    const auto& all = nodes_.members();
    const auto number = static_cast<std::size_t>(run) % all.size();
    const auto name =
      all[number]->name != leader ? all[number]->name : all[(number + 1) % all.size()]->name;
    (void)probe_->take();
    const auto start = clock::now();
    auto& again = nodes_.start_again(name);
    again.require_ready(patience);
    json row{{"node", name}, {"ready_seconds", seconds_since(start)}};
    wait_caught_up(again, nodes_.member(leader));
    row["caught_up_seconds"] = seconds_since(start);
    row["waits"] = probe_->take();
    say_("follower " + name + " serves again after "
         + show_seconds(row["caught_up_seconds"].get<double>()));
    return row;
  }

  /// Makes the log longer, a command or two a slot: what a leader recovers after a kill of all. At
  /// most as long as until the next snapshot, of course.
  std::uint64_t fill_slots() {
    auto& leader = nodes_.member(leader_of(nodes_));
    const auto before = decided_upto(leader);
    auto filled = std::uint64_t{0};
    auto next_line = clock::now();
    wait_until("the log was filled", [&] {
      filled = decided_upto(leader) - before;
      if (how_.slots > 0 && clock::now() >= next_line) {
        say_(std::to_string(filled) + " of " + std::to_string(how_.slots) + " slots are filled");
        next_line += std::chrono::seconds{2};
      }
      return filled >= how_.slots;
    });
    return filled;
  }

  json all_again() {
    const auto before = held_->ended.load();
    for (const auto& one : nodes_.members())
      one->child().kill_now();
    (void)probe_->take();
    const auto start = clock::now();
    for (const auto* name : {"a", "b", "c"})
      nodes_.start_again(name);
    wait_until("locks are granted again", [&] {
      const std::lock_guard guard{probe_->mutex};
      return probe_->waits.count() > 0;
    });
    json row{{"granted_seconds", seconds_since(start)}};
    for (const auto& one : nodes_.members())
      one->require_ready(patience);
    row["ready_seconds"] = seconds_since(start);
    row["owners_ended"] = held_->ended - before;
    say_("all voters were killed: a lock is granted again after "
         + show_seconds(row["granted_seconds"].get<double>()));
    return row;
  }

  json standby() {
    const auto leader = leader_of(nodes_);
    (void)probe_->take();
    const auto start = clock::now();
    auto& blank = nodes_.start_standby("d");
    blank.require_ready(patience);
    wait_caught_up(blank, nodes_.member(leader));
    json row{{"seconds", seconds_since(start)}, {"waits", probe_->take()}};
    say_("a blank standby has caught up after " + show_seconds(row["seconds"].get<double>()));
    return row;
  }

  static std::string show_seconds(double seconds) { return show_micros(seconds * 1'000'000); }

  const recovery_options& how_;
  const progress_text& say_;
  team nodes_;
  std::unique_ptr<client> here_;
  std::shared_ptr<held_locks> held_;
  std::shared_ptr<probe> probe_;
  std::shared_ptr<lock_chain> chain_;
  /// What nobody can reach ends.
  std::vector<caf::actor> owners_;
};

} // namespace

json bench_recovery(const recovery_options& how, const progress_text& say) {
  return recovery_run{how, say}.measure();
}

} // namespace paxtor::tools
