// The host alone, with an agent and users that a test plays: when it asks a singleton to end.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <caf/all.hpp>
#include <doctest/doctest.h>

#include "actors/arguments.hpp"
#include "actors/host_actor.hpp"
#include "net/caf_compat.hpp"
#include "test/actors/nodes.hpp"

using namespace paxtor;
using namespace test;

namespace {

using hit_atom = caf::atom_constant<caf::atom("hit")>;
using answer_atom = caf::atom_constant<caf::atom("answer")>;

/// What happened, in order.
struct events {
  std::mutex mutex;
  std::vector<std::string> all;

  void add(std::string what) {
    std::lock_guard guard{mutex};
    all.push_back(std::move(what));
  }
  std::size_t count(const std::string& what) {
    std::lock_guard guard{mutex};
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), what));
  }
  std::vector<std::string> copy() {
    std::lock_guard guard{mutex};
    return all;
  }
};

events log_of_all;

caf::behavior target(caf::event_based_actor*) {
  return {[](hit_atom, int n) { log_of_all.add("hit " + std::to_string(n)); }};
}

/// Does not end when it is asked to.
caf::behavior stubborn(caf::event_based_actor* self) {
  self->set_exit_handler([](const caf::exit_msg& what) {
    log_of_all.add(what.reason == caf::exit_reason::user_shutdown ? "asked" : "asked otherwise");
  });
  return target(self);
}

/// Puts everything aside until its lock, as it were, is granted.
caf::behavior waiter(caf::event_based_actor* self) {
  auto slow = self->spawn([](caf::event_based_actor* inner) -> caf::behavior {
    return {[inner](answer_atom) {
      auto promise = inner->make_response_promise<int>();
      inner->delayed_send(inner, 150ms, answer_atom::value, 1);
      inner->become([promise](answer_atom, int n) mutable { promise.deliver(n); });
      return promise;
    }};
  });
  self->request(slow, caf::infinite, answer_atom::value).await([](int) {
    log_of_all.add("granted");
  });
  return target(self);
}

caf::behavior fake_agent(caf::event_based_actor*) {
  return {
    [](const actors::singleton_started&) { log_of_all.add("started"); },
    [](const actors::singleton_failed& what) { log_of_all.add("failed " + what.error); },
    [](const actors::singleton_ended& what) {
      log_of_all.add(what.failed ? "ended badly" : "ended");
    },
  };
}

/// The agent of a node that uses the singleton. Lets go when the test says so.
struct user_state {
  caf::response_promise promise;
  caf::strong_actor_ptr handle;
};

caf::behavior user(caf::stateful_actor<user_state>* self, const caf::actor& host,
                   const std::string& name, std::uint64_t grant) {
  self->request(host, caf::infinite, caf::get_atom::value, name, grant)
    .then(
      [=](const caf::strong_actor_ptr& handle, const std::set<std::string>&) {
        self->state.handle = handle;
        log_of_all.add("got");
      },
      [](const caf::error&) { log_of_all.add("refused"); });
  return {
    [=](hit_atom, int n) {
      self->send(caf::actor_cast<caf::actor>(self->state.handle), hit_atom::value, n);
    },
    [=](actors::let_go_atom, const std::string&, std::uint64_t) -> caf::result<caf::atom_value> {
      log_of_all.add("told to let go");
      self->state.promise = self->make_response_promise();
      return caf::delegated<caf::atom_value>{};
    },
    [=](answer_atom) { self->state.promise.deliver(actors::let_go_atom::value); },
  };
}

struct fixture {
  caf::actor_system_config cfg;
  std::unique_ptr<caf::actor_system> sys;
  std::unique_ptr<actors::parking_unit> unit;
  caf::actor agent;
  caf::actor host;
  const term name = term::from_canonical("\"apple\"");
  const token grant{7};

  explicit fixture(const std::string& type, actors::hand_over_patience patience = {}) {
    log_of_all.all.clear();
    cfg.add_actor_type("target", target);
    cfg.add_actor_type("stubborn", stubborn);
    cfg.add_actor_type("waiter", waiter);
    sys = std::make_unique<caf::actor_system>(cfg);
    unit = std::make_unique<actors::parking_unit>(sys.get());
    agent = sys->spawn(fake_agent);
    host = net::spawn_own_thread<actors::host_actor>(*sys, "test", unit.get(), patience);
    actors::begin hello;
    hello.agent = agent;
    caf::anon_send(host, hello);
    registry::start_singleton order{name, grant, {}};
    order.spec.type = type;
    caf::message none;
    REQUIRE(!actors::pack_arguments(*sys, none, order.spec.args));
    caf::anon_send(host, order);
    REQUIRE(until("started"));
  }

