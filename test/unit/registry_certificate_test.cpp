#include "libpaxtor/base/digest.hpp"
#include "test/unit/registry_fixture.hpp"

using namespace paxtor;
using namespace paxtor::registry;
using paxtor::registry::test::key;
using paxtor::registry::test::owner_name;
using paxtor::registry::test::world;

namespace {

const std::string secret = "the secret of node 7";

struct sealed_world : world {
  session_id open(std::uint64_t node, std::uint64_t nth, const std::string& name,
                  const std::string& of) {
    open_session what;
    what.node = node_id{node};
    what.nth = nth;
    what.name = name;
    what.types = {"counter"};
    what.seal = sha256(of);
    auto reply = ask(what);
    REQUIRE(reply.code == status::ok);
    seen[reply.opened] = reg.last_effect(reply.opened);
    return reply.opened;
  }

  end_certified certify(certify_end what) {
    apply(what);
    CHECK(last.answers.empty());
    for (auto& event : last.events)
      if (auto* x = std::get_if<end_certified>(&event))
        return *x;
    FAIL("a certificate without a verdict");
    return {};
  }

  session_closed closed() {
    for (auto& event : last.events)
      if (auto* x = std::get_if<session_closed>(&event))
        return *x;
    FAIL("no session was closed");
    return {};
  }
};

certify_end death_of(std::uint64_t node, const std::string& shown,
                     end_reason proof = end_reason::process_died) {
  return {node_id{node}, {}, proof, shown, "killed by signal 9"};
}

certify_end release(std::uint64_t node, session_id session) {
  return {node_id{node}, session, end_reason::forced, {}, "ann"};
}

} // namespace

TEST_CASE(
  "F4: a certificate frees bounded and strict owners, and places singletons, in one entry") {
  sealed_world w;
  auto dead = w.open(7, 1, "a", secret);
  auto heir = w.open(8, 1, "b", "another secret of b");
  w.lock(dead, 1, {"k"});
  w.lock(dead, 2, {"s"}, acquire_mode::wait, ownership::strict);
  w.ask(put{w.from(dead), "bucket", key("e"), "1", 1});
  w.lock(heir, 1, {"k", "s"});
  auto verdict = w.certify(death_of(7, secret));
  CHECK(verdict.closed == 1);
  CHECK(verdict.problem.empty());
  CHECK_FALSE(w.reg.is_open(dead));
  CHECK(w.holder("k") == owner_name(heir, 1));
  CHECK(w.holder("s") == owner_name(heir, 1));
  CHECK(w.query(query_get{"bucket", key("e")})["found"] == false);
  auto news = w.closed();
  CHECK(news.session == dead);
  CHECK(news.reason == end_reason::process_died);
  CHECK(news.detail == "killed by signal 9");
  CHECK(news.locks_freed == 2);
  CHECK(news.waits_granted == 1);
  CHECK(news.entries_erased == 1);
  // At most once: the second finds nothing.
  verdict = w.certify(death_of(7, secret));
  CHECK(verdict.closed == 0);
  CHECK(verdict.problem.empty());
}

TEST_CASE("a certificate is worth nothing for another node, or with another secret") {
  sealed_world w;
  auto a = w.open(7, 1, "a", secret);
  auto b = w.open(8, 1, "b", "another secret of b");
  auto unsealed = w.join("c");
  for (auto proof : {end_reason::process_died, end_reason::store_reopened}) {
    CHECK(w.certify(death_of(7, "a guess of the secret", proof)).problem.find("seal")
          != std::string::npos);
    CHECK(w.certify(death_of(8, secret, proof)).closed == 0);
    // A node that gave no secret cannot be certified, whatever is shown.
    CHECK(w.certify(death_of(100, secret, proof)).closed == 0);
    // What the log carries, and so everybody could show, is not enough.
    CHECK(w.certify(death_of(7, sha256(secret), proof)).closed == 0);
  }
  CHECK(w.reg.is_open(a));
  CHECK(w.reg.is_open(b));
  CHECK(w.reg.is_open(unsealed));
  std::string why;
  CHECK_FALSE(validate(death_of(7, ""), why));
  CHECK_FALSE(validate(death_of(7, std::string(65, 'x')), why));
  CHECK_FALSE(validate(death_of(7, secret, end_reason::expired), why));
  CHECK_FALSE(validate(death_of(7, secret, end_reason::left), why));
  CHECK_FALSE(validate(death_of(0, secret), why));
  CHECK_FALSE(validate(close_session{a, end_reason::process_died, ""}, why));
}

