#include "tools/signals.hpp"

#include <cstdint>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/exit_status.hpp"

namespace paxtor::tools {

signals::signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2})
    sigaddset(&wanted, number);
  fd_ = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  sigaddset(&wanted, SIGPIPE);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
}

signals::~signals() {
  close(fd_);
}

int signals::take() {
  signalfd_siginfo info;
  if (read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info))
    return 0;
  return static_cast<int>(info.ssi_signo);
}

int signals::wait() {
  for (;;) {
    pollfd ready{fd_, POLLIN, 0};
    poll(&ready, 1, -1);
    if (const int number = take(); number != 0)
      return number;
  }
}

impatience::impatience(signals& from, std::function<void()> last) : stop_(eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this, &from, last = std::move(last)] {
    for (;;) {
      pollfd ready[2] = {{from.fd(), POLLIN, 0}, {stop_, POLLIN, 0}};
      poll(ready, 2, -1);
      if (ready[1].revents != 0)
        return;
      if (const int number = from.take(); number != 0) {
        if (last)
          last();
        _exit(exit_signal + number);
      }
    }
  });
}

impatience::~impatience() {
  const std::uint64_t one = 1;
  if (write(stop_, &one, sizeof one) == static_cast<ssize_t>(sizeof one))
    thread_.join();
  else
    thread_.detach();
  close(stop_);
}

} // namespace paxtor::tools
