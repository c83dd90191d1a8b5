#include "libpaxtor/registry/placement.hpp"
#include "test/unit/registry_fixture.hpp"

using namespace paxtor;
using namespace paxtor::registry;
using paxtor::registry::test::key;
using paxtor::registry::test::world;

namespace {

singleton_spec counter(restart_policy restart = restart_policy::never) {
  singleton_spec spec;
  spec.type = "counter";
  spec.args = blob{"args"};
  spec.restart = restart;
  return spec;
}

struct names_world : world {
  answer resolve(session_id session, const std::string& name, singleton_spec spec = counter()) {
    return ask(registry::resolve{from(session), key(name), std::move(spec)});
  }

  /// The one session that was told to start something by the last command.
  std::pair<session_id, start_singleton> order() const {
    for (const auto& x : last.effects) {
      for (const auto& y : x.effects) {
        if (const auto* z = std::get_if<start_singleton>(&y))
          return {x.session, *z};
      }
    }
    FAIL("no start order");
    return {};
  }

  answer report(const std::pair<session_id, start_singleton>& to, std::uint64_t actor) {
    return ask(started{from(to.first), to.second.name, to.second.grant, local_actor_id{actor}});
  }
};

} // namespace

TEST_CASE("a singleton is placed once, started, and told to all who asked") {
  names_world w;
  auto a = w.join("a", {"counter"});
  auto b = w.join("b");
  auto c = w.join("c");
  auto reply = w.resolve(b, "apple");
  CHECK(reply.code == status::starting);
  auto order = w.order();
  CHECK(order.first == a);
  CHECK(order.second.spec == counter());
  CHECK(w.resolve(c, "apple").code == status::starting);
  CHECK(w.last.effects.empty());
  CHECK(w.report(order, 5).code == status::ok);
  for (auto s : {b, c}) {
    auto told = w.told_of<name_located>(s);
    REQUIRE(told.size() == 1);
    CHECK(told[0].where.node_name == "a");
    CHECK(told[0].where.actor == local_actor_id{5});
    CHECK(told[0].where.grant == order.second.grant);
  }
  auto located = w.resolve(a, "apple");
  CHECK(located.code == status::located);
  REQUIRE(located.where.size() == 1);
  CHECK(located.where[0].type == "counter");
  // Said again after a sync: nothing changes. Another actor under one token: refused.
  CHECK(w.report(order, 5).code == status::ok);
  CHECK(w.report(order, 6).code == status::not_owner);
  auto other = counter();
  other.type = "printer";
  auto mismatch = w.resolve(b, "apple", other);
  CHECK(mismatch.code == status::type_mismatch);
  CHECK(mismatch.detail.find("counter") != std::string::npos);
  CHECK(mismatch.detail.find("printer") != std::string::npos);
}

TEST_CASE("who forgets a name hears no more of it, the singleton runs on") {
  names_world w;
  auto a = w.join("a", {"counter"});
  auto b = w.join("b");
  w.resolve(b, "apple");
  auto order = w.order();
  w.ask(forget{w.from(b), key("apple")});
  w.report(order, 5);
  CHECK(w.told_of<name_located>(b).empty());
  CHECK(w.query(query_name{key("apple")})["state"] == "running");
  // A ghost of an old forget leaves a newer resolve alone.
  registry::resolve newer{w.open_from(b, 9), key("apple"), counter()};
  CHECK(w.ask(newer).code == status::located);
  w.ask(forget{w.open_from(b, 8), key("apple")});
  // And a resolve that is decided after its forget registers nothing and places nothing.
  w.ask(forget{w.open_from(b, 12), key("pear")});
  CHECK(w.ask(registry::resolve{w.open_from(b, 11), key("pear"), counter()}).code == status::ended);
  w.ask(singleton_exited{w.from(a), key("apple"), order.second.grant, false, "done"});
  CHECK(w.told_of<name_gone>(b).size() == 1);
  CHECK(w.query(query_counts{})["names"] == 0);
}

