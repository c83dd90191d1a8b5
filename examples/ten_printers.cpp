/// \file
/// Ten printers share one sheet of paper. Each takes the lock, prints its digit five times, and
/// ends; so the digits come out in unbroken runs of five, on however many nodes the printers run.
/// The paper is a singleton.
///
/// Alone, as a cluster of one: ten_printers
/// As one node of several (each adds ten printers, and checks the paper when they have ended):
///   ten_printers --paxtor.name=b --paxtor.listen=127.0.0.1:4802
///     --paxtor.voters='["a=127.0.0.1:4801","b=127.0.0.1:4802","c=127.0.0.1:4803"]'

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include <caf/all.hpp>
#include <paxtor/paxtor.hpp>

namespace {

using namespace std::chrono_literals;
using print_atom = caf::atom_constant<caf::atom("print")>;
using show_atom = caf::atom_constant<caf::atom("show")>;

constexpr int times = 5;

caf::behavior paper(caf::stateful_actor<std::string>* self) {
  return {
    [=](print_atom, int digit) { self->state += std::to_string(digit); },
    [=](show_atom) { return self->state; },
  };
}

/// Prints its digit once, and then the rest.
void print(caf::event_based_actor* self, const caf::actor& sheet, int digit, int left) {
  if (left == 0)
    return self->quit(); // releases the lock
  self->request(sheet, 30s, print_atom::value, digit)
    .then([=] { print(self, sheet, digit, left - 1); },
          [=](caf::error& why) { self->quit(std::move(why)); });
}

caf::behavior printer(caf::event_based_actor* self, const paxtor::cluster& cluster, int digit) {
  auto sheet = cluster.name("paper", "paper");
  cluster.lock(self, "printer")
    .then([=](const paxtor::grant&) { print(self, sheet, digit, times); },
          [=](caf::error& why) { self->quit(std::move(why)); });
  return {[](show_atom) { return std::string{"I print, I do not show"}; }};
}

struct config : caf::actor_system_config {
  config() {
    paxtor::node_options alone;
    alone.name = "a";
    alone.listen = "127.0.0.1:0";
    alone.voters = {"a=127.0.0.1:0"};
    paxtor::load(*this, alone);
    add_actor_type("paper", paper);
  }
};

/// The digits come in groups of five equal ones; the last one may still be in print elsewhere.
bool unbroken(const std::string& text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != text[at - at % times])
      return false;
  }
  return true;
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
    std::vector<caf::actor> printers;
    for (int digit = 0; digit < 10; ++digit)
      printers.push_back(sys.spawn(printer, *cluster, digit));
    self->wait_for(printers);

    self->request(cluster->name("paper", "paper"), 30s, show_atom::value)
      .receive(
        [](const std::string& text) {
          std::cout << text << '\n';
          done = unbroken(text) && text.size() >= 10 * times;
        },
        [](const caf::error& why) { std::cerr << paxtor::describe(why) << '\n'; });
  }
  cluster->leave();
}

} // namespace

int main(int argc, char** argv) {
  const auto status = caf::exec_main(caf_main, argc, argv);
  return done ? status : 1;
}
