#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/cluster/frame.hpp"

namespace paxtor::cluster {

namespace {

term key(const char* text) {
  return term::from_canonical(std::string{'"'} + text + '"');
}

registry::location some_location() {
  return {key("apple"), token{12}, session_id{3},     node_id{4},
          "n4",         "host:1",  local_actor_id{5}, "counter"};
}

paxos::configuration some_voters() {
  return {{{voter_id{1}, "a", "h:1"}, {voter_id{2}, "b"}}};
}

/// At least one of every frame, and of every message in it.
std::vector<frame> samples() {
  std::vector<frame> result;
  result.emplace_back(hello_frame{"c",
                                  cluster_id{1},
                                  node_id{2},
                                  "n",
                                  voter_id{3},
                                  "h:1",
                                  3000000,
                                  {"a", "b"},
                                  {1, 2},
                                  {slot{4}, some_voters()}});
  result.emplace_back(refuse_frame{"another cluster: check its name"});
  result.emplace_back(formation_frame{{"a", voter_id{1}, cluster_id{2}, some_voters(), true}});
  ballot at{7, voter_id{1}};
  blob value{std::string(100, 'v')};
  std::vector<paxos::message> messages{
    paxos::prevote_request{at, slot{1}},
    paxos::prevote_reply{at, true, at},
    paxos::prepare{at, slot{2}},
    paxos::promise{at, 0, 2, {{slot{3}, {at, value}}}, slot{1}, slot{2}},
    paxos::rejected{at, at},
    paxos::accept{at, slot{4}, value, slot{3}},
    paxos::accepted{at, slot{4}},
    paxos::heartbeat{at, 9, slot{4}},
    paxos::heartbeat_reply{at, 9},
    paxos::learn{slot{5}},
    paxos::learned_values{slot{5}, {value, value}, slot{9}},
    paxos::snapshot_chunk{slot{9}, index{90}, some_voters(), 0, 200, value},
    paxos::learn_snapshot{slot{9}, 100}};
  for (auto& x : messages)
    result.emplace_back(
      paxos_frame{cluster_id{1}, voter_id{1}, voter_id{2}, paxos::role::learner, x});
  std::vector<node_message> up{submit{{"one", "two"}},
                               renew{session_id{1}, 2, index{3}},
                               read{4, registry::query_why{key("k")}},
                               read{5, registry::query_list{"b", "", 10}},
                               change_voters{6, voter_change::replace, "a", "h:2", "d"},
                               voter_report{voter_id{3}, "a", "h:1", slot{9}, slot{8}}};
  for (auto& x : up)
    result.emplace_back(node_frame{cluster_id{1}, node_id{2}, voter_id{3}, x});
  registry::answer answer{seq{1}, registry::status::located, token{2}, 3, session_id{4}, "5",
                          "why",  {some_location()}};
  registry::effects_for effects{session_id{1}, node_id{2}, index{9}, index{3}, true, {}, 0, 1, {}};
  effects.effects.emplace_back(
    registry::lock_granted{local_actor_id{1}, seq{2}, token{9}, {key("k")}});
  effects.effects.emplace_back(registry::start_singleton{
    key("s"), token{9}, {"t", blob{std::string{"args"}}, {{"zone", "a"}}, {}, {}}});
  effects.effects.emplace_back(registry::name_located{some_location()});
  effects.effects.emplace_back(registry::name_gone{key("s"), token{9}, true, "why"});
  std::vector<voter_message> down{answers{session_id{1}, {answer}},
                                  effects,
                                  renewed{session_id{1}, 2, at},
                                  session_over{session_id{1}},
                                  read_answer{1, "{}"},
                                  not_leading{voter_id{2}, at},
                                  overloaded{}};
  for (auto& x : down)
    result.emplace_back(voter_frame{cluster_id{1}, voter_id{2}, node_id{3}, x});
  return result;
}

/// A hello with the first of its fields alone.
struct old_hello {
  std::string cluster_name;
  MSGPACK_DEFINE(cluster_name)
};

} // namespace

TEST_CASE("every frame comes back as it was sent") {
  for (auto& x : samples()) {
    auto bytes = encode_frame(x);
    frame y;
    REQUIRE(decode_frame(bytes, y) == frame_error::none);
    CHECK(y.index() == x.index());
    CHECK(encode_frame(y) == bytes);
  }
}

TEST_CASE("hellos and refusals are read in any version, so that builds can say that they differ") {
  hello_frame hello;
  hello.node_name = "a";
  hello.versions = {7, 8};
  for (const frame& greeting : {frame{hello}, frame{refuse_frame{"x"}}}) {
    auto bytes = encode_frame(greeting);
    bytes[2] = 9;
    frame out;
    REQUIRE(decode_frame(bytes, out) == frame_error::none);
    CHECK(encode_frame(out) == encode_frame(greeting));
  }
  // A build from before this field reads the first version.
  hello_frame out;
  REQUIRE(decode(encode(old_hello{"shop"}), out));
  CHECK(out.cluster_name == "shop");
  CHECK(out.versions == version_range{1, 1});
}

TEST_CASE("two builds speak the highest version that both read") {
  const auto own = own_versions();
  REQUIRE(own.min <= own.max);
  CHECK(version_for(own) == own.max);
  CHECK(version_for({1, 255}) == own.max);
  CHECK(version_for({own.min, own.min}) == own.min);
  CHECK(meet({1, 2}, {2, 3}));
  CHECK(meet({2, 3}, {1, 2}));
  CHECK(meet({1, 1}, {1, 9}));
  CHECK_FALSE(meet({1, 2}, {3, 4}));
  CHECK_FALSE(meet({3, 4}, {1, 2}));
}

TEST_CASE("what is not a frame is told apart from what is another version's") {
  auto good = encode_frame(formation_frame{});
  frame out;
  CHECK(decode_frame("", out) == frame_error::not_ours);
  CHECK(decode_frame("GET / HTTP/1.1", out) == frame_error::not_ours);
  CHECK(decode_frame("PX", out) == frame_error::malformed);
  auto other = good;
  CHECK(version_in(good) == own_versions().min);
  other[2] = static_cast<char>(own_versions().max + 1);
  CHECK(decode_frame(other, out) == frame_error::other_version);
  other = good;
  other[3] = 99;
  CHECK(decode_frame(other, out) == frame_error::malformed);
  CHECK(decode_frame(good + "x", out) == frame_error::malformed);
  CHECK(version_in("PX") == 0);
  CHECK(version_in("GET / HTTP/1.1") == 0);
  std::string huge(max_frame_bytes + 1, 'P');
  CHECK(decode_frame(huge, out) == frame_error::too_large);
  for (auto x : {frame_error::none, frame_error::too_large, frame_error::not_ours,
                 frame_error::other_version, frame_error::malformed})
    CHECK_FALSE(to_string(x).empty());
}

TEST_CASE("messages that only pass inside a voter are refused from the wire") {
  frame out;
  ballot at{1, voter_id{1}};
  for (paxos::message x :
       {paxos::message{paxos::proposed{at, slot{1}, {}}},
        paxos::message{paxos::accepted_here{at, slot{1}, {}}},
        paxos::message{paxos::observed{at, slot{1}}},
        paxos::message{paxos::advanced{slot{1}, {}, {}}}, paxos::message{paxos::truncate{slot{1}}},
        paxos::message{paxos::already_decided{{{slot{1}, {}}}}}}) {
    auto bytes = encode_frame(paxos_frame{cluster_id{1}, voter_id{1}, voter_id{2}, {}, x});
    CHECK(decode_frame(bytes, out) == frame_error::malformed);
  }
  auto role = static_cast<paxos::role>(7);
  auto bytes =
    encode_frame(paxos_frame{cluster_id{1}, voter_id{1}, voter_id{2}, role, paxos::learn{}});
  CHECK(decode_frame(bytes, out) == frame_error::malformed);
}

TEST_CASE("cut, flipped and random bytes never throw") {
  generator random{42};
  frame out;
  std::size_t refused = 0;
  for (auto& x : samples()) {
    auto bytes = encode_frame(x);
    for (std::size_t n = 0; n < bytes.size(); ++n)
      CHECK(decode_frame(std::string_view{bytes}.substr(0, n), out) != frame_error::none);
    for (int i = 0; i < 2000; ++i) {
      auto bad = bytes;
      for (std::uint64_t flips = random.between(1, 4); flips > 0; --flips)
        bad[random.below(bad.size())] ^= static_cast<char>(1U << random.below(8));
      if (decode_frame(bad, out) != frame_error::none)
        ++refused;
      else
        (void)encode_frame(out); // What decodes is a whole value.
    }
  }
  CHECK(refused > 0);
  for (int i = 0; i < 20000; ++i) {
    std::string bad{"PX\x01"};
    for (std::uint64_t n = random.below(64); n > 0; --n)
      bad.push_back(static_cast<char>(random.next()));
    (void)decode_frame(bad, out);
  }
}

TEST_CASE("a small frame that claims to be large costs nothing") {
  // Arrays of 2^32 - 1 elements inside each other, maps, strings and blobs of the same size.
  for (std::string claim : {"\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xdb\xff\xff\xff\xff",
                            "\xc6\xff\xff\xff\xff"}) {
    for (char which = 0; which < 6; ++which) {
      std::string bad{"PX\x01"};
      bad.push_back(which);
      for (int depth = 0; depth < 64; ++depth)
        bad += claim;
      frame out;
      CHECK(decode_frame(bad, out) == frame_error::malformed);
    }
  }
}

} // namespace paxtor::cluster
