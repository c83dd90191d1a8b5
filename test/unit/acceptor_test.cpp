#include <doctest/doctest.h>

#include <map>

#include "libpaxtor/paxos/acceptor.hpp"
#include "libpaxtor/paxos/bounds.hpp"
#include "test/unit/paxos_help.hpp"

using namespace paxtor;
using namespace paxtor::paxos;
using namespace paxtor::paxos::test;

namespace {

/// Everything the acceptor says, with each write made durable at once.
std::vector<outgoing> settle(acceptor& x) {
  auto out = x.take_output();
  for (const auto& what : out.writes)
    x.persisted(what.id);
  auto more = x.take_output();
  out.send.insert(out.send.end(), more.send.begin(), more.send.end());
  return out.send;
}

} // namespace

TEST_CASE("a promise leaves only when it is durable") {
  acceptor x{blank(a)};
  x.step(b, prepare{at(1, b), slot{1}});
  auto out = x.take_output();
  CHECK(out.send.empty());
  REQUIRE(out.writes.size() == 1);
  CHECK(std::get<write_promise>(out.writes[0].ops.at(0)).promised == at(1, b));
  x.persisted(out.writes[0].id);
  CHECK(sent<promise>(x.take_output().send, b).size() == 1);
  // Asked again: answered at once.
  x.step(b, prepare{at(1, b), slot{1}});
  out = x.take_output();
  CHECK(out.writes.empty());
  CHECK(sent<promise>(out.send, b).size() == 1);
}

TEST_CASE("an acceptance is counted only when it is durable, and one turn is one write") {
  acceptor x{blank(a)};
  x.step(b, paxos::accept{at(1, b), slot{1}, value("x"), slot{}});
  x.step(b, paxos::accept{at(1, b), slot{2}, value("y"), slot{}});
  auto out = x.take_output();
  REQUIRE(out.writes.size() == 1);
  CHECK(out.writes[0].ops.size() == 3);
  CHECK(sent<accepted>(out.send, b).empty());
  CHECK(sent<accepted_here>(out.send, a).size() == 2);
  x.step(b, heartbeat{at(1, b), 1, slot{}});
  CHECK(sent<heartbeat_reply>(x.take_output().send, b).empty());
  x.persisted(out.writes[0].id);
  out = x.take_output();
  CHECK(sent<accepted>(out.send, b).size() == 2);
  CHECK(sent<heartbeat_reply>(out.send, b).size() == 1);
}

#ifndef PAXTOR_CANARY_ACCEPTOR_FORGETS_PROMISE
TEST_CASE("nothing below the promise is promised, accepted or confirmed") {
  acceptor x{blank(a)};
  x.step(c, prepare{at(5, c), slot{1}});
  (void)settle(x);
  x.step(b, prepare{at(4, b), slot{1}});
  x.step(b, paxos::accept{at(4, b), slot{1}, value("x"), slot{}});
  x.step(b, heartbeat{at(4, b), 1, slot{}});
  const auto out = settle(x);
  const auto no = sent<rejected>(out, b);
  REQUIRE(no.size() == 3);
  CHECK(no[0].promised == at(5, c));
  CHECK(sent<accepted>(out, b).empty());
  CHECK(sent<heartbeat_reply>(out, b).empty());
  CHECK(x.slots_held() == 0);
}
#endif

TEST_CASE("a promise tells the highest accepted value per slot, from the asked slot on") {
  acceptor x{blank(a)};
  x.step(b, paxos::accept{at(1, b), slot{1}, value("x"), slot{}});
  x.step(b, paxos::accept{at(1, b), slot{2}, value("y"), slot{}});
  x.step(c, paxos::accept{at(2, c), slot{2}, value("z"), slot{}});
  x.step(b, prepare{at(3, b), slot{2}});
  const auto got = sent<promise>(settle(x), b);
  REQUIRE(got.size() == 1);
  REQUIRE(got[0].accepted.size() == 1);
  CHECK(got[0].accepted.at(slot{2}).at == at(2, c));
  CHECK(got[0].accepted.at(slot{2}).value == value("z"));
  CHECK(got[0].from == slot{2});
}

