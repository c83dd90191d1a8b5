#include <csignal>
#include <memory>
#include <thread>
#include <vector>

#include <caf/io/middleman.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "test/actors/nodes.hpp"

using namespace test;
using paxtor::errc;
using paxtor::grant;

namespace {

using clock_type = std::chrono::steady_clock;

/// How long the end of a node may take. Alone it takes a few milliseconds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr auto shutdown_bound = 5s;
#else
constexpr auto shutdown_bound = 1s;
#endif

} // namespace

TEST_CASE("lesson: a system ends within a second with held locks, waiting actors and copies of the "
          "cluster, and leaves nothing behind") {
  // References that a monitor keeps can block the end of an actor system (actor-framework#1975).
  // ThreadSanitizer starts a thread of its own with the first of ours, and keeps it.
  std::thread{[] {}}.join();
  const auto threads_before = threads();
  const auto sockets_before = sockets();
  paxtor::cluster copy;
  caf::actor handle;
  {
    nodes cluster{1};
    auto& a = cluster[0];
    copy = a.door;
    handle = a.door.name("apple", "counter");
    caf::anon_send(handle, inc_atom::value, 1);
    std::vector<std::unique_ptr<owner>> owners;
    // The first has it before the others ask: who asks first is the scheduler's choice.
    owners.push_back(std::make_unique<owner>(a, "k"));
    REQUIRE(owners[0]->result().ok());
    for (int i = 1; i < 10; ++i)
      owners.push_back(std::make_unique<owner>(a, "k"));
    const auto start = clock_type::now();
    a.door.leave();
    // The holder was stopped, and those who waited were answered.
    for (std::size_t i = 1; i < owners.size(); ++i)
      CHECK(owners[i]->result().code == errc::not_joined);
    CHECK(eventually([&] { return owners[0]->ended(); }));
    owners.clear();
    a.stop();
    CHECK(clock_type::now() - start < shutdown_bound);
  }
  CHECK(eventually([&] { return threads() <= threads_before; }));
  CHECK(eventually([&] { return sockets() <= sockets_before; }));
  // Copies do no harm.
  CHECK(copy.node_name() == "a");
  copy.leave();
  CHECK(copy.status()["joined"] == false);
  handle = nullptr;
}

TEST_CASE("a system ends by itself: singletons do not keep it, and the session is closed") {
  nodes cluster{1};
  auto& x = cluster.add("x");
  std::string name;
  for (int i = 0; i < 200 && name.empty(); ++i) {
    caf::scoped_actor self{*x.sys};
    const auto at =
      wait<paxtor::whereabouts>(x.door.whereis(self, "n" + std::to_string(i), "counter"));
    if (at.value.node == "x")
      name = "n" + std::to_string(i);
  }
  REQUIRE(!name.empty());
  const auto start = clock_type::now();
  x.stop();
  CHECK(clock_type::now() - start < shutdown_bound);
  // Closed, not expired: nobody waited for the ttl.
  caf::scoped_actor self{*cluster[0].sys};
  const auto members = wait<paxtor::document>(cluster[0].door.members(self));
  CHECK(members.value.value.dump().find("\"x\"") == std::string::npos);
}

TEST_CASE("three voters that end at once do not wait for each other") {
  auto cluster = std::make_unique<nodes>(3);
  owner held{(*cluster)[0], "k"};
  REQUIRE(held.result().ok());
  held.end();
  const auto start = clock_type::now();
  cluster.reset();
  CHECK(clock_type::now() - start < 2 * shutdown_bound);
}

TEST_CASE("leave and join again in one system") {
  nodes cluster{1};
  auto& x = cluster.add("x");
  const auto before = threads();
  for (int i = 0; i < 3; ++i) {
    x.door.leave();
    caf::scoped_actor self{*x.sys};
    CHECK(wait<grant>(x.door.lock(self, "k")).code == errc::not_joined);
    auto again = paxtor::join(*x.sys, cluster.client_options("x"));
    INFO((again ? std::string{} : paxtor::describe(again.error())));
    REQUIRE(again);
    x.door = *again;
    caf::scoped_actor other{*x.sys};
    CHECK(wait<grant>(x.door.lock(other, "k")).ok());
  }
  CHECK(eventually([&] { return threads() <= before; }));
}

TEST_CASE("loading the middleman twice does no harm") {
  const auto files = sockets();
  {
    config cfg;
    // As CAF_MAIN(caf::io::middleman) does after the config's constructor.
    cfg.load<caf::io::middleman>();
    caf::actor_system sys{cfg};
    paxtor::node_options o;
    o.name = "a";
    o.listen = "127.0.0.1:0";
    o.voters = {"a=127.0.0.1:0"};
    auto door = paxtor::join(sys, o);
    REQUIRE(door);
    caf::scoped_actor self{sys};
    CHECK(wait<grant>(door->lock(self, "k")).ok());
  }
  CHECK(eventually([&] { return sockets() <= files; }));
}

TEST_CASE("a cluster that was never joined answers with errors") {
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
  paxtor::cluster none;
  CHECK(!none);
  caf::scoped_actor self{sys};
  CHECK(!wait<grant>(none.lock(self, "k")).ok());
  CHECK(none.name("k", "counter") == nullptr);
  none.leave();
}
