#include "test/sim/stop.hpp"

#include <csignal>

namespace paxtor::sim {

namespace {

volatile std::sig_atomic_t asked = 0;

void ask(int) {
  asked = 1;
}

} // namespace

void stop_on_signals() {
  struct sigaction what {};
  what.sa_handler = ask;
  what.sa_flags = SA_RESETHAND; // no SA_RESTART: poll() must see it
  for (auto signal : {SIGINT, SIGTERM})
    (void)::sigaction(signal, &what, nullptr);
}

bool stop_asked() {
  return asked != 0;
}

} // namespace paxtor::sim
