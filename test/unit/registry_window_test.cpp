#include "libpaxtor/registry/window.hpp"

#include "libpaxtor/registry/image.hpp"
#include "test/unit/registry_fixture.hpp"

using namespace paxtor;
using namespace paxtor::registry;
using paxtor::registry::test::key;
using paxtor::registry::test::owner_name;
using paxtor::registry::test::world;

namespace {

origin number(std::uint64_t n, std::uint64_t done_below = 1) {
  return {session_id{1}, seq{n}, seq{done_below}};
}

} // namespace

TEST_CASE("a window knows what is new, repeated, too low and too high") {
  window w;
  CHECK(w.judge(number(1)) == window::verdict::fresh);
  w.note(seq{1}, record::kind::other);
  w.note(seq{3}, record::kind::acquire).grant = token{9};
  CHECK(w.judge(number(1)) == window::verdict::repeated);
  CHECK(w.judge(number(2)) == window::verdict::fresh);
  CHECK(w.judge(number(3)) == window::verdict::repeated);
  CHECK(w.first_gap() == seq{2});
  w.note(seq{2}, record::kind::other);
  CHECK(w.first_gap() == seq{4});
  w.advance(seq{3});
  CHECK(w.judge(number(2)) == window::verdict::below);
  REQUIRE(w.find(seq{3}) != nullptr);
  CHECK(w.find(seq{3})->grant == token{9});
  w.advance(seq{2}); // never goes back
  CHECK(w.done_below() == seq{3});
  CHECK(w.judge(number(3 + max_window - 1)) == window::verdict::fresh);
  CHECK(w.judge(number(3 + max_window)) == window::verdict::beyond);
  CHECK(w.judge(number(3 + max_window, 4)) == window::verdict::fresh);
}

TEST_CASE("a window survives its image") {
  window w;
  w.advance(seq{5});
  auto& x = w.note(seq{7}, record::kind::acquire);
  x.code = status::deadlock;
  x.detail = std::make_unique<std::string>("[]");
  image_writer out;
  w.save(out);
  auto bytes = out.take();
  window copy;
  image_reader in{bytes};
  REQUIRE(copy.load(in));
  CHECK(in.done());
  CHECK(copy.first_gap() == seq{5});
  REQUIRE(copy.find(seq{7}) != nullptr);
  CHECK(*copy.find(seq{7})->detail == "[]");
}

TEST_CASE("tombstones go when nothing lower can come any more") {
  tombstones<local_actor_id> dead;
  dead.add(local_actor_id{4}, seq{6});
  dead.add(local_actor_id{4}, seq{8});
  CHECK(dead.ended_after(local_actor_id{4}, seq{7}));
  CHECK_FALSE(dead.ended_after(local_actor_id{4}, seq{9}));
  dead.drop_below(seq{8});
  CHECK(dead.contains(local_actor_id{4}));
  dead.drop_below(seq{9});
  CHECK_FALSE(dead.contains(local_actor_id{4}));
}

TEST_CASE("R1: a repeated command takes effect once and is answered from state") {
  world w;
  auto a = w.join("a");
  auto one = w.make_acquire(a, 1, {"k"});
  auto first = w.ask(one);
  auto two = w.make_acquire(a, 2, {"k"});
  two.from.done_below = one.from.number;
  CHECK(w.ask(two).code == status::queued);
  auto busy = w.make_acquire(a, 3, {"k"}, acquire_mode::try_once);
  busy.from.done_below = one.from.number;
  CHECK(w.ask(busy).code == status::busy);
  auto again = w.ask(one);
  CHECK(again.code == status::granted);
  CHECK(again.grant == first.grant);
  CHECK(w.last.ignored == 1);
  auto waits = w.ask(two);
  CHECK(waits.code == status::queued);
  CHECK(waits.position == 1);
  owner_exited end{w.from(a), a, local_actor_id{1}, ""};
  end.from.done_below = one.from.number;
  CHECK(w.ask(end).code == status::ok);
  auto granted = w.ask(two);
  CHECK(granted.code == status::granted);
  CHECK(granted.grant == w.reg.holder_of(key("k"))->grant);
  CHECK(w.ask(busy).code == status::busy); // although it would be queued or granted now
  CHECK(w.ask(end).code == status::ok);
  CHECK(w.holder("k") == owner_name(a, 2));
  // Below done_below nobody waits for an answer.
  w.lock(a, 9, {"other"});
  w.apply(one);
  CHECK(w.last.answers.empty());
  CHECK(w.holder("k") == owner_name(a, 2));
}

TEST_CASE("R1: an acquire decided after its owner's exit takes nothing") {
  world w;
  auto a = w.join("a");
  w.ask(owner_exited{w.open_from(a, 2), a, local_actor_id{5}, ""});
  acquire ghost{w.open_from(a, 1), local_actor_id{5}, {key("k")}, {}, {}};
  CHECK(w.ask(ghost).code == status::not_owner);
  CHECK(w.holder("k").empty());
  CHECK(w.ask(ghost).code == status::not_owner);
  put late{w.open_from(a, 4), "b", key("x"), "1", 5};
  w.ask(owner_exited{w.open_from(a, 5), a, local_actor_id{5}, ""});
  CHECK(w.ask(late).code == status::not_owner);
}

