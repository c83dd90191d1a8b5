// Actors that the I/O thread runs when they are idle and the work is little.

#include <array>
#include <atomic>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "net/caf_compat.hpp"
#include "net/inline_actor.hpp"
#include "test/actors/net_help.hpp"

using namespace paxtor;
using namespace paxtor::test;

namespace {

/// What a probe did; written by whatever thread runs it, without a mutex on purpose: that only one
/// does is what is tested (by ThreadSanitizer too).
struct diary {
  struct line {
    std::string text;
    std::thread::id by;
  };
  std::vector<line> lines;
  std::atomic<std::size_t> count{0};
  std::atomic<int> inside{0};
  std::atomic<bool> overlap{false};
  /// A handler of "wait" stays until this is set.
  std::promise<void> go_on;
};

constexpr auto burst = std::size_t{100};

class probe final : public net::inline_actor {
public:
  probe(caf::actor_config& cfg, std::shared_ptr<diary> notes)
      : net::inline_actor(cfg), notes_(std::move(notes)), go_on_(notes_->go_on.get_future()) {}

  caf::behavior make_behavior() override {
    return {
      [this](net::frame_atom, const std::string& text) { note(text); },
      [this](net::status_atom) { return std::to_string(notes_->count); },
      [this](net::stop_atom) { quit(); },
    };
  }

private:
  void note(const std::string& text) {
    if (++notes_->inside != 1)
      notes_->overlap = true;
    notes_->lines.push_back({text, std::this_thread::get_id()});
    if (text == "wait")
      go_on_.wait();
    if (text == "end")
      quit();
    if (text == "burst")
      for (std::size_t i = 0; i < burst; ++i)
        send(this, net::frame_atom::value, "one of many");
    --notes_->inside;
    ++notes_->count;
  }

  std::shared_ptr<diary> notes_;
  std::future<void> go_on_;
};

/// Probes in one system, and what another sees of them.
class two_systems {
public:
  ~two_systems() {
    CHECK(net::stop_and_wait(here, probes, 10s));
    probes.clear();
  }

  /// Returns the probe as the other system has it.
  caf::actor add(const std::shared_ptr<diary>& notes) {
    probes.push_back(net::spawn_own_thread<probe>(here, notes));
    auto port = here.middleman().publish(probes.back(), 0, "127.0.0.1");
    REQUIRE(port);
    auto far = there.middleman().remote_actor("127.0.0.1", *port);
    REQUIRE(far);
    // It has begun, and rests: whoever finds it idle runs it.
    ask(probes.back());
    return *far;
  }

  void ask(const caf::actor& whom) {
    caf::scoped_actor self{here, true};
    self->request(whom, 10s, net::status_atom::value)
      .receive([](const std::string&) {}, [](const caf::error&) { FAIL("no answer"); });
  }

  [[nodiscard]] std::thread::id io_thread() { return here.middleman().backend().thread_id(); }

  node_config config;
  node_config config_there;
  caf::actor_system here{config};
  caf::actor_system there{config_there};
  std::vector<caf::actor> probes;
};

/// `count` lines are there; they may be read until something is sent again.
bool has(const diary& notes, std::size_t count) {
  return eventually([&] { return notes.count == count; });
}

} // namespace

TEST_CASE("inline: a small frame of another node is handled by the I/O thread, all else is not") {
  two_systems both;
  auto notes = std::make_shared<diary>();
  auto far = both.add(notes);
  caf::anon_send(far, net::frame_atom::value, std::string(net::small_frame, 's'));
  REQUIRE(has(*notes, 1));
  both.ask(both.probes[0]);
  caf::anon_send(far, net::frame_atom::value, std::string(net::small_frame + 1, 'b'));
  REQUIRE(has(*notes, 2));
  both.ask(both.probes[0]);
  caf::anon_send(both.probes[0], net::frame_atom::value, std::string{"local"});
  REQUIRE(has(*notes, 3));
  CHECK(notes->lines[0].by == both.io_thread());
  CHECK(notes->lines[1].by != both.io_thread());
  CHECK(notes->lines[2].by == notes->lines[1].by);
}

TEST_CASE("inline: from all sides, one thread at a time, each message once and in order") {
  constexpr std::size_t each = 2000;
  two_systems both;
  auto notes = std::make_shared<diary>();
  auto far = both.add(notes);
  const std::array<caf::actor, 4> ways{far, both.probes[0], far, both.probes[0]};
  std::vector<std::thread> senders;
  for (std::size_t who = 0; who < ways.size(); ++who)
    senders.emplace_back([who, &ways] {
      for (std::size_t i = 0; i < each; ++i) {
        auto text = std::to_string(who) + ":" + std::to_string(i) + ":";
        // Some are too much for the I/O thread, and it must not overtake them.
        text.resize(i % 7 == 0 ? net::small_frame + 1 : 20, '.');
        caf::anon_send(ways[who], net::frame_atom::value, std::move(text));
        if (i % 16 == 0)
          std::this_thread::yield();
      }
    });
  for (auto& one : senders)
    one.join();
  REQUIRE(has(*notes, ways.size() * each));
  CHECK_FALSE(notes->overlap);
  std::map<std::string, std::size_t> next;
  for (const auto& line : notes->lines) {
    const auto colon = line.text.find(':');
    REQUIRE(std::stoul(line.text.substr(colon + 1)) == next[line.text.substr(0, colon)]++);
  }
}

TEST_CASE("inline: the I/O thread waits for no actor that is busy") {
  two_systems both;
  auto busy = std::make_shared<diary>();
  auto idle = std::make_shared<diary>();
  auto far_busy = both.add(busy);
  auto far_idle = both.add(idle);
  caf::anon_send(both.probes[0], net::frame_atom::value, std::string{"wait"});
  REQUIRE(eventually([&] { return busy->inside == 1; }));
  caf::anon_send(far_busy, net::frame_atom::value, std::string{"behind it"});
  caf::anon_send(far_idle, net::frame_atom::value, std::string{"beside it"});
  REQUIRE(has(*idle, 1));
  CHECK(busy->count == 0);
  busy->go_on.set_value();
  REQUIRE(has(*busy, 2));
  CHECK(busy->lines[1].by == busy->lines[0].by);
  CHECK(busy->lines[1].by != both.io_thread());
}

TEST_CASE("inline: of a burst the I/O thread leaves most to the actor's own") {
  two_systems both;
  auto notes = std::make_shared<diary>();
  auto far = both.add(notes);
  caf::anon_send(far, net::frame_atom::value, std::string{"burst"});
  REQUIRE(has(*notes, 1 + burst));
  CHECK(notes->lines.front().by == both.io_thread());
  CHECK(notes->lines.back().by != both.io_thread());
}

TEST_CASE("inline: an actor may end while the I/O thread runs it") {
  two_systems both;
  auto notes = std::make_shared<diary>();
  auto far = both.add(notes);
  caf::scoped_actor self{both.there, true};
  self->monitor(far);
  caf::anon_send(far, net::frame_atom::value, std::string{"end"});
  auto ended = false;
  self->receive([&](const caf::down_msg&) { ended = true; },
                caf::after(10s) >> [] { FAIL("its end is told to nobody"); });
  CHECK(ended);
  CHECK(notes->lines.front().by == both.io_thread());
  auto refused = false;
  self->request(far, 10s, net::frame_atom::value, std::string{"late"})
    .receive([](const caf::message&) {}, [&](const caf::error&) { refused = true; });
  CHECK(refused);
}
