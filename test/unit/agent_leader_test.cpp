#include "test/unit/agent_world.hpp"

namespace paxtor::cluster::agent_test {

TEST_CASE("a leader's death fences nobody, and its successor is found quickly") {
  world x{3};
  x.join_all();
  x.lock(0, 1, "a");
  x.settle();
  auto leader = x.leader;
  x.leading = false;
  for (std::size_t i = 0; i < 3; ++i)
    x.at(i).link_down(x.now, leader);
  auto waiting = x.lock(1, 1, "b");
  x.run(500ms);
  x.new_leader(voter_id{2});
  x.leading = true;
  auto since = x.now;
  REQUIRE(x.until([&] { return x.ended<granted>(1, waiting).has_value(); }));
  CHECK(x.now - since <= 200ms);
  x.run(3s);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(x.notices<fence>(i).empty());
}

TEST_CASE("leaders that live shorter than the time between renewals fence nobody") {
  lease_options leases;
  leases.ttl = 15s;
  world x{1, leases};
  x.join_all();
  x.lock(0, 1, "k");
  x.settle();
  const auto session = x.at(0).session();
  for (auto voter : x.voters)
    x.at(0).link_up(x.now, voter);
  for (std::uint64_t death = 0; death < 30; ++death) {
    x.leading = false;
    x.at(0).link_down(x.now, x.leader);
    // Renewals go to voters that refuse them.
    x.run(200ms);
    x.at(0).link_up(x.now, x.leader);
    x.new_leader(voter_id{1 + (x.leader.value % 3)});
    x.leading = true;
    // It shows itself by an effect, before a voter is asked again who leads.
    x.at(0).step(x.now, x.leader,
                 registry::effects_for{
                   session, node_of(0), index{session.value}, index{0}, false, {}, 0, 1, {}});
    REQUIRE(x.at(0).leader() == x.leader);
    x.run(20ms);
    CHECK(x.at(0).lease().lease_end >= x.now - 20ms + leases.ttl);
    x.run(leases.renew_every() / 2);
  }
  CHECK(x.notices<fence>(0).empty());
  CHECK(x.at(0).session() == session);
  CHECK(x.at(0).least_left() > leases.ttl - leases.renew_every());
  CHECK(x.at(0).least_left() < leases.ttl - leases.renew_every() / 2);
}

} // namespace paxtor::cluster::agent_test
