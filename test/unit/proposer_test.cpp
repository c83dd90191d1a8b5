#include <doctest/doctest.h>

#include "libpaxtor/paxos/bounds.hpp"
#include "libpaxtor/paxos/proposer.hpp"
#include "test/unit/paxos_help.hpp"

using namespace paxtor;
using namespace paxtor::paxos;
using namespace paxtor::paxos::test;

namespace {

struct fixture {
  timing times;
  time_point now = start;
  proposer x;
  std::vector<outgoing> last;
  std::vector<proposer_output::confirmed> confirmed;
  std::optional<leadership> changed;

  explicit fixture(limits bounds = {}, slot decided = {})
      : x{a, three(), decided, ballot{}, {}, bounds, generator{1}, start} {}

  void take() {
    auto out = x.take_output();
    last = std::move(out.send);
    confirmed = std::move(out.confirmations);
    changed = out.changed;
  }

  /// Ticks until a message of this kind is sent to `to`; at most two seconds.
  template <class T>
  std::vector<T> wait_for(voter_id to) {
    for (int i = 0; i < 80; ++i) {
      now += times.tick;
      x.tick(now);
      take();
      if (auto found = sent<T>(last, to); !found.empty())
        return found;
    }
    return {};
  }

  prepare ask() {
    auto asked = wait_for<prevote_request>(b);
    REQUIRE(asked.size() == 1);
    x.step(now, b, prevote_reply{asked[0].next, true, {}});
    take();
    auto prepares = sent<prepare>(last, a);
    REQUIRE(prepares.size() == 1);
    return prepares[0];
  }

  promise answer(const prepare& asked, std::map<slot, accepted_value> held = {}) {
    return {asked.at, 0, 1, std::move(held), {}, asked.from};
  }

  /// Wins the election; nothing recovered. The reign's entry is proposed in the first slot.
  ballot lead() {
    const auto asked = ask();
    x.step(now, a, answer(asked));
    x.step(now, b, answer(asked));
    take();
    REQUIRE(x.state().leading);
    return asked.at;
  }

  void reply(ballot at, std::uint64_t round) {
    x.step(now, a, heartbeat_reply{at, round});
    x.step(now, b, heartbeat_reply{at, round});
  }

  void advance(std::uint64_t upto, configuration voters = three()) {
    x.step(now, a, advanced{slot{upto}, std::move(voters), slot{}});
  }
};

std::vector<entry> entries(const batch& from) {
  std::vector<entry> result;
  REQUIRE(entries_of(from, result));
  return result;
}

} // namespace

TEST_CASE("a ballot is above every reign in the log, though nobody asked for a promise (L6, S3)") {
  fixture f;
  f.x.reign_in_force(f.now, ballot{41, voter_id{9}});
  CHECK(f.lead() > ballot{41, voter_id{9}});
}

TEST_CASE("a leader that hears of a reign above its own in the log comes back above it") {
  fixture f;
  const auto at = f.lead();
  f.x.reign_in_force(f.now, at);
  CHECK(f.x.state().leading);
  f.x.reign_in_force(f.now, ballot{at.round + 7, voter_id{9}});
  CHECK_FALSE(f.x.state().leading);
  CHECK(f.lead() > ballot{at.round + 7, voter_id{9}});
}

TEST_CASE("a reign begins with its own entry and tells that it leads") {
  fixture f;
  CHECK_FALSE(f.x.propose(entry{entry_kind::command, "x"}));
  const auto at = f.lead();
  REQUIRE(f.changed);
  CHECK(*f.changed == leadership{true, at, a});
  const auto sent_accepts = sent<paxos::accept>(f.last, b);
  REQUIRE(sent_accepts.size() == 1);
  CHECK(sent_accepts[0].where == slot{1});
  const auto first = entries(sent_accepts[0].value);
  REQUIRE(first.size() == 1);
  CHECK(first[0].kind == entry_kind::reign);
  CHECK(first[0].data == encode(at));
  CHECK(sent<proposed>(f.last, a).size() == 1);
  CHECK(sent<heartbeat>(f.last, c).size() == 1);
}

