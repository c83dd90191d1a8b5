#include <doctest/doctest.h>

#include <deque>

#include "libpaxtor/paxos/formation.hpp"
#include "test/unit/paxos_help.hpp"

using namespace paxtor;
using namespace paxtor::paxos;
using namespace paxtor::paxos::test;

namespace {

using phase = formation::phase;

struct voter {
  recovered store;
  formation x;

  voter(std::string name, voter_id id) : voter(std::move(name), blank(id)) {}
  voter(std::string name, recovered from)
      : store(from), x(std::move(name), {"b", "a", "c"}, store) {
    write_all();
  }

  void write_all() {
    for (auto all = x.take_writes(); !all.empty(); all = x.take_writes()) {
      for (const auto& what : all) {
        store.formation = std::get<write_formation>(what.ops.at(0));
        x.persisted(what.id);
      }
    }
  }
};

void tell(voter& from, voter& to) {
  to.x.step(from.x.report());
  to.write_all();
}

void talk(std::deque<voter>& all) {
  for (auto& from : all) {
    for (auto& to : all) {
      if (&from != &to)
        tell(from, to);
    }
  }
}

std::deque<voter> fresh() {
  std::deque<voter> all;
  all.emplace_back("a", a);
  all.emplace_back("b", b);
  all.emplace_back("c", c);
  return all;
}

} // namespace

TEST_CASE("initial voters that hear each other form one cluster") {
  auto all = fresh();
  CHECK(all[0].x.state() == phase::gathering);
  CHECK(all[0].x.waiting_for() == std::vector<std::string>{"b", "c"});
  tell(all[1], all[0]);
  CHECK(all[0].x.waiting_for() == std::vector<std::string>{"c"});
  for (int i = 0; i < 3; ++i)
    talk(all);
  for (auto& x : all) {
    CHECK(x.x.state() == phase::formed);
    CHECK(x.x.cluster() == all[0].x.cluster());
    CHECK(x.x.cluster().valid());
    CHECK(x.x.voters() == three());
    CHECK(x.store.formation->formed);
    CHECK(x.x.waiting_for().empty());
  }
}

TEST_CASE("two of three never form") {
  auto all = fresh();
  for (int i = 0; i < 5; ++i) {
    tell(all[0], all[1]);
    tell(all[1], all[0]);
  }
  CHECK(all[0].x.state() == phase::gathering);
  CHECK(all[1].x.state() == phase::gathering);
}

TEST_CASE("nothing is told before it is durable") {
  formation x{"a", {"a", "b"}, blank(a)};
  x.step({"b", b, {}, {}, false});
  CHECK(x.state() == phase::pledged);
  CHECK_FALSE(x.report().pledged.valid());
  auto writes = x.take_writes();
  REQUIRE(writes.size() == 1);
  x.persisted(writes[0].id);
  CHECK(x.report().pledged == x.cluster());
  x.step({"b", b, x.cluster(), x.voters(), false});
  // Pledged alike by all, but not yet written down: it may not vote.
  CHECK(x.state() == phase::pledged);
  CHECK_FALSE(x.report().formed);
  CHECK(x.report().pledged == x.cluster());
  writes = x.take_writes();
  REQUIRE(writes.size() == 1);
  x.persisted(writes[0].id);
  CHECK(x.state() == phase::formed);
  CHECK(x.report().formed);
}

TEST_CASE("a voter that restarts with its store keeps its pledge") {
  auto all = fresh();
  talk(all);
  REQUIRE(all[2].store.formation);
  auto store = all[2].store;
  all.pop_back();
  all.emplace_back("c", store);
  for (int i = 0; i < 3; ++i)
    talk(all);
  for (auto& x : all)
    CHECK(x.x.state() == phase::formed);
  // Once formed, always formed.
  voter again{"c", all[2].store};
  CHECK(again.x.state() == phase::formed);
}

TEST_CASE("a voter that comes back blank before the end is pledged to anew") {
  auto all = fresh();
  tell(all[1], all[0]);
  tell(all[2], all[0]);
  CHECK(all[0].x.state() == phase::pledged);
  const auto old = all[0].x.cluster();
  all.pop_back();
  all.emplace_back("c", d);
  for (int i = 0; i < 3; ++i)
    talk(all);
  for (auto& x : all) {
    CHECK(x.x.state() == phase::formed);
    CHECK(x.x.voters().contains(d));
    CHECK(x.x.cluster() != old);
  }
}

