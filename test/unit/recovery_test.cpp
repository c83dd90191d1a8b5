// What a new leader need not propose again: promises show that it is decided.

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libpaxtor/paxos/bounds.hpp"
#include "libpaxtor/paxos/learner.hpp"
#include "libpaxtor/paxos/phase_one.hpp"
#include "libpaxtor/paxos/pipeline.hpp"
#include "test/unit/paxos_help.hpp"
#include "test/unit/paxos_net.hpp"

namespace paxtor::paxos::test {

namespace {

using held = std::map<slot, accepted_value>;

constexpr voter_id e{5};

/// Which of the slots are found decided when these voters have told what they hold.
std::vector<std::uint64_t> known(const std::vector<std::pair<voter_id, held>>& told,
                                 const configuration& voters = three(), slot decided_upto = {}) {
  phase_one x{a, at(9, a), slot{1}};
  for (const auto& [from, what] : told)
    REQUIRE(x.add(from, promise{at(9, a), 0, 1, what, {}, slot{1}}));
  REQUIRE(x.complete(decided_upto, voters));
  std::vector<std::uint64_t> result;
  for (const auto& [where, found] : x.take_values(decided_upto, voters)) {
    if (found.decided)
      result.push_back(where.value);
  }
  return result;
}

using slots = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("what a majority holds in one ballot is decided, and nothing else (L2)") {
  const accepted_value x{at(2, b), value("x")};
  const accepted_value older{at(1, c), value("x")};
  const accepted_value other{at(2, b), value("y")};
  CHECK(known({{a, {{slot{1}, x}}}, {b, {{slot{1}, x}}}}) == slots{1});
  // The same value, in two ballots: the higher one may still be overtaken.
  CHECK(known({{a, {{slot{1}, x}}}, {b, {{slot{1}, older}}}}).empty());
  CHECK(known({{a, {{slot{1}, older}}}, {b, {{slot{1}, x}}}}).empty());
  // Held by one of the two.
  CHECK(known({{a, {{slot{1}, x}}}, {b, {}}}).empty());
  // Two of three in an older ballot decide, too; but only the highest is looked at.
  CHECK(known({{a, {{slot{1}, older}}}, {b, {{slot{1}, older}}}, {c, {{slot{1}, x}}}}).empty());
  CHECK(known({{a, {{slot{1}, older}}}, {c, {{slot{1}, x}}}, {b, {{slot{1}, x}}}}) == slots{1});
  // One ballot has one value: who says otherwise is not counted.
  CHECK(known({{a, {{slot{1}, x}}}, {b, {{slot{1}, other}}}}).empty());
  // Not asked any more: it is decided and handed out here.
  CHECK(
    known({{a, {{slot{1}, x}, {slot{2}, x}}}, {b, {{slot{1}, x}, {slot{2}, x}}}}, three(), slot{1})
    == slots{2});
}

TEST_CASE("only the voters of the slot count for what is decided (L6)") {
  const accepted_value x{at(2, b), value("x")};
  const held both{{slot{1}, x}, {slot{2}, x}};
  // d is no voter; what it holds counts for nothing.
  CHECK(known({{a, both}, {d, both}, {b, {}}}).empty());
  CHECK(known({{a, both}, {d, both}, {b, both}}) == slots{1, 2});
  const configuration five{{{a, "a"}, {b, "b"}, {c, "c"}, {d, "d"}, {e, "e"}}};
  CHECK(known({{a, both}, {b, both}, {c, {}}}, five).empty());
  CHECK(known({{a, both}, {b, both}, {c, both}}, five) == slots{1, 2});
  // Behind a change other voters decide: here one of them alone holds it.
  const configuration next{{{a, "a"}, {d, "d"}, {e, "e"}}};
  const accepted_value changed{at(2, b), change(next)};
  const held beyond{{slot{1}, x}, {slot{2}, changed}, {slot{3}, x}};
  CHECK(known({{a, beyond}, {b, beyond}, {d, {}}}) == slots{1, 2});
}

TEST_CASE("long runs of decided slots are passed over, short ones proposed (L6)") {
  limits bounds;
  bounds.slots_in_flight = 2;
  bounds.slots_recovering = 10;
  bounds.slots_known_decided = 15;
  std::map<slot, recovered_value> recovered;
  for (std::uint64_t i = 1; i <= 50; ++i)
    recovered[slot{i}] = {at(1, b), value(std::to_string(i)), {}, i != 21 && i != 30, 0};
  pipeline x{at(2, a), bounds, slot{}, recovered};
  // 1 to 20 are a run: handed to the learner, as many at a time as are proposed.
  CHECK(x.cut(start).empty());
  auto passed = x.take_already_decided().values;
  REQUIRE(passed.size() == 10);
  CHECK(passed.begin()->first == slot{1});
  CHECK(passed.begin()->second == value("1"));
  CHECK(x.cut(start).empty());
  CHECK(x.take_already_decided().values.empty());
  x.decided(start, slot{4});
  CHECK(x.cut(start).empty());
  CHECK(x.take_already_decided().values.size() == 4);
  x.decided(start, slot{14});
  // The rest of the run, and behind it 21 to 30, where the decided ones are few.
  auto proposed = x.cut(start);
  CHECK(x.take_already_decided().values.size() == 6);
  REQUIRE(proposed.size() == 4);
  CHECK(proposed.front().where == slot{21});
  x.decided(start, slot{20});
  proposed = x.cut(start);
  REQUIRE(proposed.size() == 6);
  CHECK(proposed.back().where == slot{30});
  // 31 to 50 are a run again. Whose votes count there is known when all before it is decided.
  CHECK(x.cut(start).empty());
  x.decided(start, slot{29});
  CHECK(x.cut(start).empty());
  CHECK(x.take_already_decided().values.empty());
  // What is proposed is sent again, what is passed over never.
  CHECK(x.overdue(start + milliseconds{100}, milliseconds{100}, milliseconds{100}).size() == 1);
  x.decided(start, slot{30});
  CHECK(x.cut(start).empty());
  passed = x.take_already_decided().values;
  REQUIRE(passed.size() == 10);
  CHECK(passed.begin()->first == slot{31});
  CHECK(x.overdue(start + milliseconds{200}, milliseconds{100}, milliseconds{100}).empty());
  CHECK_FALSE(x.idle());
  x.decided(start, slot{40});
  // And behind the last the reign's own entry.
  CHECK(x.cut(start).empty());
  CHECK(x.take_already_decided().values.size() == 10);
  x.decided(start, slot{50});
  proposed = x.cut(start);
  REQUIRE(proposed.size() == 1);
  CHECK(proposed.front().where == slot{51});
  CHECK(x.reign_slot() == slot{51});
  x.decided(start, slot{51});
  CHECK(x.idle());
}

TEST_CASE("nothing is proposed beyond a configure that is decided and not yet handed out (I7)") {
  limits bounds;
  bounds.slots_known_decided = 1;
  const configuration next{{{a, "a"}, {d, "d"}, {e, "e"}}};
  pipeline x{at(2, a),
             bounds,
             slot{},
             {{slot{1}, {at(1, b), change(next), next, true, 0}},
              {slot{2}, {at(1, b), value("x"), {}, false, 0}}}};
  CHECK(x.cut(start).empty());
  CHECK(x.take_already_decided().values.size() == 1);
  CHECK(x.changing() == next);
  CHECK(x.cut(start).empty());
  x.decided(start, slot{1});
  CHECK_FALSE(x.changing());
  CHECK(x.cut(start).size() == 2);
}

TEST_CASE("a learner hands out what its own proposer found decided, as counted by itself") {
  learner x{a, blank(a), three(), timing{}, limits{}, start};
  x.step(start, a, already_decided{{{slot{1}, value("x")}, {slot{2}, value("y")}}});
  const auto out = x.take_output();
  REQUIRE(out.decided.size() == 2);
  CHECK(out.decided[1].what.data == "y");
  const auto news = sent<advanced>(out.send, a);
  REQUIRE(news.size() == 1);
  CHECK(news[0].upto == slot{2});
  // A leader that is *told* of a decision in its reign stands down.
  CHECK(news[0].told_upto == slot{});
  x.step(start, b, already_decided{{{slot{3}, value("z")}}});
  CHECK(x.dropped() == 1);
  CHECK(x.take_output().decided.empty());
}

TEST_CASE("after all voters were killed a long log is not written again") {
  constexpr int entries = 40;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    limits bounds;
    bounds.slots_known_decided = 8;
    network<replica> x{seed, 3, bounds};
    for (int i = 0; i < entries; ++i)
      commit(x, std::to_string(i));
    for (std::size_t i = 0; i < x.size(); ++i) {
      x.crash(i);
      x.at(i).log.clear();
    }
    for (std::size_t i = 0; i < x.size(); ++i)
      x.start(i);
    for (int i = 0; i < entries; ++i)
      REQUIRE(x.run_until([&] { return x.all_have(std::to_string(i)); }));
    commit(x, "new");
    const auto reign = x.at(*x.leader()).voter->state().at;
    for (std::size_t i = 0; i < x.size(); ++i) {
      std::size_t old = 0;
      for (const auto& [where, kept] : x.at(i).store.accepted)
        old += kept.at < reign ? 1 : 0;
      CHECK(old >= entries);
    }
  }
}

TEST_CASE("a promise in many parts is asked for as it comes, and again where one got lost") {
  phase_one x{a, at(9, a), slot{1}};
  const auto part = [&](std::uint32_t number, std::uint32_t parts, std::uint64_t truncated = 0) {
    const slot where{truncated + number + 1};
    return promise{at(9, a),        number, parts, {{where, {at(1, b), value("x")}}},
                   slot{truncated}, slot{1}};
  };
  CHECK(x.next_part(b) == 0);
  for (std::uint32_t i = 0; i < promise_parts_at_once; ++i) {
    CHECK_FALSE(x.ask_on(b));
    CHECK(x.add(b, part(i, 10)));
  }
  CHECK(x.ask_on(b) == promise_parts_at_once);
  // Once.
  CHECK_FALSE(x.ask_on(b));
  // One of the next got lost: what is asked for again begins with it.
  CHECK(x.add(b, part(5, 10)));
  CHECK(x.add(b, part(6, 10)));
  CHECK(x.add(b, part(7, 10)));
  CHECK_FALSE(x.ask_on(b));
  CHECK(x.next_part(b) == 4);
  CHECK(x.add(b, part(4, 10)));
  CHECK(x.ask_on(b) == 8);
  // Its log was cut in between: all anew, of fewer parts. What came is not mixed with it.
  CHECK(x.add(b, part(0, 2, 8)));
  CHECK(x.next_part(b) == 1);
  CHECK_FALSE(x.promised(b));
  CHECK(x.add(b, part(1, 2, 8)));
  CHECK(x.promised(b));
  CHECK_FALSE(x.ask_on(b));
  CHECK(x.truncated_upto() == slot{8});
}

TEST_CASE("a log that takes longer to tell than an election timeout is recovered") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    network<replica> x{seed, 3};
    // No two are of one length, so that they are soon told apart.
    for (std::size_t i = 0; i < 300; ++i)
      commit(x, std::string(20'000 + i, 'v'));
    for (std::size_t i = 0; i < x.size(); ++i)
      x.crash(i);
    for (std::size_t i = 0; i < x.size(); ++i)
      x.start(i);
    // 6 MB need 1.5 s.
    x.sky().bytes_per_ms = 4000;
    const auto from = x.now();
    REQUIRE(x.run_until([&] { return x.leader().has_value(); }, std::chrono::seconds{4}));
    // Nobody tried twice: who is told a log is not disturbed.
    CHECK(x.at(*x.leader()).voter->state().at.round <= 4);
    commit(x, "new");
    CHECK(x.now() - from < std::chrono::seconds{6});
  }
}

} // namespace paxtor::paxos::test