TEST_CASE("a start that fails is told to all who wait, and forgotten") {
  names_world w;
  w.join("a", {"counter"});
  auto b = w.join("b");
  w.resolve(b, "apple");
  auto order = w.order();
  w.ask(start_failed{w.from(order.first), key("apple"), order.second.grant, "no memory"});
  auto gone = w.told_of<name_gone>(b);
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].failed);
  CHECK(gone[0].reason == "no memory");
  // The late `started` of that run is nobody's.
  CHECK(w.report(order, 5).code == status::not_owner);
  CHECK(w.query(query_name{key("apple")})["state"] == "none");
}

TEST_CASE("a repeated resolve is answered from state") {
  names_world w;
  w.join("a", {"counter"});
  auto b = w.join("b");
  registry::resolve what{w.from(b), key("apple"), counter()};
  CHECK(w.ask(what).code == status::starting);
  auto order = w.order();
  w.report(order, 5);
  CHECK(w.ask(what).code == status::located);
  w.ask(singleton_exited{w.from(order.first), key("apple"), order.second.grant, false, ""});
  CHECK(w.ask(what).code == status::ended);
  CHECK(w.query(query_counts{})["names"] == 0);
}

TEST_CASE("R1: a repeated resolve is not answered with a later life, of which no news would come") {
  names_world w;
  auto a = w.join("a", {"counter"});
  auto b = w.join("b");
  registry::resolve what{w.from(b), key("apple"), counter()};
  CHECK(w.ask(what).code == status::starting);
  auto order = w.order();
  w.report(order, 5);
  w.ask(singleton_exited{w.from(order.first), key("apple"), order.second.grant, false, ""});
  CHECK(w.ask(registry::resolve{w.from(a), key("apple"), counter()}).code == status::starting);
  auto again = w.order();
  CHECK(w.ask(what).code == status::ended);
  w.report(again, 6);
  CHECK(w.ask(what).code == status::ended);
  CHECK(w.ask(registry::resolve{w.from(b), key("apple"), counter()}).code == status::located);
}

TEST_CASE("the end of a host places its singletons again in the same entry") {
  names_world w;
  auto a = w.join("a", {"counter"});
  auto client = w.join("client");
  w.resolve(client, "apple");
  auto order = w.order();
  w.report(order, 5);
  auto b = w.join("b", {"counter"});
  w.ask(close_session{a, end_reason::left, ""});
  auto again = w.order();
  CHECK(again.first == b);
  CHECK(again.second.grant > order.second.grant);
  CHECK(again.second.grant.value == w.at.value);
  // A sync has the order until it is carried out, and no location meanwhile.
  auto sync = w.reg.sync(b, paxtor::index{b.value});
  REQUIRE(sync);
  CHECK(std::holds_alternative<start_singleton>(sync->effects.at(0)));
  CHECK(w.reg.sync(client, paxtor::index{0})->effects.empty());
  w.report(again, 6);
  CHECK(w.told_of<name_located>(client).size() == 2);
  CHECK(w.reg.sync(b, paxtor::index{b.value})->effects.empty());
  CHECK(w.reg.sync(client, paxtor::index{0})->effects.size() == 1);
  w.ask(close_session{b, end_reason::left, ""});
  auto gone = w.told_of<name_gone>(client);
  REQUIRE(gone.size() == 1);
  CHECK_FALSE(gone[0].failed);
  CHECK(gone[0].reason.find("no other can host it") != std::string::npos);
  auto none = w.resolve(client, "apple");
  CHECK(none.code == status::no_host);
  w.ask(close_session{client, end_reason::left, ""});
  CHECK(w.reg.nothing_left());
}