TEST_CASE("a large promise comes in parts, a few at a time") {
  acceptor x{blank(a), 1000};
  const auto large = value(std::string(1000, 'x'));
  for (std::uint64_t i = 1; i <= 6; ++i)
    x.step(b, paxos::accept{at(1, b), slot{i}, large, slot{}});
  std::map<std::uint32_t, slot> told;
  const auto ask = [&](std::uint32_t part) {
    x.step(b, prepare{at(2, b), slot{1}, part});
    told.clear();
    std::uint32_t parts = 0;
    for (const auto& one : sent<promise>(settle(x), b)) {
      REQUIRE(one.accepted.size() == 1);
      told[one.part] = one.accepted.begin()->first;
      parts = one.parts;
    }
    return parts;
  };
  using all = std::map<std::uint32_t, slot>;
  CHECK(ask(0) == 6);
  CHECK(told == all{{0, slot{1}}, {1, slot{2}}, {2, slot{3}}, {3, slot{4}}});
  CHECK(ask(4) == 6);
  CHECK(told == all{{4, slot{5}}, {5, slot{6}}});
  CHECK(ask(1) == 6);
  CHECK(told.size() == 4);
  // What is truncated in between is not told; who asks beyond the end hears it from the beginning.
  x.step(a, paxos::truncate{slot{4}});
  CHECK(ask(4) == 2);
  CHECK(told == all{{0, slot{5}}, {1, slot{6}}});
  // What was accepted since is: no ballot below the promise, so it is for a later one.
  x.step(c, paxos::accept{at(3, c), slot{7}, large, slot{4}});
  x.step(c, prepare{at(4, c), slot{1}});
  CHECK(sent<promise>(settle(x), c).size() == 3);
}

TEST_CASE("one ballot has one value per slot") {
  acceptor x{blank(a)};
  x.step(b, paxos::accept{at(1, b), slot{1}, value("x"), slot{}});
  (void)settle(x);
  x.step(b, paxos::accept{at(1, b), slot{1}, value("other"), slot{}});
  CHECK(sent<accepted>(settle(x), b).empty());
  CHECK(x.dropped() == 1);
  // The same value again is a repetition, and answered.
  x.step(b, paxos::accept{at(1, b), slot{1}, value("x"), slot{}});
  CHECK(sent<accepted>(settle(x), b).size() == 1);
}

TEST_CASE("what was promised and accepted survives a restart") {
  recovered store = blank(a);
  store.promised = at(2, b);
  store.accepted[slot{3}] = {at(4, c), value("x")};
  store.truncated_upto = slot{2};
  acceptor x{store};
  CHECK(x.promised() == at(4, c));
  x.step(b, prepare{at(5, b), slot{1}});
  const auto got = sent<promise>(settle(x), b);
  REQUIRE(got.size() == 1);
  CHECK(got[0].truncated_upto == slot{2});
  CHECK(got[0].accepted.count(slot{3}) == 1);
}

TEST_CASE("only the own learner truncates") {
  acceptor x{blank(a)};
  for (std::uint64_t i = 1; i <= 4; ++i)
    x.step(b, paxos::accept{at(1, b), slot{i}, value("x"), slot{}});
  x.step(b, paxos::truncate{slot{3}});
  CHECK(x.slots_held() == 4);
  CHECK(x.dropped() == 1);
  x.step(a, paxos::truncate{slot{3}});
  CHECK(x.slots_held() == 1);
  CHECK(x.truncated_upto() == slot{3});
  // What is gone is not accepted again.
  (void)settle(x);
  x.step(b, paxos::accept{at(1, b), slot{2}, value("x"), slot{}});
  CHECK(sent<accepted>(settle(x), b).empty());
  CHECK(x.slots_held() == 1);
}

TEST_CASE("what a leader says is decided is told to the own learner and proposer") {
  acceptor x{blank(a)};
  x.step(b, heartbeat{at(1, b), 1, slot{7}});
  auto out = settle(x);
  CHECK(sent<observed>(out, a).size() == 2);
  // An accept that brings no news of it costs no message.
  x.step(b, paxos::accept{at(1, b), slot{8}, value("x"), slot{7}});
  CHECK(sent<observed>(settle(x), a).empty());
  x.step(b, paxos::accept{at(1, b), slot{9}, value("x"), slot{8}});
  out = settle(x);
  REQUIRE(sent<observed>(out, a).size() == 1);
  CHECK(sent<observed>(out, a)[0].decided_upto == slot{8});
}

TEST_CASE("absurd numbers and forged senders are dropped") {
  acceptor x{blank(a)};
  const std::uint64_t huge = ~std::uint64_t{0};
  x.step(b, prepare{at(huge, b), slot{1}});
  x.step(b, prepare{at(0, b), slot{1}});
  x.step(b, prepare{at(1, c), slot{1}});
  x.step(b, prepare{at(1, b), slot{0}});
  x.step(b, paxos::accept{at(1, c), slot{1}, value("x"), slot{}});
  x.step(b, paxos::accept{at(1, b), slot{huge}, value("x"), slot{}});
  x.step(b, paxos::accept{at(1, b), slot{0}, value("x"), slot{}});
  x.step(b, paxos::accept{at(1, b), slot{3}, value("x"), slot{3}});
  const slot far{max_slots_held + 9};
  x.step(b, paxos::accept{at(1, b), far, value("x"), slot{far.value - 1}});
  x.step(b, heartbeat{at(1, c), 1, slot{}});
  x.step(b, accepted{at(1, b), slot{1}});
  CHECK(x.dropped() == 11);
  CHECK(x.slots_held() == 0);
  CHECK(x.promised() == ballot{});
}
