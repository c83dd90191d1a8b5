// The checker against a real registry's outcomes, as they are and tampered with.

#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "libpaxtor/base/digest.hpp"
#include "test/sim/registry_checker.hpp"

using namespace paxtor;
using namespace paxtor::sim;
using namespace paxtor::registry;

namespace {

const std::string secret = "0123456789abcdef";

struct log_of_one {
  machine state;
  registry_checker judged;
  std::uint64_t at = 0;
  std::uint64_t number = 0;
  ballot reign{5, voter_id{1}};
  outcome last;

  log_of_one() {
    ++at;
    outcome out;
    state.begin_reign(paxtor::index{at}, reign, out);
    judged.began_reign(reign);
  }

  using tamper = std::function<void(outcome&)>;

  verdict apply(const command& what, const tamper& with = {}) {
    ++at;
    last = {};
    state.apply(paxtor::index{at}, what, last);
    if (with)
      with(last);
    return judged.applied(paxtor::index{at}, what, last);
  }

  session_id open(std::uint64_t node, const std::string& type = "t") {
    open_session what;
    what.node = node_id{node};
    what.name = "n" + std::to_string(node);
    what.types = {type};
    what.seal = sha256(secret);
    CHECK(!apply(what));
    return session_id{at};
  }

  origin from(session_id who) { return {who, seq{++number}, seq{1}}; }

  acquire wants(session_id who, std::uint64_t actor, const std::string& key) {
    acquire what;
    what.from = from(who);
    what.actor = local_actor_id{actor};
    what.keys = {term::from_canonical("\"" + key + "\"")};
    return what;
  }
};

std::string rule(const verdict& what) {
  return what ? what->rule : "fine";
}

term name(const char* text) {
  return term::from_canonical(std::string{"\""} + text + "\"");
}

} // namespace

TEST_CASE("registry checker: a whole history is fine, and the registry agrees at each step") {
  log_of_one log;
  auto one = log.open(101);
  auto two = log.open(102);
  auto first = log.wants(one, 1, "k");
  CHECK(!log.apply(first));
  CHECK(!log.apply(first)); // sent again
  CHECK(!log.apply(log.wants(two, 1, "k")));
  CHECK(!log.judged.looks_at(log.state, "\"k\""));
  CHECK(!log.judged.looks(log.state));
  put value{log.from(one), "b", name("e"), "\"v\"", 1};
  CHECK(!log.apply(value));
  CHECK(!log.apply(resolve{log.from(two), name("s"), {"t", {}, {}, {}, {}}}));
  CHECK(!log.apply(expire_session{one, ballot{3, voter_id{9}}})); // a ghost
  CHECK(log.judged.sessions().is_open(one));
  CHECK(!log.apply(expire_session{one, log.reign}));
  CHECK(!log.judged.sessions().is_open(one));
  CHECK(!log.judged.looks_at(log.state, "\"k\""));
  CHECK(!log.judged.looks(log.state));
  CHECK(!log.apply(certify_end{node_id{102}, {}, end_reason::process_died, secret, ""}));
  CHECK(!log.judged.looks(log.state));
  CHECK(log.state.nothing_left());
}

TEST_CASE("registry checker: a command that takes effect twice is found") {
  log_of_one log;
  auto one = log.open(101);
  auto two = log.open(102);
  CHECK(!log.apply(log.wants(one, 1, "k")));
  auto waits = log.wants(two, 1, "k");
  CHECK(!log.apply(waits));
  CHECK(rule(log.apply(waits,
                       [&](outcome& out) {
                         effects_for more{
                           two, node_id{102}, paxtor::index{log.at}, {}, false, {}, 0, 1, {}};
                         more.effects.emplace_back(lock_granted{
                           local_actor_id{1}, waits.from.number, token{log.at}, waits.keys});
                         out.effects.push_back(more);
                       }))
        == "once");
}

TEST_CASE("registry checker: an owner that has ended is given nothing") {
  log_of_one log;
  auto one = log.open(101);
  CHECK(!log.apply(log.wants(one, 1, "k")));
  owner_exited gone{log.from(one), one, local_actor_id{1}, ""};
  CHECK(!log.apply(gone));
  CHECK(!log.judged.looks(log.state));
  CHECK(rule(log.apply(log.wants(one, 1, "k"))) == "once");
}

TEST_CASE("registry checker: a request without its answer is found") {
  log_of_one log;
  auto one = log.open(101);
  CHECK(rule(log.apply(log.wants(one, 1, "k"), [](outcome& out) { out.answers.clear(); }))
        == "every request answered");
}

