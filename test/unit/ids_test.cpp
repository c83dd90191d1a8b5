#include <doctest/doctest.h>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/base/ids.hpp"

using namespace paxtor;

TEST_CASE("ids compare with their own kind alone, and zero is none") {
  CHECK(slot{1} < slot{2});
  CHECK(slot{1}.next() == slot{2});
  CHECK_FALSE(slot{}.valid());
  CHECK(slot{1}.valid());
  CHECK_FALSE(std::is_convertible_v<slot, paxtor::index>);
  CHECK_FALSE(std::is_convertible_v<std::uint64_t, slot>);
  CHECK(to_string(slot{42}) == "42");
}

TEST_CASE("ballots are ordered by round, then by voter") {
  CHECK(ballot{1, voter_id{9}} < ballot{2, voter_id{1}});
  CHECK(ballot{2, voter_id{1}} < ballot{2, voter_id{2}});
  CHECK_FALSE(ballot{}.valid());
  CHECK(to_string(ballot{3, voter_id{4}}) == "3.4");
}

TEST_CASE("ids survive the codec") {
  ballot at;
  REQUIRE(decode(encode(ballot{3, voter_id{~std::uint64_t{0}}}), at));
  CHECK(at == ballot{3, voter_id{~std::uint64_t{0}}});
  owner_id owner;
  REQUIRE(decode(encode(owner_id{session_id{5}, local_actor_id{6}}), owner));
  CHECK(owner == owner_id{session_id{5}, local_actor_id{6}});
  CHECK(to_string(owner) == "5/6");
  slot where;
  CHECK_FALSE(decode(encode(std::string{"x"}), where));
  CHECK_FALSE(decode(encode(-1), where));
}
