#include "libpaxtor/registry/kv.hpp"

#include "test/unit/registry_fixture.hpp"

using namespace paxtor;
using namespace paxtor::registry;
using paxtor::registry::test::key;
using paxtor::registry::test::world;

TEST_CASE("put answers the value chosen first") {
  world w;
  auto a = w.join("a");
  auto first = put{w.from(a), "b", key("x"), "1", {}};
  CHECK(w.ask(first).value == "1");
  CHECK(w.ask(put{w.from(a), "b", key("x"), "2", {}}).value == "1");
  CHECK(w.ask(put{w.from(a), "c", key("x"), "2", {}}).value == "2");
  auto got = w.query(query_get{"b", key("x")});
  CHECK(got["found"] == true);
  CHECK(got["value"] == 1);
  CHECK(got["owner"] == nullptr);
  CHECK(w.query(query_get{"b", key("y")})["found"] == false);
  // Entries without an owner outlive their writer.
  w.ask(close_session{a, end_reason::left, ""});
  CHECK(w.query(query_get{"b", key("x")})["found"] == true);
  CHECK(w.reg.nothing_left());
}

TEST_CASE("an owned entry goes with its owner, and with its session") {
  world w;
  auto a = w.join("a");
  auto mine = put{w.from(a), "b", key("x"), "1", 4};
  CHECK(w.ask(mine).value == "1");
  w.ask(put{w.from(a), "b", key("y"), "2", 5});
  CHECK(w.query(query_get{"b", key("x")})["owner"]["actor"] == 4);
  owner_exited end{w.from(a), a, local_actor_id{4}, ""};
  end.from.done_below = mine.from.number;
  w.ask(end);
  CHECK(w.query(query_get{"b", key("x")})["found"] == false);
  CHECK(w.ask(put{w.from(a), "b", key("x"), "3", {}}).value == "3");
  w.ask(close_session{a, end_reason::left, ""});
  CHECK(w.query(query_get{"b", key("y")})["found"] == false);
  CHECK(w.query(query_counts{})["kv"] == 1);
}

TEST_CASE("a repeated put is answered from state") {
  world w;
  auto a = w.join("a");
  auto mine = put{w.from(a), "b", key("x"), "1", 4};
  w.ask(mine);
  CHECK(w.ask(mine).value == "1");
  owner_exited end{w.from(a), a, local_actor_id{4}, ""};
  end.from.done_below = mine.from.number;
  w.ask(end);
  CHECK(w.ask(mine).code == status::not_owner);
  CHECK(w.query(query_counts{})["kv"] == 0);
}

TEST_CASE("list pages through a bucket in the order of its keys") {
  world w;
  auto a = w.join("a");
  for (int i = 0; i < 5; ++i)
    w.ask(put{w.from(a), "b", key("k" + std::to_string(i)), std::to_string(i), {}});
  auto page = w.query(query_list{"b", "", 3});
  CHECK(page["entries"].size() == 3);
  CHECK(page["more"] == true);
  CHECK(page["entries"][2]["key"] == "k2");
  auto rest = w.query(query_list{"b", "\"k2\"", 3});
  CHECK(rest["entries"].size() == 2);
  CHECK(rest["more"] == false);
  CHECK(w.query(query_list{"none", "", 3})["entries"].empty());
}

TEST_CASE("the store keeps no empty bucket") {
  kv store;
  owner_id owner{session_id{1}, local_actor_id{2}};
  CHECK(store.put(paxtor::index{5}, "b", key("x"), "1", owner) != nullptr);
  CHECK(store.owned() == 1);
  store.end_owner({session_id{1}, local_actor_id{3}});
  CHECK(store.size() == 1);
  store.end_session(session_id{1});
  CHECK(store.all().empty());
  CHECK(store.audit() == nullptr);
}
