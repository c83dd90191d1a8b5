#include "test/storm/world.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/exit_status.hpp"

namespace paxtor::storm {

namespace {

volatile std::sig_atomic_t signalled = 0;

void note_signal(int number) {
  signalled = number;
}

[[noreturn]] void refuse(const char* what) {
  std::fprintf(stderr,
               "paxtor-storm: %s: %s; it needs network, mount and process namespaces: run it as "
               "root, or where user namespaces are allowed\n",
               what, std::strerror(errno));
  std::_Exit(tools::exit_unavailable);
}

bool put(const char* path, const std::string& text) {
  std::ofstream out{path};
  return static_cast<bool>(out << text << std::flush);
}

void separate() {
  const auto uid = geteuid();
  const auto gid = getegid();
  int spaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC;
  if (uid != 0)
    spaces |= CLONE_NEWUSER;
  if (unshare(spaces) != 0)
    refuse("unshare");
  if (uid == 0)
    return;
  const bool mapped = put("/proc/self/setgroups", "deny")
                      && put("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1")
                      && put("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
  if (!mapped)
    refuse("the map of users");
}

/// In the first process of the new world.
void furnish() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0
      || mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0
      || mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "size=16m") != 0
      || mkdir("/run/netns", 0755) != 0)
    refuse("mount");
}

int status_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Dies with its parent. False: that is gone already. `parent` 0: one of another namespace.
void tie_to(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    std::_Exit(tools::exit_failure);
}

/// Waits for `child` and reaps whatever else comes.
int reap_until(pid_t child) {
  for (;;) {
    int status = 0;
    const auto pid = waitpid(-1, &status, 0);
    if (pid == child)
      return status_of(status);
    if (pid < 0 && errno != EINTR)
      return tools::exit_failure;
  }
}

/// Forks; the child runs `body` and exits with what it returns.
template <class Body>
pid_t branch(pid_t seen_parent, Body body) {
  const auto child = fork();
  if (child < 0)
    refuse("fork");
  if (child == 0) {
    tie_to(seen_parent);
    std::exit(body());
  }
  return child;
}

} // namespace

int in_own_world(const std::function<int()>& body) {
  std::fflush(nullptr);
  const auto keeper = branch(getpid(), [&] {
    // A Ctrl-C is for the process that waits outside.
    setsid();
    separate();
    // The parent of the first process of a namespace is not in it, and has no number there.
    const auto first = branch(0, [&] {
      furnish();
      return reap_until(branch(1, [&] { return body(); }));
    });
    return reap_until(first);
  });
  struct sigaction noted {};
  noted.sa_handler = note_signal;
  sigaction(SIGINT, &noted, nullptr);
  sigaction(SIGTERM, &noted, nullptr);
  int status = 0;
  while (waitpid(keeper, &status, 0) < 0 && errno == EINTR) {
    if (signalled != 0)
      kill(keeper, SIGKILL);
  }
  return signalled != 0 ? 128 + signalled : status_of(status);
}

} // namespace paxtor::storm