TEST_CASE("phase 1 takes the value of the highest ballot and fills gaps") {
  fixture g;
  auto prep = g.wait_for<prevote_request>(b);
  g.x.step(g.now, b, prevote_reply{prep[0].next, true, at(9, c)});
  // A higher ballot is known: the next try jumps above it.
  prep = g.wait_for<prevote_request>(b);
  CHECK(prep[0].next == at(10, a));
  g.x.step(g.now, b, prevote_reply{prep[0].next, true, {}});
  g.take();
  const auto p = sent<prepare>(g.last, b).at(0);
  const accepted_value low{at(2, b), value("low")};
  const accepted_value third{at(2, b), value("z")};
  g.x.step(g.now, a, g.answer(p, {{slot{1}, low}, {slot{3}, third}}));
  CHECK_FALSE(g.x.state().leading);
  g.x.step(g.now, c, g.answer(p, {{slot{1}, {at(5, c), value("high")}}}));
  g.take();
  REQUIRE(g.x.state().leading);
  const auto all = sent<paxos::accept>(g.last, b);
  REQUIRE(all.size() == 4);
  CHECK(entries(all[0].value)[0].data == "high");
  CHECK(entries(all[1].value)[0].kind == entry_kind::noop);
  CHECK(entries(all[2].value)[0].data == "z");
  CHECK(entries(all[3].value)[0].kind == entry_kind::reign);
  CHECK(all[3].where == slot{4});
}

TEST_CASE("a majority of distinct promises is needed, the own one among them") {
  fixture f;
  const auto asked = f.ask();
  f.x.step(f.now, b, f.answer(asked));
  f.x.step(f.now, b, f.answer(asked));
  f.x.step(f.now, c, f.answer(asked));
  CHECK_FALSE(f.x.state().leading);
  // The answer to another question does not count.
  auto other = f.answer(asked);
  other.from = slot{2};
  f.x.step(f.now, a, other);
  CHECK_FALSE(f.x.state().leading);
  f.x.step(f.now, a, f.answer(asked));
  CHECK(f.x.state().leading);
}

TEST_CASE("a promise in parts counts when it is whole, and parts of two answers do not mix") {
  fixture f;
  const auto asked = f.ask();
  f.x.step(f.now, a, f.answer(asked));
  auto part = f.answer(asked);
  part.parts = 2;
  f.x.step(f.now, b, part);
  part.part = 1;
  part.truncated_upto = slot{1};
  f.x.step(f.now, b, part);
  CHECK_FALSE(f.x.state().leading);
  part.part = 0;
  f.x.step(f.now, b, part);
  CHECK_FALSE(f.x.state().leading);
  // What b has truncated is learned before it leads.
  f.take();
  CHECK(sent<observed>(f.last, a).at(0).decided_upto == slot{1});
  f.advance(1);
  CHECK(f.x.state().leading);
  f.take();
  CHECK(sent<paxos::accept>(f.last, b).at(0).where == slot{2});
}

TEST_CASE("phase 1 needs a majority of every configuration that the recovered log passes through") {
  fixture g;
  const configuration next{{{a, "a"}, {d, "d"}, {voter_id{5}, "e"}}};
  auto first = g.wait_for<prevote_request>(b);
  g.x.step(g.now, b, prevote_reply{first[0].next, false, at(4, b)});
  first = g.wait_for<prevote_request>(b);
  g.x.step(g.now, b, prevote_reply{first[0].next, true, {}});
  g.take();
  const auto p = sent<prepare>(g.last, a).at(0);
  g.x.step(g.now, a, g.answer(p));
  g.x.step(g.now, b, g.answer(p, {{slot{1}, {at(4, b), change(next)}}}));
  CHECK_FALSE(g.x.state().leading);
  g.take();
  CHECK(sent<prepare>(g.last, d).size() == 1);
  g.x.step(g.now, d, g.answer(p));
  REQUIRE(g.x.state().leading);
  // I7: the configure alone, until it is decided.
  g.take();
  CHECK(sent<paxos::accept>(g.last, b).size() == 1);
  CHECK(sent<paxos::accept>(g.last, d).empty());
  g.advance(1, next);
  g.take();
  CHECK(sent<paxos::accept>(g.last, d).size() == 1);
  CHECK(sent<paxos::accept>(g.last, b).empty());
}

