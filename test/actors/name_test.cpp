#include <memory>
#include <string>
#include <vector>

#include "test/actors/nodes.hpp"

using namespace test;
using paxtor::errc;

namespace {

outcome<int> increment(node& on, const caf::actor& whom, int by = 1) {
  caf::scoped_actor self{*on.sys};
  return wait<int>(self->request(whom, patience, inc_atom::value, by));
}

std::string home(node& on, const paxtor::key& name, const std::string& type = "counter") {
  caf::scoped_actor self{*on.sys};
  return wait<paxtor::whereabouts>(on.door.whereis(self, name, type)).value.node;
}

bool runs(node& on, const paxtor::key& name) {
  caf::scoped_actor self{*on.sys};
  const auto known =
    wait<paxtor::document>(on.door.ask(self, {"name", {}, name.text(), {}, 0, {}}));
  return known.ok() && known.value.value.dump().find("\"running\"") != std::string::npos;
}

} // namespace

TEST_CASE("one node alone: nothing runs before the first message, then it counts") {
  nodes cluster{1};
  auto& a = cluster[0];
  const auto apple = a.door.name("apple", "counter");
  CHECK(a.door.name("apple", "counter") == apple);
  CHECK(!runs(a, "apple"));
  for (int i = 1; i <= 10; ++i)
    CHECK(increment(a, apple).value == i);
  CHECK(runs(a, "apple"));
}

TEST_CASE("increments from three nodes reach one actor") {
  nodes cluster{3};
  int last = 0;
  std::vector<caf::actor> handles;
  for (std::size_t n = 0; n < 3; ++n)
    handles.push_back(cluster[n].door.name("apple", "counter"));
  for (int round = 0; round < 5; ++round)
    for (std::size_t n = 0; n < 3; ++n) {
      const auto got = increment(cluster[n], handles[n]);
      INFO(paxtor::describe(got.error));
      REQUIRE(got.ok());
      CHECK(got.value == ++last);
    }
  const auto where = home(cluster[0], "apple");
  CHECK(where == home(cluster[1], "apple"));
  CHECK(where == home(cluster[2], "apple"));
}

TEST_CASE("names are spread, and each runs once") {
  nodes cluster{3};
  std::set<std::string> homes;
  for (int i = 0; i < 20; ++i)
    homes.insert(home(cluster[static_cast<std::size_t>(i) % 3], "name-" + std::to_string(i)));
  CHECK(homes.size() > 1);
}

TEST_CASE("a singleton whose node leaves is started elsewhere by the next message") {
  nodes cluster{3};
  auto& x = cluster.add("x");
  // The one that the client node hosts.
  std::string name;
  for (int i = 0; i < 200 && name.empty(); ++i)
    if (home(cluster[0], "n" + std::to_string(i)) == "x")
      name = "n" + std::to_string(i);
  REQUIRE(!name.empty());
  const auto handle = cluster[1].door.name(name, "counter");
  CHECK(increment(cluster[1], handle).value == 1);
  CHECK(increment(cluster[1], handle).value == 2);
  x.stop();
  outcome<int> after;
  // A request that was on its way to the old one may be told that it was not delivered.
  CHECK(eventually([&] {
    after = increment(cluster[1], handle);
    return after.ok();
  }));
  CHECK(after.value == 1);
  CHECK(home(cluster[0], name) != "x");
}

TEST_CASE("a client node that hosts nothing uses names as any other") {
  nodes cluster{1};
  auto& x = cluster.add("x", false, false);
  const auto handle = x.door.name("apple", "counter");
  CHECK(increment(x, handle).value == 1);
  CHECK(home(x, "apple") == "a");
}

TEST_CASE("arguments reach the constructor") {
  nodes cluster{1};
  auto& a = cluster[0];
  CHECK(increment(a, a.door.name("from-ten", "counter-from", caf::make_message(10))).value == 11);
}

TEST_CASE("a singleton that ended is started anew by the next message") {
  nodes cluster{1};
  auto& a = cluster[0];
  const auto handle = a.door.name("apple", "counter");
  CHECK(increment(a, handle).value == 1);
  caf::anon_send(handle, stop_atom::value);
  CHECK(eventually([&] {
    const auto got = increment(a, handle);
    return got.ok() && got.value == 1;
  }));
}

