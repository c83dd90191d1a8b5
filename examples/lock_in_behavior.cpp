/// \file
/// A lock inside an actor's behavior. Two clerks sell from the same stock; each takes the lock
/// first and keeps it until it ends. There is no unlock: the end of the owner is the release,
/// whatever way it ends.
///
/// Alone, as a cluster of one: lock_in_behavior
/// As one node of several:
///   lock_in_behavior --paxtor.name=b --paxtor.listen=127.0.0.1:4802
///     --paxtor.voters='["a=127.0.0.1:4801","b=127.0.0.1:4802","c=127.0.0.1:4803"]'

#include <chrono>
#include <cstdint>
#include <iostream>

#include <caf/all.hpp>
#include <paxtor/paxtor.hpp>

namespace {

using namespace std::chrono_literals;
using sell_atom = caf::atom_constant<caf::atom("sell")>;

caf::behavior clerk(caf::event_based_actor* self, const paxtor::cluster& cluster) {
  // With .await nothing else is handled before the lock is granted; with .then it would be.
  cluster.lock(self, "stock/42")
    .await(
      [=](const paxtor::grant& held) {
        self->become([=](sell_atom) -> std::uint64_t {
          // Here the clerk is the only one in the cluster. Store the token with what you write:
          // it tells this owner's writes from a later owner's.
          return held.token();
        });
      },
      [=](caf::error& why) { self->quit(std::move(why)); });
  return {[](sell_atom) { return caf::make_error(caf::sec::runtime_error, "not the owner"); }};
}

struct config : caf::actor_system_config {
  config() {
    paxtor::node_options alone;
    alone.name = "a";
    alone.listen = "127.0.0.1:0";
    alone.voters = {"a=127.0.0.1:0"};
    paxtor::load(*this, alone);
  }
};

/// The token that `seller` answers, or 0.
std::uint64_t sell(caf::scoped_actor& self, const caf::actor& seller) {
  std::uint64_t result = 0;
  self->request(seller, 30s, sell_atom::value)
    .receive([&](std::uint64_t token) { result = token; },
             [](const caf::error& why) { std::cerr << paxtor::describe(why) << '\n'; });
  return result;
}

/// True if somebody holds or waits for the stock.
bool busy(caf::scoped_actor& self, const paxtor::cluster& cluster) {
  auto result = false;
  cluster.lock(self, "stock/42", {.try_once = true})
    .receive([](const paxtor::grant&) {},
             [&](const caf::error& why) {
               result = paxtor::code_of(why) == paxtor::errc::busy;
               std::cout << "a third one that will not wait is told: " << paxtor::describe(why)
                         << '\n';
             });
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
    auto first = sys.spawn(clerk, *cluster);
    const auto first_token = sell(self, first);
    std::cout << "the first clerk owns the stock, token " << first_token << '\n';
    auto second = sys.spawn(clerk, *cluster);
    const auto was_busy = busy(self, *cluster);

    // However the owner ends, the next in line gets the lock.
    caf::anon_send_exit(first, caf::exit_reason::kill);
    const auto second_token = sell(self, second);
    std::cout << "the second clerk owns the stock, token " << second_token << '\n';
    caf::anon_send_exit(second, caf::exit_reason::user_shutdown);
    done = first_token != 0 && was_busy && second_token > first_token;
  }
  cluster->leave();
}

} // namespace

int main(int argc, char** argv) {
  const auto status = caf::exec_main(caf_main, argc, argv);
  return done ? status : 1;
}
