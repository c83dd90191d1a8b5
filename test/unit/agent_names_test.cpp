#include "test/unit/agent_world.hpp"

namespace paxtor::cluster::agent_test {

namespace {

registry::singleton_spec counter() {
  registry::singleton_spec result;
  result.type = "counter";
  return result;
}

/// Hosts answer start orders: actor 500 + token.
void start_all(world& x) {
  for (std::size_t i = 0; i < x.members.size(); ++i)
    for (auto& order : x.notices<registry::start_singleton>(i))
      x.at(i).started(x.now, order.name, order.grant, local_actor_id{500 + order.grant.value});
  x.settle();
}

std::optional<std::size_t> host_of(const world& x, token grant) {
  for (std::size_t i = 0; i < x.members.size(); ++i)
    for (auto& order : x.notices<registry::start_singleton>(i))
      if (order.grant == grant)
        return i;
  return std::nullopt;
}

} // namespace

TEST_CASE("a name is resolved once, then answered without a round trip") {
  world x{2, {}, {"counter"}};
  x.join_all();
  auto first = x.at(0).resolve(x.now, key("apple"), counter());
  auto same = x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  CHECK_FALSE(x.ended<located>(0, first));
  start_all(x);
  REQUIRE(x.ended<located>(0, first));
  CHECK(x.ended<located>(0, same));
  x.members[0].cut = true;
  auto again = x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  CHECK(x.ended<located>(0, again)->where == x.ended<located>(0, first)->where);
  auto wrong = counter();
  wrong.type = "clock";
  auto other = x.at(0).resolve(x.now, key("apple"), wrong);
  x.settle();
  CHECK(x.ended<failed>(0, other)->code == failure::type_mismatch);
  CHECK(x.ended<failed>(0, other)->detail.find("clock") != std::string::npos);
  CHECK(x.logged<registry::resolve>() == 1);
}

TEST_CASE("a type that no node hosts") {
  world x{1};
  x.join_all();
  auto id = x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  REQUIRE(x.ended<failed>(0, id));
  CHECK(x.ended<failed>(0, id)->code == failure::no_host);
}

TEST_CASE("a host that cannot start it: the error reaches who asked") {
  world x{2, {}, {"counter"}};
  x.join_all();
  auto id = x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  for (std::size_t i = 0; i < 2; ++i)
    for (auto& order : x.notices<registry::start_singleton>(i))
      x.at(i).start_failed(x.now, order.name, order.grant, "no such file");
  x.settle();
  REQUIRE(x.ended<failed>(0, id));
  CHECK(x.ended<failed>(0, id)->code == failure::start_failed);
  CHECK(x.ended<failed>(0, id)->detail.find("no such file") != std::string::npos);
  CHECK_FALSE(x.at(0).lease().armed);
  CHECK_FALSE(x.at(1).lease().armed);
}

TEST_CASE("an answer about a life whose end is known already is old") {
  world x{1};
  auto host = x.add("host", {"counter"});
  x.join_all();
  auto session = x.at(0).session();
  auto before = x.machine.last_effect(session);
  x.members[0].lose_answers = true;
  auto first = x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  auto orders = x.notices<registry::start_singleton>(host);
  REQUIRE(orders.size() == 1);
  auto grant = orders[0].grant;
  x.at(host).start_failed(x.now, key("apple"), grant, "no luck");
  x.settle();
  x.members[0].lose_answers = false;
  // The news of its end overtakes the answer that it is starting.
  registry::effects_for news;
  news.session = session;
  news.node = node_of(0);
  news.at = x.machine.last_effect(session);
  news.previous = before;
  news.effects = {registry::name_gone{key("apple"), grant, true, "no luck"}};
  x.at(0).step(x.now, x.leader, news);
  registry::answer late;
  late.number = seq{1};
  late.code = registry::status::starting;
  late.grant = grant;
  x.at(0).step(x.now, x.leader, answers{session, {late}});
  x.settle();
  REQUIRE(x.ended<failed>(0, first));
  CHECK(x.ended<failed>(0, first)->code == failure::start_failed);
  auto second = x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  CHECK(x.notices<registry::start_singleton>(host).size() == 2);
  start_all(x);
  CHECK(x.ended<located>(0, second));
}

TEST_CASE("who uses a name is told when it moves") {
  world x{3, {}, {"counter"}};
  x.join_all();
  auto id = x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  start_all(x);
  auto where = x.ended<located>(0, id)->where;
  auto host = host_of(x, where.grant);
  REQUIRE(host);
  CHECK(x.at(*host).lease().armed);
  x.at(*host).singleton_exited(x.now, key("apple"), where.grant, false, "done");
  x.settle();
  auto news = x.notices<name_moved>(0);
  REQUIRE_FALSE(news.empty());
  CHECK_FALSE(news.back().where);
  CHECK_FALSE(x.at(*host).lease().armed);
  auto next = x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  start_all(x);
  CHECK(x.ended<located>(0, next)->where.grant > where.grant);
}

TEST_CASE(
  "a suspected name that lives where it did is told again, the next suspicion takes longer") {
  world x{2, {}, {"counter"}};
  x.join_all();
  auto id = x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  start_all(x);
  auto where = x.ended<located>(0, id)->where;
  auto told = x.notices<name_moved>(0).size();
  x.at(0).suspect(x.now, key("apple"));
  x.at(0).suspect(x.now, key("apple"));
  auto asked = x.now;
  REQUIRE(x.until([&] { return x.notices<name_moved>(0).size() == told + 1; }, 1s));
  CHECK(x.notices<name_moved>(0).back().where == where);
  auto first = x.now - asked;
  x.at(0).suspect(x.now, key("apple"));
  asked = x.now;
  REQUIRE(x.until([&] { return x.notices<name_moved>(0).size() == told + 2; }, 1s));
  CHECK(x.now - asked > first);
}

TEST_CASE("a start order is carried out once, however often it comes") {
  world x{1, {}, {"counter"}};
  x.join_all();
  x.members[0].lose_effects = true;
  auto id = x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  CHECK(x.notices<registry::start_singleton>(0).empty());
  x.members[0].lose_effects = false;
  x.run(600ms);
  REQUIRE(x.notices<registry::start_singleton>(0).size() == 1);
  auto order = x.notices<registry::start_singleton>(0)[0];
  auto session = x.at(0).session();
  x.at(0).step(x.now, voter_id{1}, *x.machine.sync(session, index{session.value}));
  x.run(600ms);
  CHECK(x.notices<registry::start_singleton>(0).size() == 1);
  x.at(0).started(x.now, order.name, order.grant, local_actor_id{9});
  x.settle();
  CHECK(x.ended<located>(0, id)->where.actor == local_actor_id{9});
}

TEST_CASE("F1: singletons are stopped by the fence, and one that was starting as soon as it has") {
  world x{1, {}, {"counter"}};
  x.join_all();
  x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  start_all(x);
  x.at(0).resolve(x.now, key("banana"), counter());
  x.settle();
  auto orders = x.notices<registry::start_singleton>(0);
  REQUIRE(orders.size() == 2);
  auto old = x.at(0).session();
  x.members[0].cut = true;
  x.run(4s);
  REQUIRE(x.notices<fence>(0).size() == 1);
  CHECK(x.notices<fence>(0)[0].singletons
        == std::vector<local_actor_id>{local_actor_id{500 + orders[0].grant.value}});
  x.at(0).started(x.now, orders[1].name, orders[1].grant, local_actor_id{77});
  x.settle();
  REQUIRE(x.notices<fence>(0).size() == 2);
  CHECK(x.notices<fence>(0)[1].singletons == std::vector<local_actor_id>{local_actor_id{77}});
  x.members[0].cut = false;
  x.at(0).singleton_exited(x.now, orders[0].name, orders[0].grant, true, "killed");
  x.run(500ms);
  CHECK(x.machine.is_open(old)); // I21
  x.at(0).singleton_exited(x.now, orders[1].name, orders[1].grant, true, "killed");
  REQUIRE(x.until([&] { return x.at(0).session().valid(); }, 1s));
  // Its handles are told to ask anew.
  CHECK_FALSE(x.notices<name_moved>(0).back().where);
}

TEST_CASE("a name that is forgotten brings no more news") {
  world x{2, {}, {"counter"}};
  x.join_all();
  auto id = x.at(0).resolve(x.now, key("apple"), counter());
  x.settle();
  start_all(x);
  auto where = x.ended<located>(0, id)->where;
  x.at(0).forget(x.now, key("apple"));
  x.settle();
  CHECK(x.logged<registry::forget>() == 1);
  auto told = x.notices<name_moved>(0).size();
  x.at(*host_of(x, where.grant)).singleton_exited(x.now, key("apple"), where.grant, false, "done");
  x.run(1s);
  CHECK(x.notices<name_moved>(0).size() == told);
}

} // namespace paxtor::cluster::agent_test
