#include <doctest/doctest.h>

#include "paxos_net.hpp"

using namespace paxtor;
using namespace paxtor::paxos;
using paxtor::paxos::test::network;

namespace {

using net = network<replica>;

std::size_t elect(net& x) {
  REQUIRE(x.run_until([&] { return x.leader().has_value(); }));
  return *x.leader();
}

} // namespace

TEST_CASE("three voters elect a leader, commit, and survive the leader's crash") {
  net x{1, 3};
  const auto first = elect(x);
  REQUIRE(x.propose(first, "one"));
  REQUIRE(x.run_until([&] { return x.all_have("one"); }));
  x.crash(first);
  REQUIRE(x.run_until([&] { return x.leader().has_value(); }, std::chrono::seconds{1}));
  const auto second = *x.leader();
  CHECK(second != first);
  REQUIRE(x.propose(second, "two"));
  REQUIRE(x.run_until([&] { return x.all_have("two"); }));
  x.start(first);
  REQUIRE(x.run_until([&] { return x.all_have("two") && net::has(x.at(first), "one"); }));
  CHECK(x.leader() == second);
}

TEST_CASE("a single voter decides alone") {
  net x{2, 1};
  const auto me = elect(x);
  REQUIRE(x.propose(me, "one"));
  REQUIRE(x.run_until([&] { return x.all_have("one"); }));
  x.confirm(me, 7);
  REQUIRE(x.run_until([&] { return !x.at(me).confirmed.empty(); }));
  CHECK(x.at(me).confirmed[0].id == 7);
}
