/// \file
/// A program outside the tree: takes a lock and asks a singleton, on a cluster of one. Exit status
/// 0 if both worked.

#include <chrono>
#include <iostream>

#include <caf/all.hpp>
#include <paxtor/paxtor.hpp>

namespace {

using inc_atom = caf::atom_constant<caf::atom("inc")>;

caf::behavior counter(caf::stateful_actor<int>* self) {
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

bool locked = false;
bool counted = false;

void caf_main(caf::actor_system& sys, const config& cfg) {
  auto cluster = paxtor::join(sys, cfg);
  if (!cluster) {
    std::cerr << paxtor::describe(cluster.error()) << '\n';
    return;
  }
  {
    caf::scoped_actor self{sys};
    auto complain = [](const caf::error& why) { std::cerr << paxtor::describe(why) << '\n'; };
    cluster->lock(self, "door")
      .receive([](const paxtor::grant& held) { locked = held.valid(); }, complain);
    self->request(cluster->name("apple", "counter"), std::chrono::seconds{20}, inc_atom::value)
      .receive([](int count) { counted = count == 1; }, complain);
  }
  cluster->leave();
}

} // namespace

int main(int argc, char** argv) {
  const auto status = caf::exec_main(caf_main, argc, argv);
  std::cout << "lock: " << locked << ", singleton: " << counted << '\n';
  return locked && counted ? status : 1;
}