TEST_CASE("what waits shares a batch, slots in flight are bounded") {
  limits bounds;
  bounds.slots_in_flight = 2;
  bounds.entries_waiting = 5;
  fixture f{bounds};
  (void)f.lead();
  for (int i = 0; i < 3; ++i)
    REQUIRE(f.x.propose(entry{entry_kind::command, std::to_string(i)}));
  f.take();
  auto all = sent<paxos::accept>(f.last, c);
  REQUIRE(all.size() == 1);
  CHECK(entries(all[0].value).size() == 3);
  for (int i = 0; i < 5; ++i)
    REQUIRE(f.x.propose(entry{entry_kind::command, std::to_string(i)}));
  CHECK_FALSE(f.x.propose(entry{entry_kind::command, "one too many"}));
  f.take();
  CHECK(sent<paxos::accept>(f.last, c).empty());
  f.advance(1);
  f.take();
  all = sent<paxos::accept>(f.last, c);
  REQUIRE(all.size() == 1);
  CHECK(all[0].where == slot{3});
  CHECK(all[0].decided_upto == slot{1});
  CHECK(entries(all[0].value).size() == 5);
}

TEST_CASE("a configure ends its batch, and nothing is proposed beyond it") {
  fixture f;
  f.reply(f.lead(), 1);
  f.advance(1);
  CHECK_FALSE(f.x.propose(entry{entry_kind::configure, "garbage"}));
  CHECK_FALSE(f.x.propose(entry{entry_kind::configure, encode(configuration{})}));
  REQUIRE(f.x.propose(entry{entry_kind::command, "before"}));
  const configuration next{{{a, "a"}, {b, "b"}, {d, "d"}}};
  REQUIRE(f.x.propose(entry{entry_kind::configure, encode(next)}));
  REQUIRE(f.x.propose(entry{entry_kind::command, "after"}));
  f.take();
  auto all = sent<paxos::accept>(f.last, c);
  REQUIRE(all.size() == 1);
  CHECK(entries(all[0].value).size() == 2);
  // A confirmation needs a majority of both meanwhile.
  f.x.confirm(f.now, 1);
  f.take();
  const auto beat = sent<heartbeat>(f.last, d);
  REQUIRE(beat.size() == 1);
  f.x.step(f.now, a, heartbeat_reply{beat[0].at, beat[0].round});
  f.x.step(f.now, c, heartbeat_reply{beat[0].at, beat[0].round});
  f.take();
  CHECK(f.confirmed.empty());
  f.x.step(f.now, d, heartbeat_reply{beat[0].at, beat[0].round});
  f.take();
  CHECK(f.confirmed.size() == 1);
  f.advance(2, next);
  f.take();
  all = sent<paxos::accept>(f.last, d);
  REQUIRE(all.size() == 1);
  CHECK(entries(all[0].value)[0].data == "after");
  CHECK(sent<paxos::accept>(f.last, c).empty());
}

