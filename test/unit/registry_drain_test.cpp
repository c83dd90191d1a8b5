#include "libpaxtor/registry/image.hpp"
#include "libpaxtor/registry/window.hpp"
#include "test/unit/registry_fixture.hpp"

using namespace paxtor;
using namespace paxtor::registry;
using paxtor::registry::test::key;
using paxtor::registry::test::world;

namespace {

singleton_spec counter(restart_policy restart = restart_policy::never) {
  singleton_spec spec;
  spec.type = "counter";
  spec.restart = restart;
  return spec;
}

struct drain_world : world {
  answer resolve(session_id session, const std::string& name, singleton_spec spec = counter()) {
    return ask(registry::resolve{from(session), key(name), std::move(spec)});
  }

  nlohmann::json drain(session_id by, const std::string& node, bool on = true) {
    auto reply = ask(registry::drain{from(by), node, on});
    REQUIRE(reply.code == status::ok);
    return nlohmann::json::parse(reply.value);
  }

  /// Those told by the last command to do this, in the order of their sessions.
  template <class Effect>
  std::vector<std::pair<session_id, Effect>> orders() const {
    std::vector<std::pair<session_id, Effect>> result;
    for (const auto& x : last.effects)
      for (const auto& y : x.effects)
        if (const auto* z = std::get_if<Effect>(&y))
          result.emplace_back(x.session, *z);
    return result;
  }

  /// The start order of the last command.
  std::pair<session_id, start_singleton> start() const {
    auto all = orders<start_singleton>();
    REQUIRE(all.size() == 1);
    return all.front();
  }

  /// Starts it, and says where it runs.
  std::pair<session_id, start_singleton> run(session_id by, const std::string& name,
                                             singleton_spec spec = counter()) {
    REQUIRE(resolve(by, name, std::move(spec)).code == status::starting);
    auto order = start();
    started_there(order);
    return order;
  }

  void started_there(const std::pair<session_id, start_singleton>& order) {
    REQUIRE(ask(started{from(order.first), order.second.name, order.second.grant,
                        local_actor_id{order.second.grant.value}})
              .code
            == status::ok);
  }

  status end(const std::pair<session_id, start_singleton>& order, bool failed = false) {
    return ask(singleton_exited{from(order.first), order.second.name, order.second.grant, failed,
                                "asked to"})
      .code;
  }

  nlohmann::json state(const std::string& name) { return query(query_name{key(name)}); }

  nlohmann::json member(const std::string& node) {
    const auto all = query(query_members{});
    for (const auto& x : all["members"])
      if (x["node"] == node)
        return x;
    return {};
  }
};

} // namespace

TEST_CASE("a drained node's singleton ends there before it is started elsewhere") {
  drain_world w;
  auto a = w.join("a", {"counter"});
  auto client = w.join("client");
  auto old = w.run(client, "apple");
  auto b = w.join("b", {"counter"});
  CHECK(w.orders<hand_over>().empty());
  auto left = w.drain(client, "a");
  // Its node is told to hand it over; nobody is told to start it.
  auto orders = w.orders<hand_over>();
  REQUIRE(orders.size() == 1);
  CHECK(orders[0].first == a);
  CHECK(orders[0].second.name == key("apple"));
  CHECK(orders[0].second.grant == old.second.grant);
  CHECK(w.orders<start_singleton>().empty());
  CHECK(left["singletons"] == 1);
  CHECK(left["moving"] == 1);
  CHECK(left["staying"] == 0);
  CHECK(left["left"][0]["name"] == "apple");
  CHECK(left["left"][0]["to"] == "b");
  CHECK(left["left"][0]["state"] == "moving");
  CHECK(w.state("apple")["state"] == "moving");
  CHECK(w.member("a")["drained"] == true);
  CHECK(w.member("b")["drained"] == false);
  // Whoever asks meanwhile waits for its new place.
  CHECK(w.resolve(b, "apple").code == status::starting);
  CHECK(w.orders<start_singleton>().empty());
  CHECK(w.end(old) == status::ok);
  auto fresh = w.start();
  CHECK(fresh.first == b);
  CHECK(fresh.second.grant > old.second.grant);
  w.started_there(fresh);
  for (auto s : {b, client}) {
    auto told = w.told_of<name_located>(s);
    REQUIRE_FALSE(told.empty());
    CHECK(told.back().where.node_name == "b");
  }
  CHECK(w.told_of<name_gone>(client).empty());
  CHECK(w.drain(client, "a")["singletons"] == 0);
  CHECK(w.end(old) == status::not_owner);
}

