#include "tools/guard_child.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/guard.hpp"

namespace paxtor::tools {

namespace {

/// The parent of a process, from /proc/PID/stat; 0 if it is gone. (/proc/PID/task/TID/children is
/// not in every kernel.)
pid_t parent_of(const char* pid) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%s/stat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  char text[512];
  const auto n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0)
    return 0;
  text[n] = '\0';
  // The name in parentheses may hold anything, parentheses too.
  const char* after = std::strrchr(text, ')');
  int parent = 0;
  char state = 0;
  if (after == nullptr || std::sscanf(after + 1, " %c %d", &state, &parent) != 2)
    return 0;
  return parent;
}

/// Children of this process but `spared`, those too that wait to be reaped. SIGKILL to each. A
/// process that lives through the scan is seen, and so is its nearest ancestor below us: none
/// found means that none is left. nullopt: /proc cannot be read.
std::optional<std::vector<pid_t>> kill_children(pid_t spared = -1) {
  DIR* dir = opendir("/proc");
  if (dir == nullptr)
    return std::nullopt;
  std::vector<pid_t> found;
  const auto self = getpid();
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
      continue;
    const auto pid = static_cast<pid_t>(std::atoi(entry->d_name));
    if (pid == spared || parent_of(entry->d_name) != self)
      continue;
    kill(pid, SIGKILL);
    found.push_back(pid);
  }
  closedir(dir);
  return found;
}

class guard_process {
public:
  guard_process(std::vector<std::string> command, int in, int out, int gone)
      : command_(std::move(command)), in_(in), out_(out), gone_(gone), holder_(getppid()) {}

  int run();

private:
  void take_order();
  void start(const std::string& variables);
  [[noreturn]] void become_command(const std::string& variables, int errors);
  /// Collects the dead. False: no descendant is left.
  bool reap();
  void stopped(int signal);
  void kill_everything();
  void tell(guard_event::kind what, std::int64_t value = 0);
  [[nodiscard]] int patience() const;

  std::vector<std::string> command_;
  int in_;
  int out_;
  int gone_;
  int signals_ = -1;
  pid_t holder_;
  pid_t pid_ = -1;
  boot_time deadline_{0}; ///< 0: none
  bool open_ = true;
  bool killed_ = false;
  bool failed_ = false; ///< the command could not be started
};

