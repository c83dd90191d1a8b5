#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "test/sim/lock_model.hpp"

using namespace paxtor;
using namespace paxtor::sim;
using registry::status;

namespace {

constexpr owner_id alice{session_id{1}, local_actor_id{1}};
constexpr owner_id bob{session_id{2}, local_actor_id{1}};
constexpr owner_id carol{session_id{3}, local_actor_id{1}};

std::vector<term> terms(const std::vector<std::string>& keys) {
  std::vector<term> out;
  for (const auto& key : keys)
    out.push_back(term::from_canonical(key));
  return out;
}

/// A history as the registry would tell it.
struct history {
  lock_model locks;
  std::uint64_t at = 10;

  verdict acquire(owner_id who, const std::vector<std::string>& keys, status code,
                  registry::acquire_mode mode = registry::acquire_mode::wait,
                  registry::ownership kind = registry::ownership::bounded) {
    registry::acquire what;
    what.from = {who.session, seq{++at}, seq{1}};
    what.actor = who.actor;
    what.keys = terms(keys);
    what.mode = mode;
    what.kind = kind;
    registry::answer reply;
    reply.number = seq{at};
    reply.code = code;
    if (code == status::granted)
      reply.grant = token{at};
    return locks.acquired(paxtor::index{at}, who, what, reply);
  }

  verdict grant(owner_id who, std::uint64_t of, const std::vector<std::string>& keys) {
    ++at;
    return locks.granted(paxtor::index{at}, who, {who.actor, seq{of}, token{at}, terms(keys)});
  }

  std::string rule(const verdict& what) const { return what ? what->rule : "fine"; }
};

} // namespace

TEST_CASE("lock model: one after the other, in the order of the log, is fine") {
  history h;
  CHECK(!h.acquire(alice, {"a"}, status::granted));
  CHECK(!h.acquire(bob, {"a"}, status::queued));
  auto bobs = h.at;
  CHECK(!h.acquire(carol, {"a"}, status::queued));
  CHECK(!h.acquire(carol, {"a"}, status::busy, registry::acquire_mode::try_once));
  CHECK(!h.locks.settled());
  CHECK(h.locks.text("a") == "held by 1/1 token 11, wanted by 2/1 3/1");
  h.locks.end_owner(alice);
  CHECK(h.rule(h.locks.settled()) == "first come, first served");
  CHECK(!h.grant(bob, bobs, {"a"}));
  CHECK(!h.locks.settled());
  CHECK(h.locks.holds(bob, terms({"a"}), token{h.at}));
  CHECK(!h.locks.holds(bob, terms({"a"}), token{h.at + 1}));
  CHECK(!h.locks.holds(alice, terms({"a"}), token{11}));
  CHECK(h.locks.count() == lock_model::sizes{1, 2, 1});
}

TEST_CASE("lock model: two owners, and whoever is served out of turn, are found") {
  history h;
  CHECK(!h.acquire(alice, {"a"}, status::granted));
  CHECK(!h.acquire(bob, {"a"}, status::queued));
  SUBCASE("a second owner") {
    CHECK(h.rule(h.acquire(carol, {"a"}, status::granted)) == "first come, first served");
  }
  SUBCASE("a later one is served before an earlier one") {
    CHECK(!h.acquire(carol, {"a"}, status::queued));
    auto carols = h.at;
    h.locks.end_owner(alice);
    CHECK(h.rule(h.grant(carol, carols, {"a"})) == "first come, first served");
  }
  SUBCASE("one that only tries passes those that wait") {
    h.locks.end_owner(alice);
    CHECK(h.rule(h.acquire(carol, {"a"}, status::granted, registry::acquire_mode::try_once))
          == "first come, first served");
  }
  SUBCASE("told busy, or to wait, although it is free") {
    CHECK(h.acquire(carol, {"b"}, status::busy, registry::acquire_mode::try_once));
    CHECK(h.acquire(carol, {"b"}, status::queued));
  }
  SUBCASE("a grant after its wait was withdrawn") {
    auto bobs = h.at;
    CHECK(!h.locks.withdrawn(bob, seq{bobs}, status::withdrawn));
    h.locks.end_owner(alice);
    CHECK(h.rule(h.grant(bob, bobs, {"a"})) == "a grant that was asked for");
  }
  SUBCASE("a withdraw that does not end the wait") {
    CHECK(h.rule(h.locks.withdrawn(bob, seq{h.at}, status::granted)) == "withdraw");
  }
}

