#include "test/sim/stop.hpp"

#include <csignal>

namespace paxtor::sim {

namespace {

/// `timeout` sends its signal twice, and a terminal to all processes at once.
constexpr int patience = 3;

volatile std::sig_atomic_t asked = 0;

void ask(int signal) {
  asked = asked + 1;
  if (asked < patience)
    return;
  (void)std::signal(signal, SIG_DFL);
  (void)std::raise(signal);
}

} // namespace

void stop_on_signals() {
  struct sigaction what {};
  what.sa_handler = ask;
  what.sa_flags = 0; // no SA_RESTART: poll() must see it
  for (auto signal : {SIGINT, SIGTERM})
    (void)::sigaction(signal, &what, nullptr);
}

bool stop_asked() {
  return asked != 0;
}

} // namespace paxtor::sim