TEST_CASE(
  "a certificate ends all that one life left: its session, and strict owners of older ones") {
  sealed_world w;
  w.begin_reign(1);
  auto old = w.open(7, 1, "a", secret);
  w.lock(old, 1, {"s"}, acquire_mode::wait, ownership::strict);
  w.apply(expire_session{old, ballot{1, voter_id{1}}});
  auto now = w.open(7, 2, "a", secret);
  w.lock(now, 2, {"k"});
  CHECK(w.holder("s") == owner_name(old, 1));
  CHECK(w.certify(death_of(7, secret)).closed == 2);
  CHECK(w.holder("s").empty());
  CHECK(w.holder("k").empty());
  CHECK(w.reg.nothing_left());
}

TEST_CASE("R1: a process that has ended opens no session, whatever is still on its way") {
  sealed_world w;
  w.open(7, 1, "a", secret);
  w.certify(death_of(7, secret));
  open_session ghost;
  ghost.node = node_id{7};
  ghost.nth = 5;
  ghost.name = "a";
  CHECK(w.ask(ghost).code == status::no_session);
  // The name is free for the next life at once.
  w.open(9, 1, "a", "the secret of node 9");
  // An older end that is noted later does not let ghosts in.
  machine copy;
  REQUIRE(copy.restore(w.reg.image()));
  CHECK(copy.image() == w.reg.image());
}

TEST_CASE("forced: only what silence has ended, and only that session") {
  sealed_world w;
  w.begin_reign(1);
  auto a = w.open(7, 1, "a", secret);
  auto b = w.open(8, 1, "b", "another secret of b");
  w.lock(a, 1, {"s"}, acquire_mode::wait, ownership::strict);
  w.lock(b, 1, {"s"});
  auto verdict = w.certify(release(7, a));
  CHECK(verdict.closed == 0);
  CHECK(verdict.problem.find("may still work") != std::string::npos);
  CHECK(w.holder("s") == owner_name(a, 1));
  w.apply(expire_session{a, ballot{1, voter_id{1}}});
  CHECK(w.holder("s") == owner_name(a, 1));
  CHECK(w.certify(release(8, a)).closed == 0);
  CHECK(w.certify(release(7, b)).closed == 0);
  CHECK(w.certify(release(7, a)).closed == 1);
  CHECK(w.closed().reason == end_reason::forced);
  CHECK(w.holder("s") == owner_name(b, 1));
  CHECK(w.reg.is_open(b));
}

TEST_CASE("R7: why and members say which proof ended the owner before") {
  sealed_world w;
  auto dead = w.open(7, 1, "a", secret);
  auto heir = w.open(8, 1, "b", "another secret of b");
  w.lock(dead, 1, {"k"});
  w.lock(dead, 2, {"x"});
  singleton_spec spec;
  spec.type = "counter";
  CHECK(w.query(query_why{key("k")})["holder"]["taken_from"] == nullptr);
  w.lock(heir, 1, {"k"});
  w.certify(death_of(7, secret));
  auto from = w.query(query_why{key("k")})["holder"]["taken_from"];
  CHECK(from["reason"] == "process_died");
  CHECK(from["detail"] == "killed by signal 9");
  CHECK(from["node"] == "a");
  CHECK(from["session"] == dead.value);
  // Free when it was taken: from nobody.
  w.lock(heir, 2, {"x"});
  CHECK(w.query(query_why{key("x")})["holder"]["taken_from"] == nullptr);
  w.ask(close_session{heir, end_reason::left, ""});
  auto ended = w.query(query_members{})["ended"];
  REQUIRE(ended.size() == 1);
  CHECK(ended[0]["node"] == "a");
  CHECK(ended[0]["reason"] == "process_died");
}
