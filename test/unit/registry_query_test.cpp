#include "test/unit/registry_fixture.hpp"

using namespace paxtor;
using namespace paxtor::registry;
using namespace std::chrono_literals;
using paxtor::registry::test::key;
using paxtor::registry::test::world;

TEST_CASE("R7: why names holder, node, silence, release and queue") {
  world w;
  auto a = w.join("a");
  auto b = w.join("b");
  CHECK(w.query(query_why{key("k")})["state"] == "free");
  auto grant = w.lock(a, 7, {"k"});
  w.lock(b, 8, {"k"});
  w.lock(b, 9, {"k"});
  auto why = w.query(query_why{key("k")}, {{a, silence{1500ms, 2s}}});
  CHECK(why["key"] == "k");
  CHECK(why["state"] == "held");
  CHECK(why["holder"]["node"] == "a");
  CHECK(why["holder"]["node_id"].is_string());
  CHECK(why["holder"]["session"] == a.value);
  CHECK(why["holder"]["actor"] == 7);
  CHECK(why["holder"]["token"] == grant.grant.value);
  CHECK(why["holder"]["ownership"] == "bounded");
  CHECK(why["holder"]["silent_ms"] == 1500);
  CHECK(why["holder"]["release_due_in_ms"] == 2000);
  CHECK(why["waiting_count"] == 2);
  CHECK(why["waiting"][1]["position"] == 2);
  CHECK(why["waiting"][1]["actor"] == 9);
  CHECK(why["cycle"] == nullptr);
  CHECK(why["singleton"] == nullptr);
  CHECK(w.query(query_why{key("k")})["holder"]["silent_ms"] == nullptr);
}

TEST_CASE("why: only the first 100 of a long queue, a strict holder is due never") {
  world w;
  auto a = w.join("a");
  w.lock(a, 1, {"k"}, acquire_mode::wait, ownership::strict);
  for (std::uint64_t i = 2; i < 152; ++i)
    w.lock(a, i, {"k"});
  auto why = w.query(query_why{key("k")}, {{a, silence{5ms, 6ms}}});
  CHECK(why["waiting_count"] == 150);
  CHECK(why["waiting"].size() == 100);
  CHECK(why["holder"]["silent_ms"] == 5);
  CHECK(why["holder"]["release_due_in_ms"] == nullptr);
}

TEST_CASE("why: a free key whose first waiter waits for another is reserved") {
  world w;
  auto a = w.join("a");
  w.lock(a, 1, {"y"});
  w.lock(a, 2, {"x", "y"});
  auto why = w.query(query_why{key("x")});
  CHECK(why["state"] == "reserved");
  CHECK(why["holder"] == nullptr);
  CHECK(why["waiting_count"] == 1);
}

TEST_CASE("why and name tell of a singleton") {
  world w;
  auto a = w.join("a", {"counter"});
  singleton_spec spec;
  spec.type = "counter";
  w.ask(resolve{w.from(a), key("apple"), spec});
  auto why = w.query(query_why{key("apple")});
  CHECK(why["state"] == "free");
  CHECK(why["singleton"]["state"] == "starting");
  CHECK(why["singleton"]["type"] == "counter");
  CHECK(why["singleton"]["watchers"][0] == "a");
  CHECK(w.query(query_name{key("apple")})["name"] == "apple");
}

TEST_CASE("members and counts") {
  world w;
  auto a = w.join("a", {"counter"}, 3);
  w.join("b");
  w.lock(a, 1, {"k"});
  w.lock(a, 2, {"k"});
  auto members = w.query(query_members{});
  REQUIRE(members["members"].size() == 2);
  const auto& first = members["members"][0];
  CHECK(first["node"] == "a");
  CHECK(first["types"][0] == "counter");
  CHECK(first["capacity"] == 3);
  CHECK(first["locks"] == 1);
  CHECK(first["waits"] == 1);
  CHECK(first["open"] == true);
  CHECK(w.query(query_members{1})["more"] == true);
  auto counts = w.query(query_counts{});
  CHECK(counts["sessions"] == 2);
  CHECK(counts["locks"] == 1);
  CHECK(counts["owners"] == 2);
  CHECK(counts["waiters"] == 1);
}

TEST_CASE("bytes that are not UTF-8 come out as JSON all the same") {
  world w;
  w.join("n\xff");
  CHECK(w.query(query_members{})["members"].size() == 1);
}

TEST_CASE("a query with a term that is no JSON is answered, not thrown over") {
  world w;
  CHECK(w.query(query_why{term::from_canonical("{oops")})["state"] == "free");
  CHECK(w.query(query_get{"b", term::from_canonical("")})["found"] == false);
  CHECK(w.query(query_name{term::from_canonical("[")})["state"] == "none");
}
