#pragma once

/// \file
/// Clusters for tests: several actor systems in one process, linked over loopback.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <paxtor/paxtor.hpp>

namespace test {

using namespace std::chrono_literals;

using inc_atom = caf::atom_constant<caf::atom("inc")>;
using where_atom = caf::atom_constant<caf::atom("where")>;
using stop_atom = caf::atom_constant<caf::atom("stop")>;
using hang_atom = caf::atom_constant<caf::atom("hang")>;

/// Long for a test machine that is busy, never reached by one that is not: every wait is on a
/// condition.
inline constexpr auto patience = 20s;

using typed_counter = caf::typed_actor<caf::replies_to<inc_atom, int>::with<int>>;
using typed_other = caf::typed_actor<caf::replies_to<where_atom>::with<std::string>>;

struct counter_state {
  int value = 0;
};

inline caf::behavior counter(caf::stateful_actor<counter_state>* self) {
  return {
    [self](inc_atom, int by) { return self->state.value += by; },
    [self](where_atom) { return to_string(self->system().node()); },
    [self](stop_atom) { self->quit(); },
    [self](hang_atom, int ms) {
      std::this_thread::sleep_for(std::chrono::milliseconds{ms});
      return self->state.value;
    },
  };
}

inline caf::behavior counter_from(caf::stateful_actor<counter_state>* self, int first) {
  self->state.value = first;
  return counter(self);
}

/// Passes increments on to whomever it is given: for handles that travel.
inline caf::behavior courier(caf::event_based_actor* self) {
  return {
    [self](const caf::actor& whom, int by) { return self->delegate(whom, inc_atom::value, by); }};
}

inline typed_counter::behavior_type
strict_counter(typed_counter::stateful_pointer<counter_state> self) {
  return {[self](inc_atom, int by) { return self->state.value += by; }};
}

class thrower : public caf::event_based_actor {
public:
  explicit thrower(caf::actor_config& cfg) : caf::event_based_actor(cfg) {
    throw std::runtime_error("no room in the inn");
  }
};

/// Actor types of a test file's own: put here before any node is made.
using type_adder = void (*)(caf::actor_system_config&);
inline std::vector<type_adder>& more_types() {
  static std::vector<type_adder> all;
  return all;
}

struct config : caf::actor_system_config {
  explicit config(bool hosts = true) {
    paxtor::load(*this);
    set("scheduler.max-threads", std::size_t{2});
    if (!hosts)
      return;
    add_actor_type("counter", counter);
    add_actor_type("counter-from", counter_from);
    add_actor_type("strict-counter", strict_counter);
    add_actor_type("courier", courier);
    add_actor_type<thrower>("thrower");
    for (auto add : more_types())
      add(*this);
  }
};

/// One node in an actor system of its own.
struct node {
  explicit node(bool hosts = true) : cfg(hosts), sys(std::make_unique<caf::actor_system>(cfg)) {}

  ~node() { stop(); }

  void stop() {
    door = {};
    sys.reset();
  }

  config cfg;
  std::unique_ptr<caf::actor_system> sys;
  paxtor::cluster door;
};

[[nodiscard]] std::vector<std::uint16_t> free_ports(std::size_t count);

/// As many voters as ports, named a, b, c...; then any number of client nodes.
class nodes {
public:
  explicit nodes(std::size_t voters, std::chrono::milliseconds ttl = 8000ms);

  /// One more node, which joins as a client named `name`.
  node& add(const std::string& name, bool hosts = true, bool listens = true);
  node& add(const paxtor::node_options& options, bool hosts = true);

  [[nodiscard]] paxtor::node_options options(std::size_t voter) const;
  [[nodiscard]] paxtor::node_options client_options(const std::string& name,
                                                    bool listens = true) const;

  node& operator[](std::size_t i) { return *all_[i]; }
  [[nodiscard]] std::size_t size() const { return all_.size(); }

  /// All at once, as processes of a cluster that is shut down.
  ~nodes();

private:
  std::vector<std::uint16_t> ports_;
  std::chrono::milliseconds ttl_;
  std::vector<std::unique_ptr<node>> all_;
};

/// Waits until `what` holds; fails the test if it does not within `patience`.
bool eventually(const std::function<bool()>& what);

/// Threads and sockets of this process.
[[nodiscard]] std::size_t threads();
[[nodiscard]] std::size_t sockets();

/// A request from a blocking caller. The outcome is the value, or the error's code.
template <class T>
struct outcome {
  T value{};
  paxtor::errc code = paxtor::errc::none;
  caf::error error;
  [[nodiscard]] bool ok() const { return !error; }
};

template <class T, class Request>
outcome<T> wait(Request request) {
  outcome<T> result;
  request.receive([&](const T& value) { result.value = value; },
                  [&](caf::error& err) {
                    result.code = paxtor::code_of(err);
                    result.error = std::move(err);
                  });
  return result;
}

/// An owner that can be ended: it holds its lock until `end` is called, or somebody kills it.
class owner {
public:
  owner(node& on, const paxtor::keys& what, const paxtor::lock_options& options = {});
  ~owner();
  owner(const owner&) = delete;
  owner& operator=(const owner&) = delete;

  /// Waits for the outcome of the lock.
  const outcome<paxtor::grant>& result();
  [[nodiscard]] bool answered() const;
  void end(caf::exit_reason why = caf::exit_reason::user_shutdown);
  [[nodiscard]] bool ended() const { return *ended_; }
  [[nodiscard]] const caf::actor& actor() const { return actor_; }
  /// Locks more from the same actor.
  outcome<paxtor::grant> lock(const paxtor::keys& what, const paxtor::lock_options& options = {});

private:
  struct state;
  node& on_;
  std::shared_ptr<state> state_;
  std::shared_ptr<std::atomic<bool>> ended_ = std::make_shared<std::atomic<bool>>(false);
  caf::actor actor_;
};

} // namespace test