TEST_CASE("registry checker: effects to a closed session, and those that skip one, are found") {
  log_of_one log;
  auto one = log.open(101);
  auto two = log.open(102);
  CHECK(!log.apply(log.wants(one, 1, "k")));
  CHECK(!log.apply(log.wants(two, 1, "k")));
  SUBCASE("closed") {
    CHECK(rule(log.apply(close_session{one, end_reason::left, ""},
                         [&](outcome& out) { out.effects.front().session = one; }))
          == "a grant only to an open session");
  }
  SUBCASE("skipped") {
    CHECK(rule(log.apply(
            close_session{one, end_reason::left, ""},
            [&](outcome& out) { out.effects.front().previous = paxtor::index{log.at - 1}; }))
          == "effects");
  }
  SUBCASE("not told at all: somebody waits for what is free") {
    CHECK(rule(log.apply(close_session{one, end_reason::left, ""},
                         [](outcome& out) { out.effects.clear(); }))
          == "first come, first served");
  }
}

TEST_CASE("registry checker: ghosts and forgeries that end a session are found") {
  log_of_one log;
  auto one = log.open(101);
  auto ends = [&](outcome& out) {
    out.events.emplace_back(session_closed{one, node_id{101}, {}, "n101", "", 0, 0, 0, 0});
  };
  SUBCASE("an expiration of another reign") {
    CHECK(rule(log.apply(expire_session{one, ballot{3, voter_id{9}}}, ends)) == "ghosts");
  }
  SUBCASE("a certificate with another secret") {
    certify_end forged{node_id{101}, {}, end_reason::process_died, std::string(16, 'x'), ""};
    CHECK(rule(log.apply(forged, ends)) == "proofs");
  }
  SUBCASE("an operator's word about an open one") {
    CHECK(rule(log.apply(certify_end{node_id{101}, one, end_reason::forced, {}, ""}, ends))
          == "proofs");
  }
  SUBCASE("one that should end it, and does not") {
    CHECK(rule(log.apply(expire_session{one, log.reign}, [](outcome& out) { out.events.clear(); }))
          == "sessions");
  }
}

TEST_CASE("registry checker: a name is started once, where it can run") {
  log_of_one log;
  auto one = log.open(101);
  auto two = log.open(102, "other");
  resolve wish{log.from(one), name("s"), {"t", {}, {}, {}, {}}};
  SUBCASE("elsewhere") {
    CHECK(rule(log.apply(wish,
                         [&](outcome& out) {
                           out.effects.front().session = two;
                           out.effects.front().node = node_id{102};
                           out.effects.front().previous = paxtor::index{two.value};
                         }))
          == "placement");
  }
  SUBCASE("twice") {
    effects_for order;
    CHECK(!log.apply(wish, [&](outcome& out) { order = out.effects.at(0); }));
    resolve again{log.from(one), name("s"), {"t", {}, {}, {}, {}}};
    CHECK(rule(log.apply(again,
                         [&](outcome& out) {
                           order.previous = order.at;
                           order.at = paxtor::index{log.at};
                           std::get<start_singleton>(order.effects.front()).grant = token{log.at};
                           out.effects = {order};
                         }))
          == "one live singleton");
  }
}

TEST_CASE("registry checker: a second value, and an answer to why that lies, are found") {
  log_of_one log;
  auto one = log.open(101);
  CHECK(!log.apply(put{log.from(one), "b", name("e"), "\"v\"", {}}));
  CHECK(rule(log.apply(put{log.from(one), "b", name("e"), "\"w\"", {}},
                       [](outcome& out) { out.answers.front().what.value = "\"w\""; }))
        == "put once");
  machine another;
  CHECK(!log.judged.looks_at(another, "\"k\""));
  CHECK(!log.apply(log.wants(one, 1, "k")));
  CHECK(rule(log.judged.looks_at(another, "\"k\"")) == "why agrees");
  CHECK(rule(log.judged.looks(another)) == "no residue");
}

TEST_CASE("registry checker: a grant reaches its actor while its session is open, or not at all") {
  log_of_one log;
  auto one = log.open(101);
  auto wish = log.wants(one, 1, "k");
  CHECK(!log.apply(wish));
  cluster::granted news;
  news.actor = wish.actor;
  news.keys = wish.keys;
  news.grant = token{log.at};
  CHECK(!log.judged.delivered(one, news));
  news.grant = token{log.at + 1};
  CHECK(rule(log.judged.delivered(one, news)) == "a grant that was asked for");
  news.grant = token{log.at};
  CHECK(!log.apply(expire_session{one, log.reign}));
  CHECK(rule(log.judged.delivered(one, news)) == "a grant only to an open session");
}
