// The storage actor: group commit, and snapshots in parts between other writes. And voters that
// make snapshots beside their learners.

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "actors/storage_actor.hpp"
#include "net/caf_compat.hpp"
#include "test/actors/voter_help.hpp"

using namespace paxtor;
using namespace paxtor::test;

namespace {

/// A store that notes what it is asked for, and calls somebody at each part of a snapshot.
class noting_store final : public storage::store {
public:
  static constexpr int parts = 5;

  storage::loaded load() override { return {}; }

  storage::result append(const std::vector<paxos::write>& writes) override {
    note("append " + std::to_string(writes.size()));
    return {};
  }

  storage::part_written write_part(const paxos::write_snapshot& what) override {
    note("part of " + to_string(what.upto));
    ++written_;
    if (on_part)
      on_part(written_);
    return {{}, written_ % parts == 0};
  }

  const std::string& describe() const override { return describe_; }
  bool volatile_store() const override { return false; }

  std::vector<std::string> notes() const {
    std::lock_guard guard{mutex_};
    return notes_;
  }

  std::function<void(int)> on_part;

private:
  void note(const std::string& what) {
    std::lock_guard guard{mutex_};
    notes_.push_back(what);
  }

  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
  std::string describe_ = "noting";
  int written_ = 0;
};

actors::write_order order(std::uint64_t id, paxos::write_op what) {
  return {{paxos::write{write_id{id}, {std::move(what)}}}, nullptr};
}

paxos::write_op snapshot(std::uint64_t upto) {
  return paxos::write_snapshot{slot{upto}, paxtor::index{upto}, {}, blob{std::string{"image"}}};
}

paxos::write_op promise() {
  return paxos::write_promise{{1, voter_id{1}}};
}

/// A storage actor that writes to a noting_store.
struct noting_storage {
  node_config config;
  caf::actor_system system{config};
  std::unique_ptr<noting_store> own = std::make_unique<noting_store>();
  noting_store& store = *own;
  caf::actor storage = net::spawn_own_thread<actors::storage_actor>(
    system, "a", std::make_shared<actors::store_access>(std::move(own)));
};

} // namespace

TEST_CASE("storage: whoever writes while a snapshot is written waits for one part of it") {
  noting_storage all;
  auto& system = all.system;
  auto& store = all.store;
  const auto& storage = all.storage;
  {
    caf::scoped_actor learner{system};
    caf::scoped_actor acceptor{system};
    std::mutex mutex;
    // On the storage actor's thread: an order arrives while each of the parts is being written.
    store.on_part = [&](int nth) {
      std::lock_guard guard{mutex};
      if (nth < 2 * noting_store::parts)
        caf::send_as(caf::actor_cast<caf::actor>(acceptor.ptr()), storage,
                     order(static_cast<std::uint64_t>(nth), promise()));
    };
    // What the learner orders behind its snapshots waits for them: `written` covers all before.
    learner->send(storage, order(1, snapshot(7)));
    learner->send(storage, order(2, snapshot(9)));
    learner->send(storage, order(3, promise()));
    std::vector<std::uint64_t> told;
    for (int i = 0; i < 3; ++i)
      learner->receive([&](const actors::written& done) { told.push_back(done.upto.value); },
                       caf::after(10s) >> [] { FAIL("not written"); });
    CHECK(told == std::vector<std::uint64_t>{1, 2, 3});
    for (std::uint64_t nth = 1; nth < 2 * noting_store::parts; ++nth)
      acceptor->receive([&](const actors::written& done) { CHECK(done.upto.value == nth); },
                        caf::after(10s) >> [] { FAIL("not written"); });
    std::vector<std::string> expected;
    for (const std::string upto : {"7", "9"})
      for (int i = 0; i < noting_store::parts; ++i) {
        expected.push_back("part of " + upto);
        expected.emplace_back("append 1");
      }
    // The last one is the learner's own.
    CHECK(store.notes() == expected);
    learner->send(storage, net::stop_atom::value);
    learner->wait_for(storage);
  }
}

namespace {

struct noting_hook final : actors::written_hook {
  void written(write_id upto) override {
    std::lock_guard guard{mutex};
    told.push_back(upto.value);
    thread = std::this_thread::get_id();
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::uint64_t> told;
  std::thread::id thread;
};

} // namespace

TEST_CASE("storage: a hook hears on the storage actor's thread that a write is durable") {
  noting_storage all;
  auto& system = all.system;
  auto& store = all.store;
  const auto& storage = all.storage;
  caf::scoped_actor acceptor{system};
  const auto hook = std::make_shared<noting_hook>();
  auto hooked = order(1, promise());
  hooked.told = hook;
  acceptor->send(storage, hooked);
  {
    std::unique_lock guard{hook->mutex};
    REQUIRE(hook->changed.wait_for(guard, 10s, [&] { return !hook->told.empty(); }));
    CHECK(hook->told == std::vector<std::uint64_t>{1});
    CHECK(hook->thread != std::this_thread::get_id());
  }
  CHECK(store.notes() == std::vector<std::string>{"append 1"});
  // In its place comes no message: the next one is that of the order without a hook.
  acceptor->send(storage, order(2, promise()));
  acceptor->receive([&](const actors::written& done) { CHECK(done.upto.value == 2); },
                    caf::after(10s) >> [] { FAIL("not written"); });
  acceptor->send(storage, net::stop_atom::value);
  acceptor->wait_for(storage);
}

namespace {

/// Voters with small bounds commit enough for some snapshots each.
template <class Store>
void make_snapshots() {
  paxos::limits bounds;
  bounds.snapshot_entries = 20;
  bounds.slots_kept = 5;
  const auto ports = free_ports({"a", "b", "c"});
  std::map<std::string, std::unique_ptr<voter_node>> nodes;
  std::uint64_t n = 1;
  std::vector<net::hub_options::target> targets;
  for (const auto& [name, port] : ports) {
    nodes[name] = std::make_unique<voter_node>(name, n, ports,
                                               std::make_unique<Store>(voter_id{1000 + n}), bounds);
    targets.push_back({name, at(port)});
    ++n;
  }
  for (auto& [name, node] : nodes)
    REQUIRE(eventually([&, &node = node] { return node->events->count("formed") == 1; }, 20s));
  const auto cluster = cluster_id{std::stoull(nodes.begin()->second->events->all().at(0).text)};
  client user{50, targets};
  registry::open_session open;
  open.node = node_id{50};
  open.name = "client";
  const auto session = user.ask(open, seq{1}, cluster);
  REQUIRE(session);
  for (std::uint64_t i = 2; i <= 80; ++i) {
    registry::put put;
    put.from = {session->opened, seq{i}, seq{i}};
    put.bucket = "test";
    put.key = term::from_canonical("\"k" + std::to_string(i) + "\"");
    put.value = std::to_string(i);
    const auto stored = user.ask(put, seq{i}, cluster);
    REQUIRE(stored);
    CHECK(stored->code == registry::status::ok);
  }
  for (auto& [name, node] : nodes) {
    CAPTURE(name);
    CHECK(eventually(
      [&, &node = node] {
        const auto now = node->status();
        return now.contains("learner") && now["learner"].value("snapshots", 0) >= 2
               && now["learner"].value("log_first", 0) > 20
               && now["acceptor"].value("truncated_upto", 0) > 15;
      },
      20s));
  }
}

} // namespace

TEST_CASE("voters: snapshots are made beside the learner, and the log is cut behind them") {
  make_snapshots<storage::memory_store>();
}

TEST_CASE("voters: the same with a store that only the storage actor touches, in parts") {
  make_snapshots<pretended_disk>();
}