TEST_CASE("a drained node gets no new singletons, until that is taken back") {
  drain_world w;
  w.join("a", {"counter"});
  auto client = w.join("client");
  CHECK(w.drain(client, "a")["drained"] == true);
  auto refused = w.resolve(client, "apple");
  CHECK(refused.code == status::no_host);
  CHECK(refused.detail.find("a, which is drained") != std::string::npos);
  CHECK(refused.detail.find("--undo") != std::string::npos);
  auto b = w.join("b", {"counter"});
  for (int i = 0; i < 20; ++i)
    CHECK(w.run(client, "n" + std::to_string(i)).first == b);
  CHECK(w.drain(client, "a", false)["drained"] == false);
  std::set<session_id> homes;
  for (int i = 20; i < 60; ++i)
    homes.insert(w.run(client, "n" + std::to_string(i)).first);
  CHECK(homes.size() == 2);
}

TEST_CASE("what no other node can host stays, and is told: a node that comes takes it") {
  drain_world w;
  auto a = w.join("a", {"counter", "printer"});
  auto b = w.join("b", {"counter"});
  auto client = w.join("client");
  auto printer = counter();
  printer.type = "printer";
  auto old = w.run(client, "laser", printer);
  CHECK(old.first == a);
  auto left = w.drain(client, "a");
  CHECK(w.last.effects.empty());
  CHECK(left["staying"] == 1);
  CHECK(left["left"][0]["stays"] == true);
  CHECK(left["left"][0]["type"] == "printer");
  CHECK(left["left"][0]["to"] == nullptr);
  CHECK(w.state("laser")["state"] == "running");
  // Said again, nothing changes.
  CHECK(w.drain(client, "a") == left);
  // One that ends by itself and is to be restarted may stay where no other can take it.
  auto always = printer;
  always.restart = restart_policy::always;
  w.drain(client, "a", false);
  auto ink = w.run(client, "ink", always);
  w.drain(client, "a");
  CHECK(w.end(ink) == status::ok);
  auto again = w.start();
  CHECK(again.first == a);
  // A node that can host it comes: both move, also the one that was being started.
  auto c = w.join("c", {"printer"});
  auto orders = w.orders<hand_over>();
  REQUIRE(orders.size() == 1);
  CHECK(orders[0].second.name == key("laser"));
  const auto told = w.told_of<name_located>(client).size();
  w.started_there(again);
  orders = w.orders<hand_over>();
  REQUIRE(orders.size() == 1);
  CHECK(orders[0].second.name == key("ink"));
  // Nobody is sent to where it does not stay.
  CHECK(w.told_of<name_located>(client).size() == told);
  w.end(old);
  CHECK(w.start().first == c);
  (void)b;
}

TEST_CASE("room is kept for what moves") {
  drain_world w;
  w.join("a", {"counter"});
  auto client = w.join("client");
  auto one = w.run(client, "one");
  auto two = w.run(client, "two");
  auto b = w.join("b", {"counter"}, 1);
  auto left = w.drain(client, "a");
  CHECK(left["moving"] == 1);
  CHECK(left["staying"] == 1);
  // b is full, though it hosts nothing yet: a new name finds no room.
  CHECK(w.resolve(client, "three").code == status::no_host);
  auto moved = w.orders<hand_over>();
  w.drain(client, "a");
  auto first = w.state("one")["state"] == "moving" ? one : two;
  auto second = w.state("one")["state"] == "moving" ? two : one;
  CHECK(w.end(first) == status::ok);
  CHECK(w.start().first == b);
  // Its own end while it stays is as ever: forgotten, and the next message finds a host or none.
  CHECK(w.end(second) == status::ok);
  CHECK(w.orders<start_singleton>().empty());
}

TEST_CASE("a move goes on when its next host ends or is drained itself") {
  drain_world w;
  auto a = w.join("a", {"counter"});
  auto client = w.join("client");
  auto old = w.run(client, "apple");
  auto b = w.join("b", {"counter"});
  w.drain(client, "a");
  SUBCASE("another can take it") {
    auto c = w.join("c", {"counter"});
    SUBCASE("it ends") {
      w.apply(close_session{b, end_reason::left, ""});
    }
    SUBCASE("it is drained") {
      w.drain(client, "b");
    }
    CHECK(w.orders<start_singleton>().empty());
    CHECK(w.state("apple")["state"] == "moving");
    w.end(old);
    CHECK(w.start().first == c);
  }
  SUBCASE("none can: it is started where it was, rather than nowhere") {
    w.apply(close_session{b, end_reason::left, ""});
    w.end(old, true);
    auto again = w.start();
    CHECK(again.first == a);
    w.started_there(again);
    CHECK(w.orders<hand_over>().empty());
    CHECK(w.drain(client, "a")["staying"] == 1);
  }
  SUBCASE("none can, and the drain was taken back meanwhile") {
    w.drain(client, "a", false);
    CHECK(w.state("apple")["state"] == "moving");
    w.apply(close_session{b, end_reason::left, ""});
    w.end(old);
    CHECK(w.start().first == a);
  }
}