TEST_CASE("restart policies, and their bound") {
  for (auto policy : {restart_policy::never, restart_policy::on_failure, restart_policy::always}) {
    for (bool failed : {false, true}) {
      CAPTURE(static_cast<int>(policy));
      CAPTURE(failed);
      names_world w;
      auto a = w.join("a", {"counter"});
      w.resolve(a, "apple", counter(policy));
      bool again =
        policy == restart_policy::always || (policy == restart_policy::on_failure && failed);
      auto order = w.order();
      for (int i = 0; again && i < 5; ++i) {
        w.report(order, 5);
        w.ask(singleton_exited{w.from(a), key("apple"), order.second.grant, failed, "oops"});
        order = w.order();
        CHECK(w.told_of<name_gone>(a).empty());
      }
      w.report(order, 5);
      w.ask(singleton_exited{w.from(a), key("apple"), order.second.grant, failed, "oops"});
      auto gone = w.told_of<name_gone>(a);
      REQUIRE(gone.size() == 1);
      CHECK(gone[0].reason.find("oops") != std::string::npos);
      CHECK((gone[0].reason.find("restarts") != std::string::npos) == again);
      CHECK(w.query(query_counts{})["names"] == 0);
    }
  }
}

TEST_CASE("a report counts only from the host, under its token") {
  names_world w;
  auto a = w.join("a", {"counter"});
  auto b = w.join("b");
  w.resolve(b, "apple");
  auto order = w.order();
  CHECK(w.ask(started{w.from(b), key("apple"), order.second.grant, local_actor_id{1}}).code
        == status::not_owner);
  CHECK(
    w.ask(started{w.from(a), key("apple"), token{order.second.grant.value + 1}, local_actor_id{1}})
      .code
    == status::not_owner);
  CHECK(w.ask(singleton_exited{w.from(b), key("apple"), order.second.grant, true, ""}).code
        == status::not_owner);
}

TEST_CASE("R5: placement asks for type, labels and room") {
  world w;
  open_session what;
  what.node = node_id{1};
  what.name = "ssd";
  what.types = {"counter"};
  what.labels = {{"disk", "ssd"}};
  what.capacity = 1;
  auto ssd = w.ask(what).opened;
  w.join("plain", {"counter"});
  w.join("other", {"printer"});
  auto spec = counter();
  spec.labels = {{"disk", "ssd"}};
  w.ask(registry::resolve{w.from(ssd), key("one"), spec});
  CHECK(w.query(query_name{key("one")})["node"] == "ssd");
  auto reply = w.ask(registry::resolve{w.from(ssd), key("two"), spec});
  CHECK(reply.code == status::no_host);
  CHECK(reply.detail.find("labels") != std::string::npos);
}

TEST_CASE("R5: rendezvous spreads names and moves only those of the node that left") {
  world w;
  std::vector<session_id> hosts;
  for (int i = 0; i < 4; ++i)
    hosts.push_back(w.join("n" + std::to_string(i), {"counter"}));
  auto client = w.join("client");
  auto where = [&](int i) {
    return w.query(query_name{key("name-" + std::to_string(i))})["node"].get<std::string>();
  };
  std::map<std::string, int> load;
  std::vector<std::string> before;
  for (int i = 0; i < 200; ++i) {
    w.ask(registry::resolve{w.from(client), key("name-" + std::to_string(i)), counter()});
    before.push_back(where(i));
    ++load[before.back()];
  }
  CHECK(load.size() == 4);
  for (const auto& [name, count] : load)
    CHECK(count > 20);
  w.ask(close_session{hosts[2], end_reason::left, ""});
  for (int i = 0; i < 200; ++i) {
    if (before[static_cast<std::size_t>(i)] != "n2")
      CHECK(where(i) == before[static_cast<std::size_t>(i)]);
    else
      CHECK(where(i) != "n2");
  }
}

TEST_CASE("R5: fewest fills the emptiest node") {
  world w;
  for (int i = 0; i < 3; ++i)
    w.join("n" + std::to_string(i), {"counter"});
  auto client = w.join("client");
  auto spec = counter();
  spec.where = placement::fewest;
  for (int i = 0; i < 9; ++i)
    w.ask(registry::resolve{w.from(client), key("name-" + std::to_string(i)), spec});
  auto members = w.query(query_members{})["members"];
  for (int i = 0; i < 3; ++i)
    CHECK(members[static_cast<std::size_t>(i)]["singletons"] == 3);
  CHECK(hash_text("") == 0xcbf29ce484222325ULL);
  CHECK(hash_text("a") == 0xaf63dc4c8601ec8cULL);
}
