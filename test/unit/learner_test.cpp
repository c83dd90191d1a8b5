#include <doctest/doctest.h>

#include "libpaxtor/paxos/bounds.hpp"
#include "libpaxtor/paxos/learner.hpp"
#include "test/unit/paxos_help.hpp"

using namespace paxtor;
using namespace paxtor::paxos;
using namespace paxtor::paxos::test;

namespace {

learner make(voter_id self, limits bounds = {}) {
  return learner{self, blank(self), three(), {}, bounds, start};
}

std::vector<std::string> decided(learner& x) {
  std::vector<std::string> result;
  for (const auto& what : x.take_output().decided)
    result.push_back(what.what.data);
  return result;
}

using strings = std::vector<std::string>;

/// Decides `count` slots by another's word.
void teach(learner& x, std::uint64_t count) {
  learned_values told{x.decided_upto().next(), {}, slot{}};
  for (std::uint64_t i = 0; i < count; ++i)
    told.values.push_back(value("v"));
  x.step(start, b, told);
}

} // namespace

TEST_CASE("a majority of distinct voters in one ballot decides") {
  auto x = make(a);
  x.step(start, a, proposed{at(2, a), slot{1}, value("x")});
  x.step(start, b, accepted{at(2, a), slot{1}});
  x.step(start, b, accepted{at(2, a), slot{1}});
  x.step(start, d, accepted{at(2, a), slot{1}});
  CHECK(decided(x).empty());
  x.step(start, c, accepted{at(1, a), slot{1}});
  CHECK(decided(x).empty());
  x.step(start, c, accepted{at(2, a), slot{1}});
  CHECK(decided(x) == strings{"x"});
  CHECK(x.decided_upto() == slot{1});
}

TEST_CASE("votes may overtake the value") {
  auto x = make(a);
  x.step(start, b, accepted{at(2, a), slot{1}});
  x.step(start, c, accepted{at(2, a), slot{1}});
  x.step(start, a, proposed{at(1, a), slot{1}, value("old")});
  CHECK(decided(x).empty());
  x.step(start, a, proposed{at(2, a), slot{1}, value("x")});
  CHECK(decided(x) == strings{"x"});
}

TEST_CASE("votes of two ballots are not added up") {
  auto x = make(a);
  x.step(start, a, proposed{at(1, a), slot{1}, value("x")});
  x.step(start, b, accepted{at(1, a), slot{1}});
  x.step(start, a, proposed{at(4, a), slot{1}, value("y")});
  x.step(start, c, accepted{at(4, a), slot{1}});
  CHECK(decided(x).empty());
  x.step(start, a, accepted{at(4, a), slot{1}});
  CHECK(decided(x) == strings{"y"});
}

TEST_CASE("slots come out in order, and the own proposer is told first") {
  auto x = make(a);
  for (std::uint64_t i : {2, 1}) {
    x.step(start, a, proposed{at(1, a), slot{i}, value(std::to_string(i))});
    CHECK(decided(x).empty());
    x.step(start, a, accepted{at(1, a), slot{i}});
    x.step(start, c, accepted{at(1, a), slot{i}});
  }
  const auto out = x.take_output();
  REQUIRE(out.decided.size() == 2);
  CHECK(out.decided[0].at == paxtor::index{1});
  CHECK(out.decided[0].what.data == "1");
  CHECK(out.decided[1].at == paxtor::index{2});
  REQUIRE(sent<advanced>(out.send, a).size() == 1);
  CHECK(sent<advanced>(out.send, a)[0].upto == slot{2});
  CHECK(sent<advanced>(out.send, a)[0].told_upto == slot{});
}

TEST_CASE("a follower concludes from its leader's word, but only for that leader's ballot") {
  auto x = make(b);
  x.step(start, b, accepted_here{at(1, c), slot{1}, value("old")});
  x.step(start, b, accepted_here{at(2, a), slot{2}, value("y")});
  x.step(start, b, observed{at(2, a), slot{2}});
  CHECK(decided(x).empty());
  // Slot 1 was accepted in another ballot: asked for at the next tick.
  x.tick(start + milliseconds{25});
  const auto asked = sent<learn>(x.take_output().send, a);
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].from == slot{1});
  x.step(start, a, learned_values{slot{1}, {value("x")}, slot{2}});
  CHECK(decided(x) == strings{"x", "y"});
}

TEST_CASE("a value that comes after the leader's word is concluded too") {
  auto x = make(b);
  x.step(start, b, observed{at(2, a), slot{1}});
  x.step(start, b, accepted_here{at(2, a), slot{1}, value("x")});
  const auto out = x.take_output();
  CHECK(out.decided.size() == 1);
  // Told, not counted: a proposer that leads must know.
  CHECK(sent<advanced>(out.send, b).at(0).told_upto == slot{1});
}