TEST_CASE("a drained node that ends gives up what moves, and what stays, as any other") {
  drain_world w;
  auto a = w.join("a", {"counter", "printer"});
  auto client = w.join("client");
  auto old = w.run(client, "apple");
  auto printer = counter();
  printer.type = "printer";
  w.run(client, "laser", printer);
  auto b = w.join("b", {"counter"});
  w.drain(client, "a");
  w.apply(close_session{a, end_reason::left, ""});
  auto fresh = w.start();
  CHECK(fresh.first == b);
  CHECK(fresh.second.name == key("apple"));
  CHECK(w.told_of<name_gone>(client).back().name == key("laser"));
  CHECK(w.ask(registry::drain{w.from(client), "a", true}).code == status::no_node);
  CHECK(w.query(query_counts{})["names"] == 1);
  (void)old;
}

TEST_CASE("draining is for as long as a process lives, whatever becomes of its session") {
  drain_world w;
  open_session what{node_id{7}, 1, "a", "", {"counter"}, {}, 0, {}};
  auto first = w.ask(what).opened;
  auto client = w.join("client");
  w.drain(client, "a");
  w.lock(first, 1, {"x"}, acquire_mode::wait, ownership::strict);
  SUBCASE("closed") {
    w.apply(close_session{first, end_reason::left, ""});
  }
  SUBCASE("expired, with a strict owner that ends later") {
    w.begin_reign(1);
    w.apply(expire_session{first, ballot{1, voter_id{1}}});
    CHECK(w.reg.is_open(first) == false);
  }
  what.nth = 2;
  REQUIRE(w.ask(what).code == status::ok);
  CHECK(w.member("a").is_object());
  CHECK(w.resolve(client, "apple").code == status::no_host);
  // Another process under the same name is not drained.
  auto second = w.last.answers;
  for (const auto& x : w.reg.open_sessions())
    if (x.node == node_id{7})
      w.apply(close_session{x.session, end_reason::left, ""});
  what.node = node_id{8};
  what.nth = 1;
  REQUIRE(w.ask(what).code == status::ok);
  CHECK(w.resolve(client, "apple").code == status::starting);
}

TEST_CASE("R1: a repeated drain, and one that comes late") {
  drain_world w;
  w.join("a", {"counter"});
  auto client = w.join("client");
  w.run(client, "apple");
  w.join("b", {"counter"});
  registry::drain on{w.open_from(client, 10), "a", true};
  registry::drain off{w.open_from(client, 11), "a", false};
  w.ask(on);
  CHECK(w.orders<hand_over>().size() == 1);
  w.ask(off);
  // The ghost of the first changes nothing, and is told what is true now.
  auto again = w.ask(on);
  CHECK(w.last.effects.empty());
  CHECK(w.last.ignored == 1);
  CHECK(nlohmann::json::parse(again.value)["drained"] == false);
  CHECK(nlohmann::json::parse(again.value)["moving"] == 1);
  // Of a session that has ended: nothing.
  w.apply(close_session{client, end_reason::left, ""});
  CHECK(w.ask(registry::drain{{client, seq{12}, seq{12}}, "a", true}).code == status::no_session);
  CHECK(w.member("a")["drained"] == false);
}

TEST_CASE("what is no drain is refused") {
  drain_world w;
  auto client = w.join("client");
  auto unknown = w.ask(registry::drain{w.from(client), "nobody", true});
  CHECK(unknown.code == status::no_node);
  CHECK(unknown.detail.find("nobody") != std::string::npos);
  CHECK(unknown.detail.find("paxtor members") != std::string::npos);
  CHECK(w.ask(registry::drain{w.from(client), "", true}).code == status::invalid);
  CHECK(w.ask(registry::drain{w.from(client), std::string(1025, 'x'), true}).code
        == status::invalid);
}

