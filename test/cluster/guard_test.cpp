#include <csignal>

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/cluster/support.hpp"
#include "tools/guard.hpp"

using namespace paxtor::test;
using paxtor::tools::boot_now;
using paxtor::tools::guard;
using paxtor::tools::guard_event;
using kind = paxtor::tools::guard_event::kind;

namespace {

/// Runs `script` under a new guard until the event `last`, and returns that.
guard_event run_until(guard& child, kind last, milliseconds patience = 10s) {
  const auto deadline = clock::now() + patience;
  while (clock::now() < deadline) {
    const auto event = child.next(100ms);
    if (event && event->what == last)
      return *event;
  }
  FAIL("the guard did not tell in time");
  return {};
}

void start(guard& child, const std::string& script) {
  std::string why;
  REQUIRE(child.start({"sh", "-c", script}, why));
}

} // namespace

TEST_CASE("guard: tells how the command ended, and when all is gone") {
  const scratch dir;
  guard child;
  start(child, "echo $SPECIAL > " + dir.file("out") + "; sleep 0.3 & exit 5");
  child.run({"SPECIAL=yes"});
  const auto ended = run_until(child, kind::ended);
  CHECK(WEXITSTATUS(static_cast<int>(ended.value)) == 5);
  // The child in the background still runs.
  CHECK_FALSE(child.next(100ms));
  CHECK(run_until(child, kind::all_gone).value == 0);
  CHECK(dir.read("out") == "yes\n");
}

TEST_CASE("guard: kills what left the process group too") {
  const scratch dir;
  guard child;
  start(child,
        "setsid sleep 1000 & echo $! > " + dir.file("pid") + "; trap '' TERM HUP; sleep 1000");
  child.run({});
  REQUIRE(eventually(5s, [&] { return !dir.lines("pid").empty(); }));
  const auto pid = std::stoi(dir.read("pid"));
  CHECK(alive(pid));
  child.kill_all();
  CHECK(run_until(child, kind::all_gone).value == 1);
  CHECK_FALSE(alive(pid));
}

TEST_CASE("guard: kills at the deadline, unless a later one is told") {
  guard child;
  start(child, "sleep 1000");
  const auto start_time = clock::now();
  child.keep_until(boot_now() + 200ms);
  child.run({});
  run_until(child, kind::started);
  child.keep_until(boot_now() + 600ms);
  CHECK(run_until(child, kind::all_gone).value == 1);
  CHECK(seconds_since(start_time) >= 0.6);
  CHECK(seconds_since(start_time) < 3);
}

TEST_CASE("guard: forwards signals, to a stopped command too") {
  guard child;
  start(child, "trap 'exit 9' TERM; while :; do sleep 0.02; done");
  child.run({});
  const auto pid = static_cast<pid_t>(run_until(child, kind::started).value);
  CHECK(kill(pid, SIGSTOP) == 0);
  CHECK(run_until(child, kind::suspended).value == SIGSTOP);
  child.signal(SIGTERM);
  const auto status = static_cast<int>(run_until(child, kind::ended).value);
  // The trap is set only once the shell has come to it.
  CHECK(((WIFEXITED(status) && WEXITSTATUS(status) == 9)
         || (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)));
}

TEST_CASE("guard: a command that cannot be run") {
  guard child;
  std::string why;
  REQUIRE(child.start({"/no/such/command"}, why));
  child.run({});
  CHECK(run_until(child, kind::not_started).value == ENOENT);
  CHECK(run_until(child, kind::all_gone).value == 0);
}

TEST_CASE("guard: ends without a command, and takes one with it that runs") {
  {
    guard idle;
    start(idle, "true");
  }
  pid_t pid = 0;
  {
    guard child;
    start(child, "sleep 1000");
    child.run({});
    pid = static_cast<pid_t>(run_until(child, kind::started).value);
    CHECK(alive(pid));
  }
  CHECK_FALSE(alive(pid));
}

TEST_CASE("guard: killed itself, it takes the command along") {
  guard child;
  start(child, "sleep 1000 & sleep 1000");
  child.run({});
  const auto pid = static_cast<pid_t>(run_until(child, kind::started).value);
  kill(parent_of(pid), SIGKILL);
  run_until(child, kind::lost);
  CHECK_FALSE(alive(pid));
}

TEST_CASE("guard: one byte says that all is gone, and none comes if it was killed") {
  const auto byte_of = [](guard& child) {
    pollfd ready{child.gone_fd(), POLLIN, 0};
    char byte = 0;
    return poll(&ready, 1, 5000) == 1 ? read(child.gone_fd(), &byte, 1) : -1;
  };
  guard child;
  start(child, "setsid sleep 1000 & sleep 1000");
  child.run({});
  const auto pid = static_cast<pid_t>(run_until(child, kind::started).value);
  pollfd ready{child.gone_fd(), POLLIN, 0};
  CHECK(poll(&ready, 1, 100) == 0);
  child.kill_all();
  CHECK(byte_of(child) == 1);
  CHECK_FALSE(alive(pid));
  run_until(child, kind::all_gone);
  guard killed;
  start(killed, "sleep 1000");
  killed.run({});
  kill(parent_of(static_cast<pid_t>(run_until(killed, kind::started).value)), SIGKILL);
  CHECK(byte_of(killed) == 0);
  run_until(killed, kind::lost);
}

TEST_CASE("guard: in its stead everything is killed but the child that is to be spared") {
  process spared{{"sleep", "1000"}};
  guard child;
  child.spare([&] { return spared.pid(); });
  start(child, "setsid sleep 1000 & sleep 1000");
  child.run({});
  const auto pid = static_cast<pid_t>(run_until(child, kind::started).value);
  kill(parent_of(pid), SIGKILL);
  run_until(child, kind::lost);
  CHECK_FALSE(alive(pid));
  CHECK(alive(spared.pid()));
}
