#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/cluster/lease_keeper.hpp"

namespace paxtor::cluster {

using namespace std::chrono_literals;

namespace {

constexpr voter_id self{1};
constexpr node_id node{10};
constexpr session_id session{100};

/// A keeper at a time, and what it said in each turn.
struct desk {
  lease_keeper keeper{self, lease_options{}};
  time_point now{};
  ballot at{1, self};
  std::uint64_t slots = 1;

  void lead(bool apply_reign = true) {
    at.round += 1;
    keeper.leadership_changed(now, {true, at, self});
    if (apply_reign)
      apply({registry::reign_began{at}});
  }

  void apply(std::vector<registry::session_event> events, std::uint64_t waiting = 0) {
    ++slots;
    keeper.applied(now, {slot{slots}, index{slots * 10}, std::move(events), waiting});
  }

  void open(session_id id = session, node_id from = node) {
    apply({registry::session_opened{id, from, "n"}});
  }

  lease_output renew_once(std::uint64_t n, session_id id = session, node_id from = node) {
    keeper.step(now, from, renew{id, n, index{}});
    return keeper.take_output();
  }

  lease_output confirm(std::uint64_t id, slot upto = slot{}) {
    keeper.confirmed(now, {id, upto});
    return keeper.take_output();
  }

  lease_output tick_after(duration by) {
    now += by;
    keeper.tick(now);
    return keeper.take_output();
  }
};

template <class T>
std::vector<T> all(const lease_output& out) {
  std::vector<T> result;
  for (auto& x : out.send)
    if (auto* y = std::get_if<T>(&x.what))
      result.push_back(*y);
  return result;
}

std::vector<registry::expire_session> expires(const lease_output& out) {
  std::vector<registry::expire_session> result;
  for (auto& x : out.proposals) {
    registry::command what;
    REQUIRE(decode(x.command, what));
    if (auto* y = std::get_if<registry::expire_session>(&what))
      result.push_back(*y);
  }
  return result;
}

std::string acquire_bytes(session_id from, std::uint64_t number) {
  return encode(registry::command{registry::acquire{
    {from, seq{number}, seq{1}}, local_actor_id{1}, {term::from_canonical("1")}, {}, {}}});
}

} // namespace

TEST_CASE("S1: a confirmation that was under way before the renewal does not count") {
  desk x;
  x.lead();
  x.open();
  auto first = x.renew_once(1);
  REQUIRE(first.confirms.size() == 1);
  CHECK(first.send.empty());
  auto second = x.renew_once(2);
  REQUIRE(second.confirms.size() == 1);
  CHECK(second.confirms[0] != first.confirms[0]);
  auto answered = all<renewed>(x.confirm(first.confirms[0]));
  REQUIRE(answered.size() == 1);
  CHECK(answered[0].n == 1);
  CHECK(answered[0].by == x.at);
  answered = all<renewed>(x.confirm(second.confirms[0]));
  REQUIRE(answered.size() == 1);
  CHECK(answered[0].n == 2);
  CHECK(x.confirm(second.confirms[0]).send.empty());
}

TEST_CASE("renewals and questions of one turn share one confirmation") {
  desk x;
  x.lead();
  x.open();
  x.open(session_id{101}, node_id{11});
  x.keeper.step(x.now, node, renew{session, 1, index{}});
  x.keeper.step(x.now, node_id{11}, renew{session_id{101}, 1, index{}});
  x.keeper.step(x.now, node, read{7, registry::query_members{}});
  auto out = x.keeper.take_output();
  REQUIRE(out.confirms.size() == 1);
  CHECK(out.watermarks.size() == 2);
  out = x.confirm(out.confirms[0], slot{44});
  CHECK(all<renewed>(out).size() == 2);
  REQUIRE(out.reads.size() == 1);
  CHECK(out.reads[0].upto == slot{44});
  CHECK(out.reads[0].id == 7);
  REQUIRE(out.reads[0].silent.size() == 2);
  CHECK(out.reads[0].silent.at(session).release_due_in == lease_options{}.expire_after());
}

TEST_CASE("S2: no renewal is answered before the own reign is applied") {
  desk x;
  x.open();
  x.lead(false);
  auto out = x.renew_once(1);
  REQUIRE(out.confirms.size() == 1);
  CHECK(x.confirm(out.confirms[0]).send.empty());
  // Another leader's reign is no barrier of ours.
  x.apply({registry::reign_began{ballot{1, voter_id{2}}}});
  CHECK(x.keeper.take_output().send.empty());
  x.apply({registry::reign_began{x.at}});
  CHECK(all<renewed>(x.keeper.take_output()).size() == 1);
}

TEST_CASE("S2: none while an expire is in flight, and the node hears that it is over") {
  desk x;
  x.lead();
  x.open();
  auto before = x.renew_once(1);
  auto out = x.tick_after(lease_options{}.expire_after() + 1us);
  REQUIRE(expires(out).size() == 1);
  // Neither one that was confirmed afterwards, nor one that arrives afterwards.
  CHECK(x.confirm(before.confirms.at(0)).send.empty());
  CHECK(x.renew_once(2).confirms.empty());
  x.apply(
    {registry::session_closed{session, node, registry::end_reason::expired, {}, {}, 0, 0, 0, 0}});
  CHECK(all<session_over>(x.keeper.take_output()).size() == 1);
  auto late = x.renew_once(3);
  CHECK(all<session_over>(x.confirm(late.confirms.at(0))).size() == 1);
}

TEST_CASE("I17: expire comes after ttl * (1 + rho) + tick of silence and not before") {
  desk x;
  x.lead();
  x.open();
  auto after = lease_options{}.expire_after();
  CHECK(expires(x.tick_after(after)).empty());
  auto list = expires(x.tick_after(1us));
  REQUIRE(list.size() == 1);
  CHECK(list[0].session == session);
  CHECK(list[0].at == x.at);
  // Asked again, but at a bounded rate.
  CHECK(expires(x.tick_after(25ms)).empty());
  CHECK(expires(x.tick_after(3s)).size() == 1);
}

TEST_CASE("S1: each renewal starts the clock anew from its arrival") {
  desk x;
  x.lead();
  x.open();
  for (std::uint64_t n = 1; n < 10; ++n) {
    CHECK(expires(x.tick_after(2s)).empty());
    x.renew_once(n);
  }
  CHECK(expires(x.tick_after(lease_options{}.expire_after())).empty());
  CHECK(expires(x.tick_after(1us)).size() == 1);
}

TEST_CASE("S1: a new leader's clock starts when its phase 1 ends, for every session") {
  desk x;
  x.open();
  x.now += 1h;
  x.lead();
  CHECK(expires(x.tick_after(lease_options{}.expire_after())).empty());
  CHECK(expires(x.tick_after(1us)).size() == 1);
  // A new reign of the same voter starts anew, too: what was in flight is void there (S3).
  x.lead(false);
  CHECK(expires(x.tick_after(1h)).empty());
  x.lead();
  CHECK(expires(x.tick_after(1us)).empty());
  auto out = x.renew_once(1);
  CHECK(all<renewed>(x.confirm(out.confirms.at(0))).size() == 1);
}

TEST_CASE("an expire that the proposer refused is not in flight") {
  desk x;
  x.lead();
  x.open();
  auto out = x.tick_after(4s);
  REQUIRE(out.proposals.size() == 1);
  x.keeper.refused(out.proposals[0]);
  out = x.renew_once(1);
  CHECK(all<renewed>(x.confirm(out.confirms.at(0))).size() == 1);
  CHECK(expires(x.tick_after(1s)).empty());
}

TEST_CASE("who does not lead says who does, and lost leadership voids what waits") {
  desk x;
  x.keeper.leadership_changed(x.now, {false, {4, voter_id{2}}, voter_id{2}});
  auto hints = all<not_leading>(x.renew_once(1));
  REQUIRE(hints.size() == 1);
  CHECK(hints[0].leader == voter_id{2});
  CHECK(hints[0].at.round == 4);
  x.at.round = 5;
  x.lead();
  x.open();
  auto out = x.renew_once(2);
  x.keeper.leadership_changed(x.now, {false, {9, voter_id{3}}, voter_id{3}});
  hints = all<not_leading>(x.keeper.take_output());
  REQUIRE(hints.size() == 1);
  CHECK(hints[0].leader == voter_id{3});
  x.at.round = 10;
  x.lead();
  CHECK(x.confirm(out.confirms.at(0)).send.empty());
}

TEST_CASE("a session that is unknown is over only when all that was confirmed is applied") {
  desk x;
  x.lead();
  auto out = x.renew_once(1);
  CHECK(x.confirm(out.confirms.at(0), slot{x.slots + 1}).send.empty());
  x.open();
  CHECK(all<renewed>(x.keeper.take_output()).size() == 1);
  out = x.renew_once(1, session_id{999});
  CHECK(all<session_over>(x.confirm(out.confirms.at(0), slot{x.slots})).size() == 1);
}

namespace {

registry::certify_end proof_of(node_id dead, const std::string& secret = "sixteen bytes ok") {
  return {dead, {}, registry::end_reason::process_died, secret, "signal 9"};
}

} // namespace

TEST_CASE("F4: a proof is proposed once, whoever brings it, and all who asked hear the verdict") {
  desk x;
  x.lead();
  auto proof = proof_of(node);
  auto bring = [&](node_id from, const registry::certify_end& what) {
    x.keeper.step(x.now, from, certify{what});
    return x.keeper.take_output();
  };
  auto out = bring(node_id{50}, proof);
  REQUIRE(out.proposals.size() == 1);
  registry::command proposed;
  REQUIRE(decode(out.proposals[0].command, proposed));
  CHECK(std::get<registry::certify_end>(proposed).node == node);
  CHECK(bring(node_id{50}, proof).proposals.empty());
  CHECK(bring(node_id{51}, proof).proposals.empty());
  // A forged one is not the same, and holds up nobody.
  CHECK(bring(node_id{66}, proof_of(node, "a guess, 16 bytes")).proposals.size() == 1);
  x.apply({registry::end_certified{proof, 1, {}}});
  out = x.keeper.take_output();
  REQUIRE(out.send.size() == 2);
  for (auto& told : out.send) {
    CHECK((told.node == node_id{50} || told.node == node_id{51}));
    auto& verdict = std::get<certified>(told.what);
    CHECK(verdict.node == node);
    CHECK(verdict.closed == 1);
    CHECK(verdict.problem.empty());
  }
  x.apply({registry::end_certified{proof_of(node, "a guess, 16 bytes"), 0, "no"}});
  auto refusals = all<certified>(x.keeper.take_output());
  REQUIRE(refusals.size() == 1);
  CHECK(refusals[0].problem == "no");
  // Brought again later (its answer was lost): proposed again, and answered again.
  CHECK(bring(node_id{50}, proof).proposals.size() == 1);
}

TEST_CASE("F4: what is no proof is refused at the door, and a deposed leader sends askers on") {
  desk x;
  x.lead();
  auto lie = proof_of(node);
  lie.proof = registry::end_reason::expired;
  x.keeper.step(x.now, node_id{50}, certify{lie});
  auto out = x.keeper.take_output();
  CHECK(out.proposals.empty());
  REQUIRE(all<certified>(out).size() == 1);
  CHECK_FALSE(all<certified>(out)[0].problem.empty());
  // As a command of a session it is not taken: nobody would be answered.
  x.open();
  x.keeper.step(x.now, node, submit{{encode(registry::command{proof_of(node)})}});
  CHECK(x.keeper.take_output().proposals.empty());
  x.keeper.step(x.now, node_id{50}, certify{proof_of(node)});
  (void)x.keeper.take_output();
  x.keeper.leadership_changed(x.now, {false, {9, voter_id{3}}, voter_id{3}});
  out = x.keeper.take_output();
  CHECK(all<not_leading>(out).size() == 1);
  x.keeper.step(x.now, node_id{50}, certify{proof_of(node)});
  CHECK(all<not_leading>(x.keeper.take_output()).size() == 1);
}

TEST_CASE("submit: what is malformed, foreign or reserved is not proposed") {
  desk x;
  x.lead();
  x.open();
  x.open(session_id{101}, node_id{11});
  auto proposed = [&](std::string bytes) {
    x.keeper.step(x.now, node, submit{{std::move(bytes)}});
    return x.keeper.take_output();
  };
  CHECK(proposed(acquire_bytes(session, 1)).proposals.size() == 1);
  CHECK(proposed("garbage").proposals.empty());
  CHECK(proposed(acquire_bytes(session_id{101}, 1)).proposals.empty());
  CHECK(
    proposed(encode(registry::command{registry::expire_session{session, x.at}})).proposals.empty());
  CHECK(proposed(encode(registry::command{registry::close_session{session_id{101}, {}, ""}}))
          .proposals.empty());
  CHECK(proposed(encode(registry::command{
                   registry::close_session{session, registry::end_reason::left, ""}}))
          .proposals.size()
        == 1);
  CHECK(x.keeper.dropped() == 4);
  registry::open_session open;
  open.node = node_id{12};
  open.name = "x";
  auto out = proposed(encode(registry::command{open}));
  CHECK(out.proposals.empty());
  REQUIRE(all<answers>(out).size() == 1);
  auto bad = proposed(
    encode(registry::command{registry::acquire{{session, seq{5}, seq{1}}, {}, {}, {}, {}}}));
  CHECK(bad.proposals.empty());
  auto told = all<answers>(bad);
  REQUIRE(told.size() == 1);
  CHECK(told[0].session == session);
  CHECK(told[0].items.at(0).number == seq{5});
  CHECK(told[0].items.at(0).code == registry::status::invalid);
}

TEST_CASE("a full proposer makes one `overloaded` of many refusals") {
  desk x;
  x.lead();
  x.open();
  x.keeper.step(x.now, node, submit{{acquire_bytes(session, 1), acquire_bytes(session, 2)}});
  auto out = x.keeper.take_output();
  REQUIRE(out.proposals.size() == 2);
  for (auto& p : out.proposals)
    x.keeper.refused(p);
  CHECK(all<overloaded>(x.keeper.take_output()).size() == 1);
}

namespace {

/// A leader with an open session and an idle log, and what it proposes.
struct resting_desk : desk {
  resting_desk() {
    lead();
    open();
    keeper.log_is_idle(true);
  }

