#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/boot_clock.hpp"
#include "actors/watchdog.hpp"

using namespace paxtor;
using namespace std::chrono_literals;

namespace {

struct last_words {
  int status = 0;
  std::string text;
  std::int64_t ended_ns = 0;
};

/// Runs `what` in a child, and says how it ended. The end of its stderr is the moment at which it
/// ended.
template <class F>
last_words in_child(F what) {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    what();
    ::_exit(0);
  }
  ::close(ends[1]);
  last_words result;
  char buffer[512];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof(buffer))) > 0;)
    result.text.append(buffer, static_cast<std::size_t>(n));
  result.ended_ns = actors::boot_ns();
  ::close(ends[0]);
  ::waitpid(child, &result.status, 0);
  return result;
}

bool bitten(const last_words& what) {
  return WIFEXITED(what.status) && WEXITSTATUS(what.status) == actors::watchdog_exit_status;
}

/// Far longer than any lease here, as a handler that does not return.
void hang() {
  std::this_thread::sleep_for(10s);
}

/// How late the watchdog may be. It is exact to a fraction of a millisecond on an idle machine; a
/// test machine may be busy, and what is shown here is that it does not wait for the next of
/// something.
constexpr std::int64_t tolerance_ns = 150'000'000;

} // namespace

TEST_CASE("the watchdog ends the process at the end of the lease, and says why") {
  const auto end = actors::boot_now() + 200ms;
  const auto words = in_child([end] {
    actors::watchdog dog{"node-x"};
    dog.owners(3);
    dog.update(end, true);
    hang();
  });
  CHECK(bitten(words));
  CHECK(words.ended_ns >= actors::to_ns(end));
  CHECK(words.ended_ns - actors::to_ns(end) < tolerance_ns);
  CHECK(words.text.find("node=node-x owners=3") != std::string::npos);
  CHECK(words.text.find("status 70") != std::string::npos);
  CHECK(words.text.back() == '\n');
}

TEST_CASE("the watchdog leaves a process alone that holds nothing when its lease ends") {
  const auto words = in_child([] {
    actors::watchdog dog{"x"};
    dog.update(actors::boot_now() + 50ms, true);
    dog.update(actors::boot_now() + 50ms, false);
    std::this_thread::sleep_for(150ms);
    // A lease of old that nobody is guarded by any more.
    dog.update(actors::boot_now() - 1s, false);
    std::this_thread::sleep_for(50ms);
  });
  CHECK(WIFEXITED(words.status));
  CHECK(WEXITSTATUS(words.status) == 0);
  CHECK(words.text.empty());
}

TEST_CASE("the watchdog follows a lease that is renewed, and bites at the last end") {
  const auto start = actors::boot_now();
  const auto words = in_child([start] {
    actors::watchdog dog{"x"};
    for (int i = 0; i < 20; ++i) {
      dog.update(start + i * 20ms + 200ms, true);
      std::this_thread::sleep_for(5ms);
    }
    hang();
  });
  CHECK(bitten(words));
  CHECK(words.ended_ns >= actors::to_ns(start + 19 * 20ms + 200ms));
  CHECK(words.ended_ns - actors::to_ns(start + 19 * 20ms + 200ms) < tolerance_ns);
}

TEST_CASE(
  "the watchdog looks earlier when an end moves closer, and when it is armed after a pause") {
  const auto start = actors::boot_now();
  const auto words = in_child([start] {
    actors::watchdog dog{"x"};
    dog.update(start + 10s, true);
    std::this_thread::sleep_for(20ms);
    dog.update(start + 10s, false);
    std::this_thread::sleep_for(20ms);
    dog.update(start + 150ms, true);
    hang();
  });
  CHECK(bitten(words));
  CHECK(words.ended_ns - actors::to_ns(start + 150ms) < tolerance_ns);
}

TEST_CASE("the watchdog bites at once if the lease is over already when an owner appears") {
  const auto words = in_child([] {
    actors::watchdog dog{"x"};
    dog.update(actors::boot_now() - 1ms, true);
    hang();
  });
  CHECK(bitten(words));
}

TEST_CASE("the watchdog sleeps: a hundred thousand grants cost it next to nothing") {
  actors::watchdog dog{"x"};
  const auto end = actors::boot_now() + 1h;
  dog.update(end, true);
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  for (int i = 0; i < 100'000; ++i) {
    dog.update(end, true);
    dog.update(end, false);
  }
  dog.update(end, false);
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  // It sleeps on the timer that is set, and is not woken for a lease that ends no earlier.
  CHECK(after.ru_nvcsw - before.ru_nvcsw < 1000);
  dog.stop();
  dog.stop();
}