TEST_CASE("R4: a sync has the orders to hand over, and names no place that is being left") {
  drain_world w;
  auto a = w.join("a", {"counter"});
  auto client = w.join("client");
  auto old = w.run(client, "apple");
  w.join("b", {"counter"});
  w.drain(client, "a");
  auto before = w.at.value - 1;
  auto sync = w.reg.sync(a, paxtor::index{before});
  REQUIRE(sync);
  REQUIRE(sync->effects.size() == 1);
  CHECK(std::get<hand_over>(sync->effects[0]).grant == old.second.grant);
  CHECK(w.reg.sync(a, w.at)->effects.empty());
  CHECK(w.reg.sync(client, paxtor::index{1})->effects.empty());
}

TEST_CASE("an image keeps drains and moves") {
  drain_world w;
  w.join("a", {"counter"});
  auto client = w.join("client");
  auto old = w.run(client, "apple");
  auto b = w.join("b", {"counter"});
  open_session gone{node_id{7}, 1, "x", "", {"counter"}, {}, 0, {}};
  auto x = w.ask(gone).opened;
  w.drain(client, "x");
  w.apply(close_session{x, end_reason::left, ""});
  w.drain(client, "a");
  // The session's window keeps how each command ended.
  CHECK(w.ask(registry::drain{w.open_from(client, 90), "nobody", true}).code == status::no_node);
  machine copy;
  auto image = w.reg.image();
  REQUIRE(copy.restore(image));
  copy.check_all();
  CHECK(copy.image() == image);
  CHECK(copy.ask(query_members{}, {}) == w.reg.ask(query_members{}, {}));
  CHECK(copy.ask(query_name{key("apple")}, {}) == w.reg.ask(query_name{key("apple")}, {}));
  // Both go on alike.
  gone.nth = 2;
  for (command what : std::vector<command>{
         gone, registry::drain{w.from(client), "x", false},
         singleton_exited{w.from(old.first), key("apple"), old.second.grant, false, ""}}) {
    outcome other;
    copy.apply(w.at.next(), what, other);
    w.apply(what);
    CHECK(copy.image() == w.reg.image());
    CHECK(other.effects.size() == w.last.effects.size());
  }
  CHECK(w.start().first == b);
}

TEST_CASE("an image of the version before is read: nothing is drained in it, and nothing moves") {
  auto old_image = [](std::uint64_t version) {
    image_writer out;
    out.text("paxtor registry");
    out.number(version);
    for (std::uint64_t x : {20, 2, 1}) // last, reign
      out.number(x);
    out.number(1); // one session
    for (std::uint64_t x : {3, 100, 1})
      out.number(x);
    for (const char* text : {"a", "", ""})
      out.text(text);
    out.number(1); // open
    out.number(1);
    out.text("counter");
    for (std::uint64_t x : {0, 0, 5}) // labels, capacity, last effect
      out.number(x);
    window{}.save(out);
    for (std::uint64_t x : {0, 0})
      out.number(x);
    out.number(1); // one node that has ended
    for (std::uint64_t x : {99, 1, 2})
      out.number(x);
    out.text("z");
    for (std::uint64_t x : {4, 1})
      out.number(x);
    out.text("why");
    for (std::uint64_t x : {0, 0, 0}) // locks: owners, queues, extras
      out.number(x);
    out.number(1); // one name
    for (const char* text : {"\"apple\"", "counter", ""})
      out.text(text);
    for (std::uint64_t x : {0, 0, 0, 3, 5, 9, 2}) // labels to restarts
      out.number(x);
    for (std::uint64_t x : {1, 3, 1}) // one watcher
      out.number(x);
    out.number(0); // no entries
    return blob{out.take()};
  };
  machine copy;
  REQUIRE(copy.restore(old_image(2)));
  copy.check_all();
  auto member = nlohmann::json::parse(copy.ask(query_members{}, {}))["members"][0];
  CHECK(member["node"] == "a");
  CHECK(member["drained"] == false);
  auto apple = nlohmann::json::parse(copy.ask(query_name{key("apple")}, {}));
  CHECK(apple["state"] == "running");
  CHECK(apple["restarts"] == 2);
  // As long as nothing is drained it writes that version too: the builds before can read it.
  CHECK(copy.image() == old_image(2));
  machine again;
  REQUIRE(again.restore(copy.image()));
  CHECK(again.ask(query_members{}, {}) == copy.ask(query_members{}, {}));
  CHECK(again.ask(query_name{key("apple")}, {}) == copy.ask(query_name{key("apple")}, {}));
  CHECK_FALSE(again.restore(old_image(1)));
  CHECK_FALSE(again.restore(old_image(image_version + 1)));
}
