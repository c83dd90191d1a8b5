#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace paxtor::actors {

/// Runs `body` on a thread that handles no signal: those are the program's business.
template <class Body>
[[nodiscard]] std::thread quiet_thread(Body body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread result{std::move(body)};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result;
}

} // namespace paxtor::actors