  ~fixture() {
    caf::anon_send(host, actors::quit_atom::value);
    caf::anon_send_exit(agent, caf::exit_reason::kill);
    host = agent = nullptr;
  }

  caf::actor add_user() {
    const auto before = log_of_all.count("got");
    auto made = sys->spawn(user, host, name.text(), grant.value);
    REQUIRE(eventually([&] { return log_of_all.count("got") == before + 1; }));
    return made;
  }

  void hand_over() { caf::anon_send(host, registry::hand_over{name, grant}); }

  static bool until(const std::string& what, std::size_t times = 1) {
    return eventually([&] { return log_of_all.count(what) >= times; });
  }
};

/// Some time, in which what must not happen would: the test does not depend on how long it is.
void a_while() {
  std::this_thread::sleep_for(50ms);
}

} // namespace

TEST_CASE("host: a singleton ends when all its users have let go, behind what they sent") {
  fixture f{"target"};
  const auto one = f.add_user();
  const auto two = f.add_user();
  f.hand_over();
  REQUIRE(f.until("told to let go", 2));
  caf::anon_send(one, answer_atom::value);
  a_while();
  CHECK(log_of_all.count("ended") == 0);
  // I58: whoever asks now gets nothing.
  const auto late = f.sys->spawn(user, f.host, f.name.text(), f.grant.value);
  CHECK(f.until("refused"));
  // Told again: R4.
  f.hand_over();
  for (int n = 1; n <= 100; ++n)
    caf::anon_send(two, hit_atom::value, n);
  caf::anon_send(two, answer_atom::value);
  REQUIRE(f.until("ended"));
  const auto all = log_of_all.copy();
  CHECK(log_of_all.count("told to let go") == 2);
  CHECK(log_of_all.count("hit 100") == 1);
  CHECK(std::find(all.begin(), all.end(), "hit 100") < std::find(all.begin(), all.end(), "ended"));
  for (const auto& x : {one, two, late})
    caf::anon_send_exit(x, caf::exit_reason::kill);
}

TEST_CASE("host: one that nobody uses ends at once, and one that is not here is no concern") {
  fixture f{"target"};
  caf::anon_send(f.host, registry::hand_over{f.name, token{8}});
  a_while();
  CHECK(log_of_all.count("ended") == 0);
  f.hand_over();
  CHECK(f.until("ended"));
  f.hand_over();
  a_while();
  CHECK(log_of_all.count("ended") == 1);
}

TEST_CASE("host: a user that ends has let go") {
  fixture f{"target"};
  const auto one = f.add_user();
  const auto before = f.add_user();
  caf::anon_send_exit(before, caf::exit_reason::kill);
  f.hand_over();
  REQUIRE(f.until("told to let go"));
  a_while();
  CHECK(log_of_all.count("ended") == 0);
  caf::anon_send_exit(one, caf::exit_reason::kill);
  CHECK(f.until("ended"));
}

TEST_CASE("host: a user that never answers is waited for so long, and no longer") {
  fixture f{"target", {.let_go = 100ms, .end = 30s}};
  const auto one = f.add_user();
  f.hand_over();
  CHECK(f.until("ended"));
  caf::anon_send_exit(one, caf::exit_reason::kill);
}

TEST_CASE("host: a singleton that does not end when it is asked to is killed in the end") {
  fixture f{"stubborn", {.let_go = 5s, .end = 100ms}};
  f.hand_over();
  REQUIRE(f.until("asked"));
  REQUIRE(f.until("ended badly"));
  CHECK(log_of_all.count("asked otherwise") == 0);
}

TEST_CASE("host: what a singleton has put aside is handled before it ends") {
  fixture f{"waiter"};
  const auto one = f.add_user();
  for (int n = 1; n <= 5; ++n)
    caf::anon_send(one, hit_atom::value, n);
  f.hand_over();
  REQUIRE(f.until("told to let go"));
  caf::anon_send(one, answer_atom::value);
  REQUIRE(f.until("ended"));
  const auto all = log_of_all.copy();
  const auto at = [&](const char* what) { return std::find(all.begin(), all.end(), what); };
  CHECK(at("granted") < at("hit 1"));
  CHECK(at("hit 5") < at("ended"));
  CHECK(at("hit 5") != all.end());
  caf::anon_send_exit(one, caf::exit_reason::kill);
}