TEST_CASE("a learner that is behind asks the leader, then the others") {
  auto x = make(b);
  x.step(start, b, observed{at(2, a), slot{9}});
  std::vector<voter_id> asked;
  for (int i = 1; i <= 40; ++i) {
    x.tick(start + i * milliseconds{25});
    for (const auto& what : x.take_output().send) {
      if (std::holds_alternative<learn>(what.what))
        asked.push_back(what.to.at(0));
    }
  }
  REQUIRE(asked.size() >= 4);
  CHECK(asked[0] == a);
  CHECK(std::count(asked.begin(), asked.end(), c) > 0);
}

TEST_CASE("values are served in pieces, as far as they are decided") {
  limits bounds;
  bounds.chunk_bytes = 8;
  auto x = make(a, bounds);
  teach(x, 10);
  (void)x.take_output();
  x.step(start, c, learn{slot{4}});
  const auto told = sent<learned_values>(x.take_output().send, c);
  REQUIRE(told.size() == 1);
  CHECK(told[0].first == slot{4});
  CHECK(told[0].values.size() < 7);
  CHECK(told[0].decided_upto == slot{10});
  x.step(start, c, learn{slot{11}});
  CHECK(x.take_output().send.empty());
}

TEST_CASE("the log is cut only behind a durable snapshot") {
  limits bounds;
  bounds.snapshot_entries = 10;
  bounds.slots_kept = 3;
  auto x = make(a, bounds);
  teach(x, 8);
  CHECK_FALSE(x.take_output().want_snapshot);
  CHECK_FALSE(x.snapshot_near());
  teach(x, 1);
  CHECK_FALSE(x.take_output().want_snapshot);
  CHECK(x.snapshot_near());
  teach(x, 1);
  const auto task = x.take_output().want_snapshot;
  REQUIRE(task);
  CHECK_FALSE(x.snapshot_near());
  CHECK_FALSE(task->base);
  CHECK(task->since.size() == 10);
  // It is made while the log goes on, and one at a time.
  teach(x, 11);
  CHECK_FALSE(x.take_output().want_snapshot);
  x.snapshot_made(slot{9}, blob{"of another"});
  CHECK(x.take_output().writes.empty());
  x.snapshot_made(task->upto, blob{"image"});
  auto out = x.take_output();
  CHECK_FALSE(out.want_snapshot);
  REQUIRE(out.writes.size() == 1);
  const auto& image = std::get<write_snapshot>(out.writes[0].ops.at(0));
  // Of what was handed out when it was asked for.
  CHECK(image.upto == slot{10});
  CHECK(image.last == paxtor::index{10});
  CHECK(x.log_first() == slot{1});
  CHECK(sent<paxos::truncate>(out.send, a).empty());
  x.persisted(out.writes[0].id);
  out = x.take_output();
  REQUIRE(sent<paxos::truncate>(out.send, a).size() == 1);
  CHECK(sent<paxos::truncate>(out.send, a)[0].upto == slot{7});
  CHECK(x.log_first() == slot{8});
  // The next one, of that one and what is behind it.
  REQUIRE(out.want_snapshot);
  REQUIRE(out.want_snapshot->base);
  CHECK(out.want_snapshot->base->upto == slot{10});
  CHECK(out.want_snapshot->since.size() == 11);
  CHECK(out.want_snapshot->last == paxtor::index{21});
}

namespace {

/// Silence makes it look around, until it has asked this voter.
void let_it_ask(learner& x, voter_id whom) {
  for (int i = 1; i < 50; ++i) {
    x.tick(start + i * milliseconds{500});
    for (const auto& sent : x.take_output().send)
      if (std::holds_alternative<learn>(sent.what) && sent.to == std::vector{whom})
        return;
  }
  FAIL("it never asked");
}

} // namespace

TEST_CASE("a snapshot is taken from who was asked for it, and from nobody else") {
  auto x = make(a);
  const snapshot_chunk image{slot{5000}, paxtor::index{5000},       three(), 0,
                             5,          blob{std::string{"image"}}};
  const auto before = x.dropped();
  x.step(start, voter_id{77}, image);
  x.step(start, c, image);
  CHECK(!x.take_output().install);
  CHECK(x.dropped() == before + 2);
  let_it_ask(x, c);
  x.step(start, voter_id{77}, image);
  CHECK(!x.take_output().install);
  x.step(start, c, image);
  CHECK(x.take_output().install);
}

TEST_CASE("a snapshot that is installed makes void what is being made") {
  limits bounds;
  bounds.snapshot_entries = 10;
  auto x = make(a, bounds);
  teach(x, 10);
  const auto task = x.take_output().want_snapshot;
  REQUIRE(task);
  let_it_ask(x, c);
  x.step(
    start, c,
    snapshot_chunk{slot{5000}, paxtor::index{5000}, three(), 0, 5, blob{std::string{"image"}}});
  auto out = x.take_output();
  REQUIRE(out.install);
  REQUIRE(out.writes.size() == 1);
  x.snapshot_made(task->upto, blob{"late"});
  CHECK(x.take_output().writes.empty());
  // While the installed one is being written the log behind it grows, and no other is begun.
  teach(x, 12);
  CHECK_FALSE(x.take_output().want_snapshot);
  x.persisted(out.writes[0].id);
  out = x.take_output();
  REQUIRE(out.want_snapshot);
  CHECK(out.want_snapshot->base->upto == slot{5000});
  CHECK(out.want_snapshot->since.size() == 12);
}

