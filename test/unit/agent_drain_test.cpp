#include <nlohmann/json.hpp>

#include "test/unit/agent_world.hpp"

namespace paxtor::cluster::agent_test {

namespace {

registry::singleton_spec counter() {
  registry::singleton_spec result;
  result.type = "counter";
  return result;
}

/// Node 0 hosts the counter, node 1 will be able to, node 2 uses it.
struct drain_world : world {
  drain_world() : world(0) {
    add("a", {"counter"});
    add("client");
    join_all();
    auto id = at(user).resolve(now, key("apple"), counter());
    settle();
    start_last(a);
    REQUIRE(ended<located>(user, id));
    b = add("b", {"counter"});
    join_all();
  }

  /// The host of `i` has started what it was told last.
  void start_last(std::size_t i) {
    auto orders = notices<registry::start_singleton>(i);
    REQUIRE_FALSE(orders.empty());
    old = orders.back();
    at(i).started(now, old.name, old.grant, local_actor_id{500 + old.grant.value});
    settle();
  }

  nlohmann::json drain(const std::string& node, bool on = true) {
    auto id = at(user).drain(now, node, on, std::nullopt);
    settle();
    auto answer = ended<replied>(user, id);
    REQUIRE(answer);
    return nlohmann::json::parse(answer->json);
  }

  static constexpr std::size_t a = 0;
  static constexpr std::size_t user = 1;
  std::size_t b = 0;
  registry::start_singleton old;
};

} // namespace

TEST_CASE("a singleton is handed over once, ends, and is found where it went") {
  drain_world x;
  auto left = x.drain("a");
  CHECK(left["moving"] == 1);
  auto orders = x.notices<registry::hand_over>(x.a);
  REQUIRE(orders.size() == 1);
  CHECK(orders[0].name == key("apple"));
  CHECK(orders[0].grant == x.old.grant);
  // Said again, and by another leader: nothing new, and it is started nowhere.
  x.drain("a");
  x.new_leader(voter_id{2});
  x.run(2s);
  CHECK(x.notices<registry::hand_over>(x.a).size() == 1);
  CHECK(x.notices<registry::start_singleton>(x.b).empty());
  // Its handles were told to let go by its host; the keeper looks for it, and waits.
  x.at(x.user).suspect(x.now, key("apple"));
  auto asked = x.at(x.user).resolve(x.now, key("apple"), counter());
  x.run(2s);
  CHECK_FALSE(x.ended<located>(x.user, asked));
  x.at(x.a).singleton_exited(x.now, x.old.name, x.old.grant, false, "user_shutdown");
  x.settle();
  x.start_last(x.b);
  REQUIRE(x.ended<located>(x.user, asked));
  CHECK(x.ended<located>(x.user, asked)->where.node_name == "b");
  auto moves = x.notices<name_moved>(x.user);
  REQUIRE_FALSE(moves.empty());
  REQUIRE(moves.back().where);
  CHECK(moves.back().where->node_name == "b");
  for (auto& move : moves)
    CHECK(move.where); // Never told to start it anew.
  CHECK(x.drain("a")["singletons"] == 0);
}

TEST_CASE("while it moves the agent asks less and less often where it is") {
  drain_world x;
  x.drain("a");
  x.at(x.user).suspect(x.now, key("apple"));
  auto before = x.logged<registry::resolve>();
  x.run(30s);
  auto asked = x.logged<registry::resolve>() - before;
  CHECK(asked > 3);
  CHECK(asked < 40);
}

TEST_CASE("R4: an order to hand over that was lost comes with the next sync") {
  drain_world x;
  x.members[x.a].lose_effects = true;
  x.drain("a");
  x.run(1s);
  auto lost = x.notices<registry::hand_over>(x.a).empty();
  x.members[x.a].lose_effects = false;
  CHECK(x.until([&] { return x.notices<registry::hand_over>(x.a).size() == 1; }));
  // A sync is an answer to a renewal, so it may have come before.
  (void)lost;
  x.run(2s);
  CHECK(x.notices<registry::hand_over>(x.a).size() == 1);
}

TEST_CASE("an order for what has ended already comes to nothing") {
  drain_world x;
  x.at(x.a).singleton_exited(x.now, x.old.name, x.old.grant, false, "done");
  registry::effects_for late;
  late.session = x.at(x.a).session();
  late.node = node_of(x.a);
  late.previous = x.machine.last_effect(late.session);
  late.at = paxtor::index{late.previous.value + 1000};
  late.effects = {registry::hand_over{x.old.name, x.old.grant},
                  registry::hand_over{key("pear"), token{7}}};
  x.at(x.a).step(x.now, x.leader, late);
  x.settle();
  CHECK(x.notices<registry::hand_over>(x.a).empty());
}

TEST_CASE("what is fenced while it moves is killed and started elsewhere all the same") {
  drain_world x;
  x.drain("a");
  x.members[x.a].cut = true;
  x.expiring = true;
  REQUIRE(x.until([&] { return !x.notices<fence>(x.a).empty(); }));
  CHECK(x.notices<fence>(x.a).back().singletons.size() == 1);
  REQUIRE(x.until([&] { return !x.notices<registry::start_singleton>(x.b).empty(); }));
}

TEST_CASE("what can be said of a drain") {
  drain_world x;
  SUBCASE("no such node") {
    auto id = x.at(x.user).drain(x.now, "nobody", true, std::nullopt);
    x.settle();
    REQUIRE(x.ended<failed>(x.user, id));
    CHECK(x.ended<failed>(x.user, id)->code == failure::invalid);
    CHECK(x.ended<failed>(x.user, id)->detail.find("nobody") != std::string::npos);
  }
  SUBCASE("no name") {
    auto id = x.at(x.user).drain(x.now, "", true, std::nullopt);
    x.settle();
    CHECK(x.ended<failed>(x.user, id)->code == failure::invalid);
  }
  SUBCASE("the deadline passed after it was sent: it may have been done") {
    x.members[x.user].lose_answers = true;
    auto id = x.at(x.user).drain(x.now, "a", true, x.now + 100ms);
    x.run(200ms);
    REQUIRE(x.ended<failed>(x.user, id));
    CHECK(x.ended<failed>(x.user, id)->code == failure::outcome_unknown);
  }
  SUBCASE("the session is lost before the answer: asked again in the next") {
    x.expiring = true;
    x.members[x.user].lose_answers = true;
    auto id = x.at(x.user).drain(x.now, "a", true, std::nullopt);
    x.settle();
    x.members[x.user].cut = true;
    REQUIRE(x.until([&] { return !x.at(x.user).session().valid(); }));
    x.members[x.user].cut = false;
    x.members[x.user].lose_answers = false;
    CHECK(x.until([&] { return x.ended<replied>(x.user, id).has_value(); }));
  }
}

} // namespace paxtor::cluster::agent_test