int guard_process::run() {
  // Terminal signals and group kills are for the command: the guard stands in a group of its own
  // and lets none of them end it.
  setpgid(0, 0);
  prctl(PR_SET_NAME, "paxtor-guard");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  signals_ = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  for (;;) {
    pollfd ready[2] = {{open_ ? in_ : -1, POLLIN, 0}, {signals_, POLLIN, 0}};
    poll(ready, 2, patience());
    signalfd_siginfo info;
    while (read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
      ;
    if ((ready[0].revents & (POLLIN | POLLHUP)) != 0)
      take_order();
    // G2: again and again, until none that it started is left.
    if (killed_ || (deadline_.count() != 0 && boot_now() >= deadline_))
      kill_everything();
    const bool alive = reap();
    if (!alive && (pid_ > 0 || !open_ || failed_ || killed_)) {
      // G5: before the event, at which the holder may end.
      const char yes = 1;
      while (write(gone_, &yes, 1) < 0 && errno == EINTR)
        ;
      tell(guard_event::kind::all_gone, killed_ ? 1 : 0);
      return 0;
    }
  }
}

int guard_process::patience() const {
  // While killing: look again soon for those that have just become our children.
  if (killed_)
    return 2;
  if (deadline_.count() == 0)
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - boot_now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void guard_process::take_order() {
  guard_order order{};
  const auto n = read(in_, &order, sizeof order);
  if (n < 0 && errno == EINTR)
    return;
  if (n != static_cast<ssize_t>(sizeof order)) {
    // G1: the holder is gone.
    open_ = false;
    if (pid_ > 0)
      kill_everything();
    return;
  }
  std::string text(order.length, '\0');
  for (std::size_t have = 0; have < text.size();) {
    const auto got = read(in_, text.data() + have, text.size() - have);
    if (got <= 0)
      return;
    have += static_cast<std::size_t>(got);
  }
  switch (order.what) {
    case 'R':
      start(text);
      break;
    case 'L':
      deadline_ = boot_time{order.value};
      break;
    case 'S':
      // A group whose processes are all stopped takes no SIGTERM until it goes on.
      if (pid_ > 0) {
        kill(-pid_, static_cast<int>(order.value));
        kill(-pid_, SIGCONT);
      }
      break;
    case 'K':
      kill_everything();
      break;
    default:
      break;
  }
}

void guard_process::start(const std::string& variables) {
  if (pid_ > 0 || failed_ || killed_)
    return;
  int errors[2] = {-1, -1};
  if (pipe2(errors, O_CLOEXEC) != 0) {
    tell(guard_event::kind::not_started, errno);
    failed_ = true;
    return;
  }
  pid_ = fork();
  if (pid_ == 0)
    become_command(variables, errors[1]);
  close(errors[1]);
  int problem = pid_ < 0 ? errno : 0;
  if (pid_ > 0) {
    setpgid(pid_, pid_);
    if (read(errors[0], &problem, sizeof problem) != static_cast<ssize_t>(sizeof problem))
      problem = 0;
  }
  close(errors[0]);
  if (problem != 0) {
    tell(guard_event::kind::not_started, problem);
    pid_ = -1;
    failed_ = true;
    return;
  }
  tell(guard_event::kind::started, pid_);
}

void guard_process::become_command(const std::string& variables, int errors) {
  const auto self = getpid();
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The terminal goes to the command if the program had it: Ctrl-C is the command's then.
  const auto tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (tty >= 0) {
    if (tcgetpgrp(tty) == getpgid(holder_))
      tcsetpgrp(tty, self);
    close(tty);
  }
  for (int number = 1; number < NSIG; ++number)
    std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (std::size_t at = 0; at < variables.size();) {
    const char* variable = variables.c_str() + at;
    at += std::strlen(variable) + 1;
    putenv(const_cast<char*>(variable));
  }
  std::vector<char*> argv;
  for (auto& word : command_)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  execvp(argv.front(), argv.data());
  const int problem = errno;
  if (write(errors, &problem, sizeof problem) < 0)
    _exit(126);
  _exit(127);
}

bool guard_process::reap() {
  for (;;) {
    int status = 0;
    const auto pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
    if (pid < 0 && errno == EINTR)
      continue;
    if (pid < 0)
      return false;
    if (pid == 0)
      return true;
    if (pid != pid_)
      continue;
    if (WIFSTOPPED(status))
      stopped(WSTOPSIG(status));
    else
      tell(guard_event::kind::ended, status);
  }
}

void guard_process::stopped(int signal) {
  // Ctrl-Z: the program cannot stop with its command, it would lose the lock; and a command that
  // sleeps on a lock keeps everybody waiting. So it goes on.
  if (signal == SIGTSTP)
    kill(-pid_, SIGCONT);
  tell(guard_event::kind::suspended, signal);
}

void guard_process::kill_everything() {
  killed_ = true;
  if (pid_ > 0)
    kill(-pid_, SIGKILL);
  kill_children();
}

void guard_process::tell(guard_event::kind what, std::int64_t value) {
  const guard_event event{what, value};
  // Shorter than PIPE_BUF: whole or not at all. Nobody reads: the holder is gone.
  while (write(out_, &event, sizeof event) < 0 && errno == EINTR)
    ;
}

} // namespace

int guard_main(std::vector<std::string> command, int in, int out, int gone) noexcept {
  return guard_process{std::move(command), in, out, gone}.run();
}

void kill_descendants(pid_t group, pid_t spared) noexcept {
  for (;;) {
    if (group > 0)
      kill(-group, SIGKILL);
    const auto children = kill_children(spared);
    // Without /proc they cannot be killed, only waited for.
    if (children ? children->empty() : waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD)
      return;
    for (const auto pid : children.value_or(std::vector<pid_t>{}))
      waitpid(pid, nullptr, WNOHANG);
    poll(nullptr, 0, 2);
  }
}

} // namespace paxtor::tools