TEST_CASE("a learner far behind takes a snapshot in chunks, over loss and repetition") {
  limits bounds;
  bounds.snapshot_entries = 10;
  bounds.slots_kept = 0;
  bounds.chunk_bytes = 4;
  auto x = make(a, bounds);
  auto y = make(c, bounds);
  teach(x, 10);
  (void)x.take_output();
  x.snapshot_made(slot{10}, blob{"a long image"});
  x.persisted(x.take_output().writes.at(0).id);
  teach(x, 2);
  (void)x.take_output();
  y.step(start, c, observed{at(1, a), slot{12}});
  auto now = start;
  int lost = 0;
  std::optional<write_snapshot> installed;
  strings entries;
  for (int i = 0; i < 60 && y.decided_upto() < slot{12}; ++i) {
    now += milliseconds{25};
    y.tick(now);
    auto asked = y.take_output();
    if (asked.install)
      installed = asked.install;
    for (const auto& what : asked.decided)
      entries.push_back(what.what.data);
    for (const auto& what : asked.send) {
      if (what.to.at(0) == a)
        x.step(now, c, what.what);
    }
    for (const auto& what : x.take_output().send) {
      if (lost++ % 3 == 1)
        continue;
      y.step(now, a, what.what);
      y.step(now, a, what.what);
    }
  }
  const auto out = y.take_output();
  for (const auto& what : out.decided)
    entries.push_back(what.what.data);
  if (out.install)
    installed = out.install;
  REQUIRE(installed);
  CHECK(installed->image == blob{"a long image"});
  CHECK(installed->upto == slot{10});
  CHECK(y.decided_upto() == slot{12});
  CHECK(y.last_index() == paxtor::index{12});
  CHECK(entries.size() == 2);
}

TEST_CASE("a recovered snapshot is installed first, and what was accepted can be concluded") {
  recovered store = blank(b);
  store.snapshot = write_snapshot{slot{5}, paxtor::index{50}, three(), blob{"image"}};
  store.accepted[slot{6}] = {at(3, a), value("x")};
  learner x{b, store, {}, {}, {}, start};
  const auto first = x.take_output();
  REQUIRE(first.install);
  CHECK(x.voters() == three());
  x.step(start, b, observed{at(3, a), slot{6}});
  const auto out = x.take_output();
  REQUIRE(out.decided.size() == 1);
  CHECK(out.decided[0].at == paxtor::index{51});
}

TEST_CASE("the voters of a slot follow from the log before it") {
  auto x = make(a);
  const configuration next{{{a, "a"}, {d, "d"}, {c, "c"}}};
  x.step(start, a, proposed{at(1, a), slot{1}, change(next)});
  x.step(start, a, accepted{at(1, a), slot{1}});
  x.step(start, d, accepted{at(1, a), slot{1}});
  CHECK(decided(x).empty());
  x.step(start, b, accepted{at(1, a), slot{1}});
  CHECK(decided(x).size() == 1);
  CHECK(x.voters() == next);
  x.step(start, a, proposed{at(1, a), slot{2}, value("x")});
  x.step(start, b, accepted{at(1, a), slot{2}});
  x.step(start, a, accepted{at(1, a), slot{2}});
  CHECK(decided(x).empty());
  x.step(start, d, accepted{at(1, a), slot{2}});
  CHECK(decided(x) == strings{"x"});
}

TEST_CASE("absurd, foreign and local messages from peers are dropped") {
  auto x = make(a);
  const std::uint64_t huge = ~std::uint64_t{0};
  x.step(start, b, accepted{at(1, a), slot{huge}});
  x.step(start, b, accepted{at(1, b), slot{1}});
  x.step(start, b, observed{at(1, b), slot{1}});
  x.step(start, b, proposed{at(1, b), slot{1}, value("x")});
  x.step(start, b, accepted_here{at(1, b), slot{1}, value("x")});
  x.step(start, b, learned_values{slot{huge}, {value("x")}, slot{}});
  x.step(start, b, learn{slot{0}});
  x.step(start, b, snapshot_chunk{slot{9}, paxtor::index{9}, three(), 5, 4, blob{"x"}});
  x.step(start, b, snapshot_chunk{slot{9}, paxtor::index{9}, {}, 0, 1, blob{"x"}});
  x.step(start, b, snapshot_chunk{slot{9}, paxtor::index{9}, three(), 0, huge, blob{"x"}});
  x.step(start, b, paxos::truncate{slot{1}});
  CHECK(x.dropped() == 11);
  CHECK(x.decided_upto() == slot{});
  // A decided value that is no batch is empty, not the end of the process.
  x.step(start, b, learned_values{slot{1}, {blob{"\xc1garbage"}, value("x")}, slot{}});
  CHECK(decided(x) == strings{"x"});
  CHECK(x.last_index() == paxtor::index{1});
}