TEST_CASE("a round that was in flight before the call confirms nothing") {
  fixture f;
  const auto at = f.lead();
  const auto first = sent<heartbeat>(f.last, b).at(0).round;
  f.x.confirm(f.now, 1);
  f.x.confirm(f.now, 2);
  f.take();
  // At most one round is in flight.
  CHECK(sent<heartbeat>(f.last, b).empty());
  f.reply(at, first);
  f.take();
  CHECK(f.confirmed.empty());
  // Now the round that both share starts at once.
  const auto second = sent<heartbeat>(f.last, b);
  REQUIRE(second.size() == 1);
  f.x.step(f.now, b, heartbeat_reply{at, second[0].round});
  f.x.step(f.now, b, heartbeat_reply{at, second[0].round});
  f.take();
  CHECK(f.confirmed.empty());
  f.x.step(f.now, c, heartbeat_reply{at, second[0].round});
  f.take();
  REQUIRE(f.confirmed.size() == 2);
  CHECK(f.confirmed[0].id == 1);
  CHECK(f.confirmed[1].id == 2);
  // The reign's entry is part of what a read must see, though it is not decided yet.
  CHECK(f.confirmed[0].upto == slot{1});
  // No round in flight: the next starts at once.
  f.x.confirm(f.now, 3);
  f.take();
  CHECK(sent<heartbeat>(f.last, b).size() == 1);
}

TEST_CASE("a confirmed read covers all that was proposed before it") {
  fixture f;
  const auto at = f.lead();
  f.reply(at, 1);
  REQUIRE(f.x.propose(entry{entry_kind::command, "x"}));
  f.take();
  f.x.confirm(f.now, 1);
  f.take();
  f.reply(at, sent<heartbeat>(f.last, b).at(0).round);
  f.take();
  REQUIRE(f.confirmed.size() == 1);
  CHECK(f.confirmed[0].upto == slot{2});
}

TEST_CASE("a leader without a majority steps down within an election timeout") {
  fixture f;
  const auto at = f.lead();
  const auto began = f.now;
  f.x.confirm(f.now, 1);
  while (f.x.state().leading && f.now < began + std::chrono::seconds{2}) {
    f.now += f.times.tick;
    f.x.tick(f.now);
    // Its own confirmation is no majority.
    f.x.step(f.now, a, heartbeat_reply{at, 1});
  }
  CHECK(f.now - began <= f.times.election_max + f.times.tick);
  f.take();
  REQUIRE(f.changed);
  CHECK_FALSE(f.changed->leading);
  CHECK(f.confirmed.empty());
  CHECK_FALSE(f.x.propose(entry{entry_kind::command, "x"}));
}

TEST_CASE("a higher promise or a later leader ends the reign") {
  fixture f;
  auto reign = f.lead();
  f.x.step(f.now, c, rejected{reign, at(7, c)});
  CHECK_FALSE(f.x.state().leading);
  // The next try is above it.
  CHECK(f.wait_for<prevote_request>(b).at(0).next == at(8, a));
  fixture g;
  reign = g.lead();
  g.x.step(g.now, a, observed{at(7, c), slot{}});
  CHECK(g.x.state() == leadership{false, at(7, c), c});
  // An older leader is not followed.
  g.x.step(g.now, a, observed{at(6, b), slot{}});
  CHECK(g.x.state().leader == c);
}

TEST_CASE("a decision in the own reign that another tells ends the reign") {
  fixture f;
  (void)f.lead();
  f.x.step(f.now, a, advanced{slot{1}, three(), slot{1}});
  CHECK_FALSE(f.x.state().leading);
}

TEST_CASE("a pre-vote is refused while a leader is heard, and granted when it is silent") {
  fixture f;
  f.now += milliseconds{10};
  auto granted = [&](voter_id from, ballot next) {
    f.x.step(f.now, from, prevote_request{next, slot{}});
    f.take();
    const auto told = sent<prevote_reply>(f.last, from);
    REQUIRE(told.size() == 1);
    return told[0].granted;
  };
  // Just started: somebody may lead.
  CHECK_FALSE(granted(c, at(1, c)));
  f.x.step(f.now, a, observed{at(3, b), slot{}});
  f.now += milliseconds{240};
  CHECK_FALSE(granted(c, at(4, c)));
  // The leader itself may ask again.
  CHECK(granted(b, at(4, b)));
  f.now += milliseconds{10};
  CHECK(granted(c, at(4, c)));
  CHECK_FALSE(granted(c, at(2, c)));
  // Nobody outside of the configuration is helped.
  CHECK_FALSE(granted(d, at(9, d)));
}