TEST_CASE("what cannot be delivered is answered") {
  nodes cluster{1};
  auto& a = cluster[0];
  SUBCASE("no node has the type") {
    const auto got = increment(a, a.door.name("apple", "no-such-type"));
    CHECK(got.code == errc::no_host);
    CHECK(paxtor::describe(got.error).find("no-such-type") != std::string::npos);
  }
  SUBCASE("the name runs with another type") {
    CHECK(increment(a, a.door.name("apple", "counter")).ok());
    const auto got = increment(a, a.door.name("apple", "counter-from", caf::make_message(1)));
    CHECK(got.code == errc::type_mismatch);
    const auto text = paxtor::describe(got.error);
    CHECK(text.find("counter-from") != std::string::npos);
  }
  SUBCASE("the host cannot start it") {
    const auto got = increment(a, a.door.name("inn", "thrower"));
    CHECK(got.code == errc::start_failed);
    CHECK(paxtor::describe(got.error).find("no room in the inn") != std::string::npos);
  }
  SUBCASE("arguments of the wrong type") {
    const auto got =
      increment(a, a.door.name("apple", "counter-from", caf::make_message(std::string{"ten"})));
    CHECK(got.code == errc::start_failed);
    CHECK(paxtor::describe(got.error).find("each by value") != std::string::npos);
  }
  SUBCASE("a name that is too long") {
    const auto got = increment(a, a.door.name(std::string(5000, 'x'), "counter"));
    CHECK(got.code == errc::invalid);
  }
  SUBCASE("after leave") {
    const auto handle = a.door.name("apple", "counter");
    a.door.leave();
    a.stop();
    CHECK(a.sys == nullptr);
  }
}

TEST_CASE("typed handles") {
  nodes cluster{1};
  auto& a = cluster[0];
  caf::scoped_actor self{*a.sys};
  const auto counts = a.door.name<typed_counter>("apple", "strict-counter");
  CHECK(wait<int>(self->request(counts, patience, inc_atom::value, 1)).value == 1);
  SUBCASE("an untyped handle may call it too") {
    CHECK(increment(a, a.door.name("apple", "strict-counter")).value == 2);
  }
  SUBCASE("a handle of another interface is refused") {
    const auto other = a.door.name<typed_other>("apple", "strict-counter");
    const auto got = wait<std::string>(self->request(other, patience, where_atom::value));
    CHECK(got.code == errc::type_mismatch);
  }
  SUBCASE("an untyped actor has no interface to promise") {
    const auto other = a.door.name<typed_counter>("banana", "counter");
    const auto got = wait<int>(self->request(other, patience, inc_atom::value, 1));
    CHECK(got.code == errc::type_mismatch);
  }
}

TEST_CASE("a handle made for one message is enough") {
  nodes cluster{1};
  auto& a = cluster[0];
  for (int i = 0; i < 5; ++i)
    caf::anon_send(a.door.name("apple", "counter"), inc_atom::value, 1);
  CHECK(increment(a, a.door.name("apple", "counter")).value == 6);
}

TEST_CASE("a handle sent to another node works there, by way of this one") {
  nodes cluster{3};
  auto& a = cluster[0];
  const auto apple = a.door.name("apple", "counter");
  std::string away;
  for (int i = 0; i < 200 && away.empty(); ++i)
    if (home(a, "courier-" + std::to_string(i), "courier") != "a")
      away = "courier-" + std::to_string(i);
  REQUIRE(!away.empty());
  const auto carrier = a.door.name(away, "courier");
  caf::scoped_actor self{*a.sys};
  CHECK(wait<int>(self->request(carrier, patience, apple, 5)).value == 5);
  CHECK(increment(a, apple).value == 6);
}

TEST_CASE("labels and capacity choose the host") {
  nodes cluster{1};
  auto o = cluster.client_options("x");
  o.labels = {"zone=east"};
  o.capacity = 2;
  auto& x = cluster.add(o);
  paxtor::name_options east;
  east.labels = {{"zone", "east"}};
  caf::scoped_actor self{*x.sys};
  auto where = [&](const std::string& name) {
    return wait<paxtor::whereabouts>(x.door.whereis(self, name, "counter", {}, east));
  };
  CHECK(where("one").value.node == "x");
  CHECK(where("two").value.node == "x");
  // It is full, and nobody else is in the east.
  CHECK(where("three").code == errc::no_host);
}
