/// \file
/// A singleton with a static interface: an account of which the cluster has one, started with a
/// balance of 100. The compiler checks the messages, and the cluster checks that what runs under
/// the name has the interface.
///
/// Alone, as a cluster of one: typed_singleton
/// As one node of several:
///   typed_singleton --paxtor.name=b --paxtor.listen=127.0.0.1:4802
///     --paxtor.voters='["a=127.0.0.1:4801","b=127.0.0.1:4802","c=127.0.0.1:4803"]'

#include <chrono>
#include <iostream>

#include <caf/all.hpp>
#include <paxtor/paxtor.hpp>

namespace {

using namespace std::chrono_literals;
using deposit_atom = caf::atom_constant<caf::atom("deposit")>;
using balance_atom = caf::atom_constant<caf::atom("balance")>;

using account = caf::typed_actor<caf::replies_to<deposit_atom, int>::with<int>,
                                 caf::replies_to<balance_atom>::with<int>>;

account::behavior_type account_actor(account::stateful_pointer<int> self, int opening) {
  self->state = opening;
  return {
    [=](deposit_atom, int amount) { return self->state += amount; },
    [=](balance_atom) { return self->state; },
  };
}

/// Has another type, and another interface.
caf::behavior echo() {
  return {[](int number) { return number; }};
}

struct config : caf::actor_system_config {
  config() {
    paxtor::node_options alone;
    alone.name = "a";
    alone.listen = "127.0.0.1:0";
    alone.voters = {"a=127.0.0.1:0"};
    paxtor::load(*this, alone);
    add_actor_type("account", account_actor);
    add_actor_type("echo", echo);
  }
};

bool done = false;

void caf_main(caf::actor_system& sys, const config& cfg) {
  auto cluster = paxtor::join(sys, cfg);
  if (!cluster) {
    std::cerr << paxtor::describe(cluster.error()) << '\n';
    return;
  }
  {
    caf::scoped_actor self{sys};
    auto complain = [](const caf::error& why) { std::cerr << paxtor::describe(why) << '\n'; };
    // The key may be any JSON value; the arguments are used if the account does not run yet.
    const nlohmann::json key = {"account", 7};
    auto mine = cluster->name<account>(key, "account", caf::make_message(100));

    int after = 0;
    self->request(mine, 30s, deposit_atom::value, 23)
      .receive([&](int balance) { after = balance; }, complain);
    std::cout << "balance after a deposit of 23: " << after << '\n';

    // self->request(mine, 1s, 42) does not compile. A handle of the wrong type is refused by the
    // cluster:
    auto code = paxtor::errc::none;
    self->request(cluster->name(key, "echo"), 30s, 42)
      .receive([](int) {},
               [&](const caf::error& why) {
                 code = paxtor::code_of(why);
                 std::cout << "asked for as an echo: " << paxtor::describe(why) << '\n';
               });
    done = after >= 123 && code == paxtor::errc::type_mismatch;
  }
  cluster->leave();
}

} // namespace

int main(int argc, char** argv) {
  const auto status = caf::exec_main(caf_main, argc, argv);
  return done ? status : 1;
}