TEST_CASE("a blank store is a standby of a formed cluster: no configuration names it") {
  auto all = fresh();
  for (int i = 0; i < 3; ++i)
    talk(all);
  voter blank_again{"c", d};
  tell(all[0], blank_again);
  blank_again.write_all();
  CHECK(blank_again.x.state() == phase::formed);
  CHECK(blank_again.x.cluster() == all[0].x.cluster());
  CHECK_FALSE(blank_again.x.voters().contains(d));
  REQUIRE(blank_again.store.formation);
  CHECK(blank_again.store.formation->voters == three());
  // The formed ones do not pledge again.
  tell(blank_again, all[0]);
  CHECK(all[0].x.state() == phase::formed);
  CHECK(all[0].x.voters() == three());
}

TEST_CASE("a store that lost its pledge never votes under its old id") {
  auto all = fresh();
  for (int i = 0; i < 3; ++i)
    talk(all);
  voter forgot{"c", c};
  tell(all[0], forgot);
  CHECK(forgot.x.state() == phase::outsider);
  CHECK_FALSE(forgot.store.formation);
  // So it is for one that became a voter later, which the first configuration does not name.
  voter later{"c", d};
  auto current = three();
  current.members[2].id = d;
  later.x.heard_voters(current);
  CHECK(later.x.state() == phase::outsider);
  tell(all[0], later);
  CHECK(later.x.state() == phase::outsider);
  CHECK_FALSE(later.store.formation);
  // One that knows its formation is what it says.
  all[2].x.heard_voters(three());
  CHECK(all[2].x.state() == phase::formed);
}

TEST_CASE("a standby by its name pledges nothing, and takes over what has formed") {
  auto all = fresh();
  voter extra{"x", d};
  for (auto& one : all)
    tell(one, extra);
  CHECK(extra.x.state() == phase::gathering);
  CHECK_FALSE(extra.store.formation);
  for (int i = 0; i < 3; ++i)
    talk(all);
  tell(all[0], extra);
  extra.write_all();
  CHECK(extra.x.state() == phase::formed);
  CHECK(extra.x.cluster() == all[0].x.cluster());
}

TEST_CASE("a pledged voter is formed when anybody speaks Paxos in its cluster, or it has voted") {
  auto all = fresh();
  tell(all[1], all[0]);
  tell(all[2], all[0]);
  all[0].x.heard_paxos(cluster_id{all[0].x.cluster().value + 1});
  CHECK(all[0].x.state() == phase::pledged);
  auto store = all[0].store;
  all[0].x.heard_paxos(all[0].x.cluster());
  all[0].write_all();
  CHECK(all[0].x.state() == phase::formed);
  store.promised = at(1, b);
  voter voted{"a", store};
  CHECK(voted.x.state() == phase::formed);
  CHECK(voted.store.formation->formed);
}

TEST_CASE("a voter that gave up a pledge comes back when that cluster was formed with it") {
  auto all = fresh();
  talk(all);
  talk(all);
  // b is formed with a and c; a has lost sight of it and pledged to a newer c.
  auto store = all[0].store;
  store.formation->formed = false;
  voter x{"a", store};
  x.x.step({"b", b, {}, {}, false});
  x.x.step({"c", d, {}, {}, false});
  x.write_all();
  CHECK(x.x.cluster() != all[1].x.cluster());
  REQUIRE(all[1].x.state() == phase::formed);
  tell(all[1], x);
  CHECK(x.x.state() == phase::formed);
  CHECK(x.x.cluster() == all[1].x.cluster());
}

TEST_CASE("malformed and foreign reports are dropped") {
  voter x{"a", a};
  x.x.step({"z", b, {}, {}, false});
  x.x.step({"a", b, {}, {}, false});
  x.x.step({"b", a, {}, {}, false});
  x.x.step({"b", voter_id{}, {}, {}, false});
  x.x.step({"b", b, {}, {}, true});
  x.x.step({"b", b, cluster_id{7}, three(), true});
  CHECK(x.x.dropped() == 6);
  CHECK(x.x.state() == phase::gathering);
  // Two names with one store make no cluster.
  x.x.step({"b", b, {}, {}, false});
  x.x.step({"c", b, {}, {}, false});
  CHECK(x.x.state() == phase::gathering);
}

TEST_CASE("the cluster id depends on names and stores, not on their order") {
  auto other = three();
  std::swap(other.members[0], other.members[2]);
  CHECK(cluster_of(other) == cluster_of(three()));
  other.members[0].id = d;
  CHECK(cluster_of(other) != cluster_of(three()));
  CHECK(cluster_of({}).valid());
}

TEST_CASE("a single voter forms alone") {
  formation x{"a", {"a"}, blank(a)};
  while (true) {
    auto writes = x.take_writes();
    if (writes.empty())
      break;
    x.persisted(writes.back().id);
  }
  CHECK(x.state() == phase::formed);
}
