/// \file
/// Named singletons: "apple" and "banana" are counters of which the whole cluster has one each.
/// Nothing runs until the first message; then the cluster agrees on a node, and messages from all
/// nodes reach the same actor.
///
/// Alone, as a cluster of one: named_counter
/// As one node of several (start it on all of them; they count together):
///   named_counter --paxtor.name=b --paxtor.listen=127.0.0.1:4802
///     --paxtor.voters='["a=127.0.0.1:4801","b=127.0.0.1:4802","c=127.0.0.1:4803"]'

#include <atomic>
#include <chrono>
#include <iostream>
#include <string>

#include <caf/all.hpp>
#include <paxtor/paxtor.hpp>

namespace {

using namespace std::chrono_literals;
using inc_atom = caf::atom_constant<caf::atom("inc")>;

/// How many counters have been started in this process.
std::atomic<int> started{0};

caf::behavior counter(caf::stateful_actor<int>* self) {
  ++started;
  return {[=](inc_atom) { return ++self->state; }};
}

struct config : caf::actor_system_config {
  config() {
    paxtor::node_options alone;
    alone.name = "a";
    alone.listen = "127.0.0.1:0";
    alone.voters = {"a=127.0.0.1:0"};
    paxtor::load(*this, alone);
    add_actor_type("counter", counter);
  }
};

/// The new count, or 0.
int increment(caf::scoped_actor& self, const caf::actor& what, const std::string& name) {
  int result = 0;
  self->request(what, 30s, inc_atom::value)
    .receive([&](int count) { result = count; },
             [](const caf::error& why) { std::cerr << paxtor::describe(why) << '\n'; });
  std::cout << name << ": " << result << '\n';
  return result;
}

bool done = false;

void caf_main(caf::actor_system& sys, const config& cfg) {
  auto cluster = paxtor::join(sys, cfg);
  if (!cluster) {
    std::cerr << paxtor::describe(cluster.error()) << '\n';
    return;
  }
  {
    caf::scoped_actor self{sys};
    auto apple = cluster->name("apple", "counter"); // an ordinary caf::actor
    auto banana = cluster->name("banana", "counter");
    const auto before = started.load();
    std::cout << "counters that run here before the first message: " << before << '\n';

    const auto first = increment(self, apple, "apple");
    const auto second = increment(self, apple, "apple");
    const auto other = increment(self, banana, "banana");
    // Another handle, the same actor.
    const auto third = increment(self, cluster->name("apple", "counter"), "apple");

    cluster->whereis(self, "apple", "counter")
      .receive(
        [](const paxtor::whereabouts& at) { std::cout << "apple lives on " << at.node << '\n'; },
        [](const caf::error& why) { std::cerr << paxtor::describe(why) << '\n'; });
    // Other nodes may count too, so the numbers grow, but not by one.
    done = before == 0 && first > 0 && second > first && third > second && other > 0;
  }
  cluster->leave();
}

} // namespace

int main(int argc, char** argv) {
  const auto status = caf::exec_main(caf_main, argc, argv);
  return done ? status : 1;
}