  static std::string release_bytes(std::uint64_t number) {
    return encode(registry::command{
      registry::owner_exited{{session, seq{number}, seq{1}}, session, local_actor_id{1}, "done"}});
  }

  std::size_t submitted(std::vector<std::string> commands) {
    keeper.step(now, node, submit{std::move(commands)});
    return keeper.take_output().proposals.size();
  }
};

} // namespace

TEST_CASE("I62: a release that nobody waits for goes before the next command, or with the tick") {
  resting_desk x;
  CHECK(x.submitted({x.release_bytes(1)}) == 0);
  x.keeper.step(x.now, node, submit{{acquire_bytes(session, 2)}});
  auto out = x.keeper.take_output();
  REQUIRE(out.proposals.size() == 2);
  CHECK(out.proposals[0].command == x.release_bytes(1));
  CHECK(out.proposals[1].command == acquire_bytes(session, 2));
  CHECK(x.submitted({x.release_bytes(3)}) == 0);
  CHECK(x.tick_after(25ms).proposals.size() == 1);
  CHECK(x.tick_after(25ms).proposals.empty());
  // A renewal is no reason.
  CHECK(x.submitted({x.release_bytes(4)}) == 0);
  CHECK(x.renew_once(1).proposals.empty());
  CHECK(x.submitted({x.release_bytes(5), x.release_bytes(6)}) == 0);
  CHECK(x.tick_after(25ms).proposals.size() == 3);
}

TEST_CASE("I62: no release rests if anybody waits, the log works, or many rest") {
  resting_desk x;
  x.apply({}, 1);
  CHECK(x.submitted({x.release_bytes(1)}) == 1);
  x.apply({}, 0);
  CHECK(x.submitted({x.release_bytes(2)}) == 0);
  // An acquire that was under way begins to wait: for this very one, perhaps.
  x.apply({}, 1);
  CHECK(x.keeper.take_output().proposals.size() == 1);
  x.apply({}, 0);
  CHECK(x.submitted({acquire_bytes(session, 3), x.release_bytes(4)}) == 2);
  x.keeper.log_is_idle(false);
  CHECK(x.submitted({x.release_bytes(5)}) == 1);
  x.keeper.log_is_idle(true);
  std::vector<std::string> many;
  for (std::uint64_t i = 0; i < lease_keeper::max_resting; ++i)
    many.push_back(x.release_bytes(6 + i));
  CHECK(x.submitted(many) == 0);
  CHECK(x.submitted({x.release_bytes(1000)}) == lease_keeper::max_resting + 1);
}

TEST_CASE("I62: who asks, asks after the release that came before") {
  resting_desk x;
  CHECK(x.submitted({x.release_bytes(1)}) == 0);
  x.keeper.step(x.now, node, read{7, registry::query_counts{}});
  auto out = x.keeper.take_output();
  CHECK(out.proposals.size() == 1);
  // Only once that has its slot: what is confirmed now counts it in.
  CHECK(out.confirms.empty());
  CHECK(x.keeper.take_output().confirms.size() == 1);
}

TEST_CASE("I62: a deposed leader sends on who waits for the answer to a release") {
  resting_desk x;
  CHECK(x.submitted({x.release_bytes(1)}) == 0);
  x.keeper.leadership_changed(x.now, {false, {9, voter_id{3}}, voter_id{3}});
  auto out = x.keeper.take_output();
  REQUIRE(out.proposals.size() == 1);
  x.keeper.refused(out.proposals[0]);
  auto hints = all<not_leading>(x.keeper.take_output());
  REQUIRE(hints.size() == 1);
  CHECK(hints[0].leader == voter_id{3});
}

} // namespace paxtor::cluster
