#include "test/unit/agent_world.hpp"

namespace paxtor::cluster::agent_test {

namespace {

acquire_options strictly() {
  acquire_options result;
  result.kind = registry::ownership::strict;
  return result;
}

} // namespace

TEST_CASE("leave: everything is stopped, the session is closed, nothing is left") {
  world x{1};
  x.join_all();
  x.lock(0, 1, "k");
  x.lock(0, 2, "s", strictly());
  x.settle();
  auto waiting = x.lock(0, 3, "k");
  x.settle();
  x.at(0).leave(x.now);
  x.settle();
  REQUIRE(x.notices<fence>(0).size() == 1);
  CHECK(x.notices<fence>(0)[0].owners.size() == 2);
  CHECK(x.ended<failed>(0, waiting)->code == failure::not_joined);
  x.run(100ms);
  CHECK(x.notices<session_left>(0).empty());
  CHECK(x.holder("k"));
  x.exit(0, 1);
  x.exit(0, 2);
  x.exit(0, 3);
  REQUIRE(x.until([&] { return x.notices<session_left>(0).size() == 1; }, 500ms));
  CHECK(x.machine.nothing_left());
  CHECK_FALSE(x.at(0).lease().armed);
  auto late = x.lock(0, 9, "k");
  x.settle();
  CHECK(x.ended<failed>(0, late)->code == failure::not_joined);
}

TEST_CASE(
  "leave ends after one ttl though nobody answers, and at once before anything was opened") {
  world x{1};
  x.join_all();
  x.members[0].cut = true;
  x.at(0).leave(x.now);
  x.run(2900ms);
  CHECK(x.notices<session_left>(0).empty());
  x.run(150ms);
  CHECK(x.notices<session_left>(0).size() == 1);
  auto other = x.add("fresh");
  x.at(other).leave(x.now);
  x.settle();
  CHECK(x.notices<session_left>(other).size() == 1);
}

TEST_CASE("messages that are late, foreign or nonsense change nothing") {
  world x{1};
  x.join_all();
  auto session = x.at(0).session();
  auto before = x.at(0).dropped();
  x.at(0).step(x.now, voter_id{9}, renewed{session_id{7}, 1, x.by});
  x.at(0).step(x.now, voter_id{9}, session_over{session_id{7}});
  x.at(0).step(x.now, voter_id{9}, session_over{session_id{}});
  x.at(0).step(
    x.now, voter_id{9},
    answers{session,
            {registry::answer{seq{500}, registry::status::granted, token{1}, 0, {}, "", "", {}}}});
  x.at(0).step(x.now, voter_id{9}, answers{session_id{}, {registry::answer{}}});
  x.at(0).step(x.now, voter_id{9}, read_answer{12, "{}"});
  x.at(0).step(
    x.now, voter_id{9},
    registry::effects_for{session, node_id{5}, index{900}, index{1}, true, {}, 0, 1, {}});
  x.settle();
  CHECK(x.at(0).dropped() == before + 7);
  CHECK(x.at(0).session() == session);
  CHECK(x.at(0).valid(x.now));
}

} // namespace paxtor::cluster::agent_test
