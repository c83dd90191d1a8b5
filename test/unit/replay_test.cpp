// The registry from an image and a log: snapshots, and the one voter that is left of a cluster.

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "libpaxtor/cluster/new_cluster.hpp"
#include "libpaxtor/cluster/registrar.hpp"
#include "libpaxtor/cluster/replay.hpp"
#include "libpaxtor/cluster/voter.hpp"
#include "libpaxtor/paxos/formation.hpp"
#include "test/unit/paxos_help.hpp"

namespace paxtor::cluster {

using namespace std::chrono_literals;
using namespace paxos::test;
using paxos::cluster_of;

namespace {

term key_of(const std::string& text) {
  return term::from_canonical("\"" + text + "\"");
}

/// A log of a session that takes locks, made a slot at a time.
struct log_maker {
  std::vector<paxos::entry> open;
  std::uint64_t entries = 0;
  std::uint64_t number = 0;
  session_id session;

  void add(paxos::entry what) {
    open.push_back(std::move(what));
    ++entries;
  }
  void add(const registry::command& what) {
    add(paxos::entry{paxos::entry_kind::command, encode(what)});
  }
  void reign(std::uint64_t round) {
    add(paxos::entry{paxos::entry_kind::reign, encode(at(round, b))});
  }
  void join() {
    registry::open_session what;
    what.node = node_id{50};
    what.name = "owner";
    add(what);
    session = session_id{entries};
  }
  registry::origin from() {
    ++number;
    return {session, seq{number}, seq{number}};
  }
  void lock(std::uint64_t key) {
    const auto who = from();
    add(registry::acquire{who,
                          local_actor_id{key + 1},
                          {key_of("k" + std::to_string(key))},
                          registry::acquire_mode::wait,
                          registry::ownership::bounded});
  }
  void put(const std::string& key, const std::string& value) {
    registry::put what;
    what.from = from();
    what.bucket = "b";
    what.key = key_of(key);
    what.value = value;
    add(what);
  }
  paxos::batch cut() { return paxos::make_batch(std::exchange(open, {})); }
};

std::vector<paxos::batch> some_slots(log_maker& log, std::uint64_t slots) {
  std::vector<paxos::batch> result;
  for (std::uint64_t i = 0; i < slots; ++i) {
    if (i % 3 == 2)
      log.add(paxos::entry{paxos::entry_kind::noop, {}});
    log.lock(log.entries);
    log.lock(log.entries);
    result.push_back(log.cut());
  }
  return result;
}

void apply(registrar& to, const paxos::batch& value, slot where, index& last) {
  std::vector<paxos::entry> entries;
  REQUIRE(paxos::entries_of(value, entries));
  std::vector<paxos::decided_entry> decided;
  for (auto& what : entries) {
    last = last.next();
    decided.push_back({last, where, std::move(what)});
  }
  to.apply(decided);
  (void)to.take_output();
}

/// A store of voter b of three, with a snapshot at slot 4 and accepted values behind it.
paxos::recovered lost_store(std::vector<std::uint64_t> slots_missing = {}) {
  log_maker log;
  log.reign(3);
  log.join();
  log.put("kept", "\"first\"");
  std::vector<paxos::batch> all{log.cut()};
  for (auto& value : some_slots(log, 9))
    all.push_back(std::move(value));
  paxos::recovered x;
  x.self = b;
  x.promised = at(3, b);
  x.formation = paxos::write_formation{cluster_of(three()), three(), true};
  replay image{std::nullopt};
  for (int i = 0; i < 4; ++i)
    image.apply(all[static_cast<std::size_t>(i)]);
  x.snapshot = paxos::write_snapshot{image.upto(), image.last(), three(), image.state().image()};
  x.truncated_upto = slot{2};
  for (std::uint64_t i = 3; i <= 10; ++i)
    if (std::count(slots_missing.begin(), slots_missing.end(), i) == 0)
      x.accepted[slot{i}] = {at(3, b), all[i - 1]};
  return x;
}

} // namespace

TEST_CASE("I50: an image made of the one before and the log since is the registry's own") {
  log_maker log;
  log.reign(1);
  log.join();
  auto values = std::vector<paxos::batch>{log.cut()};
  for (auto& value : some_slots(log, 40))
    values.push_back(std::move(value));
  // Decided garbage, and a kind of entry that is not known, are nothing on all replicas alike.
  values.insert(values.begin() + 20, blob{std::string{"garbage"}});
  registrar own;
  index last;
  std::optional<paxos::write_snapshot> before;
  paxos::snapshot_task task;
  slot where;
  for (std::size_t i = 0; i < values.size(); ++i) {
    where = where.next();
    if (i == 20)
      own.apply({});
    else
      apply(own, values[i], where, last);
    task.since.push_back(values[i]);
    if (i % 7 != 6)
      continue;
    task.base = before;
    task.upto = where;
    task.last = last;
    const auto made = make_image(task);
    REQUIRE(made);
    CHECK(*made == own.image());
    before = paxos::write_snapshot{where, last, three(), *made};
    task.since.clear();
  }
  CHECK(before->upto > slot{30});
}

TEST_CASE("an image that nobody wants any more is not made to its end") {
  log_maker log;
  log.reign(1);
  log.join();
  paxos::snapshot_task task;
  task.since.push_back(log.cut());
  for (auto& value : some_slots(log, 3000))
    task.since.push_back(std::move(value));
  task.upto = slot{task.since.size()};
  task.last = index{log.entries};
  int asked = 0;
  CHECK_FALSE(make_image(task, [&] { return ++asked < 3; }));
  CHECK(asked == 3);
  CHECK(make_image(task, [] { return true; }));
}

TEST_CASE("I53, I54: a voter that is left alone takes what it accepted without a gap") {
  auto old = lost_store();
  auto made = force_new_cluster(old, voter_id{77});
  REQUIRE_MESSAGE(made.why.empty(), made.why);
  CHECK(made.old_cluster == cluster_of(three()));
  CHECK(made.applied == 6);
  CHECK(made.left_out == 0);
  CHECK(made.state.self == voter_id{77});
  CHECK(made.state.accepted.empty());
  CHECK(made.state.promised >= old.promised);
  REQUIRE(made.state.formation);
  CHECK(made.state.formation->formed);
  CHECK(made.state.formation->cluster == cluster_of(made.state.formation->voters));
  CHECK(made.state.formation->cluster != old.formation->cluster);
  REQUIRE(made.state.snapshot);
  CHECK(made.state.snapshot->upto == slot{10});
  CHECK(made.state.truncated_upto == slot{10});
  CHECK(made.state.snapshot->voters == paxos::configuration{{{voter_id{77}, "b"}}});
  // Forced once more it is another cluster again.
  const auto again = force_new_cluster(made.state, voter_id{78});
  REQUIRE(again.why.empty());
  CHECK(again.state.formation->cluster != made.state.formation->cluster);

  SUBCASE("what stands behind a gap is left out, and said") {
    made = force_new_cluster(lost_store({7}), voter_id{77});
    CHECK(made.applied == 2);
    CHECK(made.left_out == 3);
    CHECK(made.state.snapshot->upto == slot{6});
  }
  SUBCASE("a later reign than this voter ever promised") {
    old.promised = at(1, a);
    for (auto& [where, value] : old.accepted)
      value.at = at(1, a);
    CHECK(force_new_cluster(old, voter_id{77}).state.promised >= at(3, b));
  }
  SUBCASE("a name that only the log tells, or nobody") {
    old.self = d;
    CHECK(force_new_cluster(old, voter_id{77}).why.find("--name") != std::string::npos);
    CHECK(force_new_cluster(old, voter_id{77}, "x").state.formation->voters.members[0].name == "x");
    auto voters = three();
    voters.members.push_back({d, "dora"});
    old.accepted[slot{11}] = {at(3, b), change(voters)};
    CHECK(name_of(old) == "dora");
  }
  SUBCASE("a cluster that never formed has nothing to save") {
    old.formation->formed = false;
    CHECK_FALSE(force_new_cluster(old, voter_id{77}).why.empty());
    old.formation.reset();
    CHECK_FALSE(force_new_cluster(old, voter_id{77}).why.empty());
  }
  SUBCASE("nothing was decided yet") {
    old.accepted.clear();
    old.snapshot.reset();
    old.truncated_upto = {};
    made = force_new_cluster(old, voter_id{77});
    CHECK(made.why.empty());
    CHECK_FALSE(made.state.snapshot);
  }
}

TEST_CASE("a voter that is left alone leads, and the sessions that it inherits expire by silence") {
  const auto state = force_new_cluster(lost_store(), voter_id{77}).state;
  time_point now{1s};
  const auto leases = lease_options{};
  voter alone{state, state.formation->voters, {}, {}, leases, generator{5}, now};
  std::deque<paxos::write> writes;
  const auto run = [&](duration by) {
    for (const auto end = now + by; now < end; now += 5ms) {
      alone.tick(now);
      auto out = alone.take_output();
      CHECK(out.send.empty());
      std::move(out.writes.begin(), out.writes.end(), std::back_inserter(writes));
      while (!writes.empty()) {
        alone.persisted(now, writes.front().id);
        writes.pop_front();
        auto more = alone.take_output();
        std::move(more.writes.begin(), more.writes.end(), std::back_inserter(writes));
      }
    }
  };
  run(1500ms);
  REQUIRE(alone.state().leading);
  // S3: its reign is in force, so what it proposes takes effect.
  CHECK(alone.machine().reign().voter == voter_id{77});
  CHECK(alone.machine().open_sessions().size() == 1);
  CHECK(alone.machine().holder_of(key_of("k5")));
  run(5s);
  CHECK(alone.machine().open_sessions().empty());
  CHECK_FALSE(alone.machine().holder_of(key_of("k5")));
  const auto kept = alone.machine().ask(registry::query_get{"b", key_of("kept")}, {});
  CHECK(kept.find("first") != std::string::npos);
}

} // namespace paxtor::cluster
