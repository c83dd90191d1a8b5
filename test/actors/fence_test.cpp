#include <atomic>
#include <memory>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "actors/watchdog.hpp"
#include "test/actors/nodes.hpp"

using namespace test;
using paxtor::errc;
using paxtor::grant;

namespace {

/// Long enough that a busy test machine ends a killed actor within the margin; F2 is right to end
/// the process otherwise.
constexpr auto ttl = 4000ms;

} // namespace

TEST_CASE(
  "a node that loses the cluster stops its owners and singletons, and spares strict owners") {
  nodes cluster{1, ttl};
  auto& x = cluster.add("x");
  owner bounded{x, "apple"};
  owner strict{x, "pear", {.kind = paxtor::ownership::strict}};
  REQUIRE(bounded.result().ok());
  REQUIRE(strict.result().ok());
  owner waiting{x, "apple"};
  CHECK(bounded.result().value.valid());
  CHECK(strict.result().value.valid());
  const auto singleton = x.door.name("one", "counter");
  caf::anon_send(singleton, inc_atom::value, 1);
  caf::scoped_actor self{*x.sys};
  CHECK(eventually([&] { return x.door.status()["names_in_use"] == 1; }));
  cluster[0].stop();
  // F1: it is stopped before its lease ends. Else the watchdog had ended this test.
  CHECK(eventually([&] { return bounded.ended(); }));
  CHECK(!bounded.result().value.valid());
  // F5: nobody gets it on silence, so it goes on.
  CHECK(!strict.ended());
  CHECK(strict.result().value.valid());
  // Who waits goes on waiting: the cluster may come back.
  CHECK(!waiting.answered());
  CHECK(eventually(
    [&] { return x.door.status()["valid"] == false && x.door.status()["guarded"] == false; }));
}

TEST_CASE("lesson: an owner that does not end takes its process with it at the end of the lease") {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // What is said on stderr is the watchdog's test; here it would only look like an error.
    ::close(STDERR_FILENO);
    nodes cluster{1, 1000ms};
    auto& x = cluster.add("x");
    caf::scoped_actor self{*x.sys};
    if (!wait<grant>(x.door.lock(self, "apple")).ok())
      ::_exit(1);
    cluster[0].stop();
    std::this_thread::sleep_for(patience);
    ::_exit(2);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == paxtor::actors::watchdog_exit_status);
}

TEST_CASE("a singleton that does not end takes its process with it, too") {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(STDERR_FILENO);
    nodes cluster{1, 1000ms};
    auto& x = cluster.add("x");
    std::string name;
    caf::scoped_actor self{*x.sys};
    for (int i = 0; i < 200 && name.empty(); ++i)
      if (wait<paxtor::whereabouts>(x.door.whereis(self, "n" + std::to_string(i), "counter"))
            .value.node
          == "x")
        name = "n" + std::to_string(i);
    caf::anon_send(x.door.name(name, "counter"), hang_atom::value, 60'000);
    cluster[0].stop();
    std::this_thread::sleep_for(patience);
    ::_exit(2);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == paxtor::actors::watchdog_exit_status);
}

TEST_CASE("a leader's end fences nobody") {
  nodes cluster{3, ttl};
  auto& x = cluster.add("x");
  owner held{x, "apple"};
  REQUIRE(held.result().ok());
  cluster[0].stop();
  // A new lock shows that there is a leader again; the old one is as good as before.
  owner next{x, "pear"};
  CHECK(next.result().ok());
  CHECK(!held.ended());
  CHECK(held.result().value.valid());
  CHECK(x.door.status()["fences"] == 0);
}
