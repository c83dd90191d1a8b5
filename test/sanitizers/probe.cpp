/// \file
/// Does the sanitized build see what it should, and nothing else? `probe clean` runs actors that
/// pass messages between threads, share one message among many, come and go, and end with messages
/// unread: no report. Nor is there one from `probe handover` (ThreadSanitizer only), where threads
/// take turns at one actor before each has returned from its run. Each other word plants a bug that
/// must be reported: race (two actors write one variable), leak, overflow.

#include <atomic>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <caf/all.hpp>

#ifdef __SANITIZE_THREAD__
/// Of caf_order.cpp.
extern std::atomic<unsigned> paxtor_late_return;
#endif

namespace {

using go_atom = caf::atom_constant<caf::atom("go")>;

/// What two actors write without order.
std::vector<int> shared(1);

caf::behavior reader(caf::stateful_actor<std::size_t>* self) {
  return {
    [=](const std::string& text) { self->state += text.size(); },
    [=](go_atom) {
      self->quit();
      return self->state;
    },
  };
}

/// Sends one message object to many, passes text on, and asks.
void clean() {
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
  caf::scoped_actor self{sys};
  for (int round = 0; round < 20; ++round) {
    std::vector<caf::actor> readers;
    for (int i = 0; i < 8; ++i)
      readers.push_back(i % 2 == 0 ? sys.spawn(reader) : sys.spawn<caf::detached>(reader));
    for (int i = 0; i < 50; ++i) {
      const auto one = caf::make_message(std::string(100, 'x'));
      for (const auto& to : readers)
        self->send(to, one);
    }
    for (const auto& to : readers)
      self->request(to, caf::infinite, go_atom::value)
        .receive([](std::size_t) {}, [](const caf::error&) { std::abort(); });
  }
}

/// Sends more than an actor handles before it ends: its mailbox goes with what it holds.
void left_behind() {
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
  for (int round = 0; round < 100; ++round) {
    const auto to = sys.spawn<caf::detached>(reader);
    std::thread talker{[&to] {
      for (int i = 0; i < 200; ++i) {
        if (i == 100)
          caf::anon_send(to, go_atom::value);
        caf::anon_send(to, std::string(i % 64U, 'x'));
      }
    }};
    talker.join();
  }
}

#ifdef __SANITIZE_THREAD__
/// Sends to an actor of the scheduler that has just gone idle, so that another thread runs it while
/// the last one is still on its way out.
void handover() {
  paxtor_late_return = 2000;
  caf::actor_system_config cfg;
  cfg.set("scheduler.max-threads", 4);
  caf::actor_system sys{cfg};
  // Tells this thread of the message, and orders nothing: that is left to the mailbox.
  std::atomic<int> handled{0};
  const auto counter = sys.spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {[&, sum = std::vector<int>(1)](int x) mutable {
      sum[0] += x;
      handled.fetch_add(1, std::memory_order_relaxed);
    }};
  });
  for (int i = 0; i < 100; ++i) {
    caf::anon_send(counter, i);
    while (handled.load(std::memory_order_relaxed) <= i)
      std::this_thread::yield();
  }
}
#endif

void race() {
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
  auto writer = [](caf::event_based_actor* self) -> caf::behavior {
    return {[=](go_atom) {
      for (int i = 0; i < 10'000; ++i)
        ++shared[0];
      self->quit();
    }};
  };
  for (int i = 0; i < 2; ++i)
    caf::anon_send(sys.spawn<caf::detached>(writer), go_atom::value);
}

} // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 2 ? argv[1] : "";
  if (what == "clean") {
    clean();
    left_behind();
#ifdef __SANITIZE_THREAD__
  } else if (what == "handover") {
    handover();
#endif
  } else if (what == "race") {
    race();
  } else if (what == "leak") {
    *new std::string(1000, 'x') += "y";
  } else if (what == "overflow") {
    std::vector<char> three(3);
    std::memset(three.data(), argc, three.size() + static_cast<std::size_t>(argc) - 1);
    std::cout << int{three[0]};
  } else {
    return 64;
  }
  std::cout << "nothing seen\n";
}