TEST_CASE("a leader with a majority helps nobody") {
  fixture f;
  const auto reign = f.lead();
  f.x.step(f.now, c, prevote_request{at(reign.round + 1, c), slot{}});
  f.take();
  CHECK_FALSE(sent<prevote_reply>(f.last, c).at(0).granted);
}

TEST_CASE("unanswered prepares and accepts are sent again, accepts ever less often") {
  fixture f;
  const auto asked = f.ask();
  f.x.step(f.now, a, f.answer(asked));
  const auto again = f.wait_for<prepare>(b);
  CHECK(again.at(0).at == asked.at);
  CHECK(sent<prepare>(f.last, a).empty());
  f.x.step(f.now, b, f.answer(asked));
  f.take();
  REQUIRE(f.x.state().leading);
  int copies = 0;
  for (int i = 0; i < 40; ++i) {
    f.now += f.times.tick;
    f.x.tick(f.now);
    f.take();
    copies += static_cast<int>(sent<paxos::accept>(f.last, b).size());
    for (const auto& beat : sent<heartbeat>(f.last, b))
      f.reply(beat.at, beat.round);
  }
  CHECK(copies >= 2);
  CHECK(copies <= 4);
  f.advance(1);
  f.take();
  f.now += std::chrono::milliseconds{500};
  f.x.tick(f.now);
  f.take();
  CHECK(sent<paxos::accept>(f.last, b).empty());
}

TEST_CASE("a new decision is announced within a tick, and idle leaders only beat") {
  fixture f;
  const auto at = f.lead();
  f.reply(at, 1);
  f.advance(1);
  f.now += f.times.tick;
  f.x.tick(f.now);
  f.take();
  REQUIRE(sent<heartbeat>(f.last, b).size() == 1);
  CHECK(sent<heartbeat>(f.last, b)[0].decided_upto == slot{1});
  f.now += f.times.tick;
  f.x.tick(f.now);
  f.take();
  CHECK(sent<heartbeat>(f.last, b).empty());
}

TEST_CASE("who is no voter does not campaign") {
  proposer x{d, three(), slot{}, ballot{}, {}, {}, generator{1}, start};
  for (int i = 0; i < 100; ++i)
    x.tick(start + i * milliseconds{25});
  CHECK(x.take_output().send.empty());
}

TEST_CASE("a leader that is voted out stands down when that is decided") {
  fixture f;
  (void)f.lead();
  f.advance(1, {{{b, "b"}, {c, "c"}}});
  CHECK_FALSE(f.x.state().leading);
  CHECK(f.wait_for<prevote_request>(b).empty());
}

TEST_CASE("malformed messages to a proposer are dropped") {
  fixture f;
  const auto asked = f.ask();
  const std::uint64_t huge = ~std::uint64_t{0};
  auto bad = f.answer(asked, {{slot{huge}, {ballot{}, value("x")}}});
  f.x.step(f.now, b, bad);
  bad = f.answer(asked, {{slot{1}, {asked.at, value("x")}}});
  f.x.step(f.now, b, bad);
  bad = f.answer(asked);
  bad.parts = 0;
  f.x.step(f.now, b, bad);
  f.x.step(f.now, b, rejected{asked.at, at(huge, c)});
  f.x.step(f.now, b, prevote_request{at(huge, b), slot{}});
  f.x.step(f.now, b, prevote_request{at(3, c), slot{}});
  f.x.step(f.now, b, observed{at(9, b), slot{}});
  f.x.step(f.now, b, advanced{slot{4}, three(), slot{}});
  CHECK(f.x.dropped() == 8);
  CHECK(f.x.decided_upto() == slot{});
}
