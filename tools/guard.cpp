#include "tools/guard.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/guard_child.hpp"

namespace paxtor::tools {

boot_time boot_now() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

bool guard::start(std::vector<std::string> command, std::string& why) {
  int to_guard[2] = {-1, -1};
  int from_guard[2] = {-1, -1};
  int gone[2] = {-1, -1};
  if (pipe2(to_guard, O_CLOEXEC) != 0 || pipe2(from_guard, O_CLOEXEC) != 0
      || pipe2(gone, O_CLOEXEC) != 0) {
    why = std::string{"cannot make a pipe: "} + std::strerror(errno);
    return false;
  }
  // G4: if the guard dies, its orphans come to this process.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_ = fork();
  if (pid_ < 0) {
    why = std::string{"cannot fork: "} + std::strerror(errno);
    return false;
  }
  if (pid_ == 0) {
    close(to_guard[1]);
    close(from_guard[0]);
    close(gone[0]);
    _exit(guard_main(std::move(command), to_guard[0], from_guard[1], gone[1]));
  }
  close(to_guard[0]);
  close(from_guard[1]);
  close(gone[1]);
  in_ = from_guard[0];
  out_ = to_guard[1];
  gone_ = gone[0];
  return true;
}

guard::~guard() {
  if (gone_ >= 0)
    close(gone_);
  if (pid_ < 0)
    return;
  close(out_);
  while (next(std::chrono::hours{1}))
    ;
  close(in_);
}

void guard::send(char what, std::int64_t value, const std::string& text) {
  guard_order order{what, {}, static_cast<std::uint32_t>(text.size()), value};
  std::string bytes(reinterpret_cast<const char*>(&order), sizeof order);
  bytes += text;
  // SIGPIPE is blocked or ignored by the holder; a guard that is gone shows at in_.
  while (!bytes.empty()) {
    const auto n = write(out_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return;
    bytes.erase(0, static_cast<std::size_t>(n));
  }
}

void guard::run(const std::vector<std::string>& variables) {
  std::string text;
  for (const auto& variable : variables)
    text += variable + '\0';
  send('R', 0, text);
}

void guard::keep_until(boot_time deadline) {
  send('L', deadline.count());
}

void guard::signal(int number) {
  send('S', number);
}

void guard::kill_all() {
  send('K', 0);
}

std::optional<guard_event> guard::next(std::chrono::milliseconds patience) {
  if (pid_ < 0)
    return std::nullopt;
  pollfd ready{in_, POLLIN, 0};
  const auto n =
    poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(patience.count(), 1'000'000)));
  if (n <= 0)
    return std::nullopt;
  guard_event event{};
  const auto got = read(in_, &event, sizeof event);
  if (got == static_cast<ssize_t>(sizeof event)) {
    if (event.what == guard_event::kind::all_gone) {
      waitpid(pid_, nullptr, 0);
      pid_ = -1;
    }
    return event;
  }
  // G4: killed from outside. What it guarded is ours now.
  kill_descendants(-1, spared_ ? spared_() : -1);
  pid_ = -1;
  return guard_event{guard_event::kind::lost, 0};
}

} // namespace paxtor::tools