TEST_CASE("lock model: several keys come at once, never a part of them") {
  history h;
  CHECK(!h.acquire(alice, {"a"}, status::granted));
  CHECK(!h.acquire(bob, {"a", "b"}, status::queued));
  auto bobs = h.at;
  SUBCASE("a part is wrong") {
    CHECK(h.rule(h.grant(bob, bobs, {"b"})) == "all keys at once");
  }
  SUBCASE("all, while one is held by somebody else, is wrong") {
    CHECK(h.rule(h.grant(bob, bobs, {"a", "b"})) == "first come, first served");
  }
  SUBCASE("the free one is kept for who waits first") {
    CHECK(h.acquire(carol, {"b"}, status::granted));
    h.locks.end_owner(alice);
    CHECK(!h.grant(bob, bobs, {"a", "b"}));
    CHECK(h.locks.text("b") == "held by 2/1 token 14");
  }
}

TEST_CASE("lock model: a deadlock is refused if and only if there is a cycle") {
  history h;
  CHECK(!h.acquire(alice, {"a"}, status::granted));
  CHECK(!h.acquire(bob, {"b"}, status::granted));
  SUBCASE("refused without a cycle") {
    CHECK(h.rule(h.acquire(alice, {"b"}, status::deadlock)) == "deadlock");
  }
  SUBCASE("a cycle of two") {
    CHECK(!h.acquire(alice, {"b"}, status::queued));
    SUBCASE("refused") {
      CHECK(!h.acquire(bob, {"a"}, status::deadlock));
    }
    SUBCASE("let in") {
      CHECK(h.rule(h.acquire(bob, {"a"}, status::queued)) == "deadlock");
    }
  }
  SUBCASE("a cycle of three through a queue") {
    CHECK(!h.acquire(carol, {"c"}, status::granted));
    CHECK(!h.acquire(bob, {"c"}, status::queued));
    CHECK(!h.acquire(alice, {"c"}, status::queued)); // behind bob
    CHECK(!h.acquire(carol, {"a"}, status::deadlock));
    CHECK(h.acquire(carol, {"a"}, status::queued));
  }
}

TEST_CASE("lock model: silence frees what is held, but what is held strictly") {
  history h;
  CHECK(!h.acquire(alice, {"a"}, status::granted));
  CHECK(!h.acquire(alice, {"s"}, status::granted, registry::acquire_mode::wait,
                   registry::ownership::strict));
  h.locks.end_session(alice.session, true);
  CHECK(h.locks.text("a") == "free");
  CHECK(h.locks.text("s") == "held by 1/1 token 12 strict");
  h.locks.end_session(alice.session, false);
  CHECK(h.locks.text("s") == "free");
  CHECK(h.locks.count() == lock_model::sizes{});
}

TEST_CASE("lock model: tokens are the index of the entry that granted") {
  history h;
  registry::acquire what;
  what.from = {alice.session, seq{1}, seq{1}};
  what.keys = terms({"a"});
  registry::answer reply;
  reply.code = status::granted;
  reply.grant = token{4};
  CHECK(h.rule(h.locks.acquired(paxtor::index{5}, alice, what, reply)) == "token order");
}

TEST_CASE("lock model: an answer to why reads as the model does") {
  CHECK(text_of_why(R"({"holder":null,"waiting":[]})") == "free");
  CHECK(text_of_why(R"({"holder":{"session":1,"actor":2,"token":7,"ownership":"strict"},
                        "waiting":[{"session":3,"actor":4}]})")
        == "held by 1/2 token 7 strict, wanted by 3/4");
  CHECK(text_of_why("{}") != "free");
  // More than an answer names: 100, and how many there are.
  history h;
  for (std::uint64_t session = 1; session <= 103; ++session)
    CHECK(!h.acquire({session_id{session}, local_actor_id{1}}, {"a"},
                     session == 1 ? status::granted : status::queued));
  CHECK(h.locks.text("a").find(" 101/1 of 102") != std::string::npos);
}