TEST_CASE("R1: an acquire decided after its withdraw is withdrawn") {
  world w;
  auto a = w.join("a");
  CHECK(w.ask(withdraw{w.open_from(a, 2), local_actor_id{5}, seq{1}}).code == status::withdrawn);
  acquire ghost{w.open_from(a, 1), local_actor_id{5}, {key("k")}, {}, {}};
  CHECK(w.ask(ghost).code == status::withdrawn);
  CHECK(w.holder("k").empty());
}

TEST_CASE("a withdraw after a reentrant grant tells it, after the owner's end it does not") {
  world w;
  auto a = w.join("a");
  auto first = w.ask(acquire{w.open_from(a, 1), local_actor_id{5}, {key("k")}, {}, {}});
  w.ask(acquire{w.open_from(a, 2), local_actor_id{5}, {key("k")}, {}, {}});
  auto reply = w.ask(withdraw{w.open_from(a, 3), local_actor_id{5}, seq{2}});
  CHECK(reply.code == status::granted);
  CHECK(reply.grant == first.grant);
  w.ask(owner_exited{w.open_from(a, 4), a, local_actor_id{5}, ""});
  CHECK(w.ask(withdraw{w.open_from(a, 5), local_actor_id{5}, seq{2}}).code == status::withdrawn);
  CHECK(w.ask(withdraw{w.open_from(a, 6), local_actor_id{5}, seq{1}}).code == status::withdrawn);
}

TEST_CASE("R1: a ghost of a withdraw does not end a newer wait") {
  world w;
  auto a = w.join("a");
  w.lock(a, 1, {"k"});
  auto old = w.make_acquire(a, 2, {"k"});
  w.ask(old);
  withdraw end{w.from(a), local_actor_id{2}, old.from.number};
  end.from.done_below = old.from.number;
  w.ask(end);
  auto fresh = w.make_acquire(a, 2, {"k"});
  fresh.from.done_below = old.from.number;
  CHECK(w.ask(fresh).code == status::queued);
  w.ask(end);
  w.exit(a, 1);
  CHECK(w.holder("k") == owner_name(a, 2));
}

TEST_CASE("what is out of bounds does nothing and says why") {
  world w;
  auto a = w.join("a");
  acquire far{{a, seq{max_window + 1}, seq{1}}, local_actor_id{1}, {key("k")}, {}, {}};
  CHECK(w.ask(far).code == status::invalid);
  acquire unsorted{w.open_from(a, 1), local_actor_id{1}, {key("z"), key("k")}, {}, {}};
  auto reply = w.ask(unsorted);
  CHECK(reply.code == status::invalid);
  CHECK(reply.detail.find("sorted") != std::string::npos);
  acquire foreign{{session_id{99}, seq{1}, seq{1}}, local_actor_id{1}, {key("k")}, {}, {}};
  CHECK(w.ask(foreign).code == status::no_session);
  CHECK(w.holder("k").empty());
}

TEST_CASE("validate refuses what is malformed") {
  std::string why;
  origin from{session_id{1}, seq{3}, seq{2}};
  acquire good{from, local_actor_id{1}, {key("k")}, {}, {}};
  CHECK(validate(good, why));
  auto bad = good;
  bad.keys = {};
  CHECK_FALSE(validate(bad, why));
  bad.keys.assign(2, key("k"));
  CHECK_FALSE(validate(bad, why));
  for (const char* text : {"apple", "[1, 2]", "{\"b\":1,\"a\":2}", "\"a\\u0041\"", "01", "-0", "",
                           "\"\xff\"", "[1", "\"a\" "}) {
    CAPTURE(text);
    bad.keys = {term::from_canonical(text)};
    CHECK_FALSE(validate(bad, why));
  }
  for (const char* text : {"\"apple\"", "42", "-7", "[1,2]", "{\"a\":2,\"b\":1}", "null", "0",
                           "\"\xc3\xa9\"", "1.5", "\"a\\nb\""}) {
    CAPTURE(text);
    bad.keys = {term::from_canonical(text)};
    CHECK(validate(bad, why));
  }
  bad.keys = {term::from_canonical(std::string(40, '[') + std::string(40, ']'))};
  CHECK_FALSE(validate(bad, why));
  bad.keys = {term::from_canonical("\"" + std::string(max_term_bytes, 'x') + "\"")};
  CHECK_FALSE(validate(bad, why));
  bad = good;
  bad.mode = static_cast<acquire_mode>(7);
  CHECK_FALSE(validate(bad, why));
  bad = good;
  bad.actor = {};
  CHECK_FALSE(validate(bad, why));
  bad = good;
  bad.from.done_below = seq{4};
  CHECK_FALSE(validate(bad, why));
  bad.from = {session_id{1}, seq{max_seq + 1}, seq{1}};
  CHECK_FALSE(validate(bad, why));
  CHECK_FALSE(validate(withdraw{from, local_actor_id{1}, seq{3}}, why));
  CHECK_FALSE(validate(put{from, "", key("k"), "1", {}}, why));
  CHECK_FALSE(validate(put{from, "b", key("k"), "one", {}}, why));
  CHECK(validate(put{from, "b", key("k"), "[1]", {}}, why));
  CHECK_FALSE(validate(open_session{}, why));
  CHECK(origin_of(good) == from);
  CHECK_FALSE(origin_of(open_session{}));
}
