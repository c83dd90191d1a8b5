#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <caf/all.hpp>
#include <doctest/doctest.h>

#include <paxtor/error.hpp>

#include "actors/name_book.hpp"
#include "actors/named_handle.hpp"
#include "test/actors/seen.hpp"

using namespace paxtor;
using namespace test;

namespace {

using put_atom = caf::atom_constant<caf::atom("put")>;

/// Notes what it gets, by sender.
struct sink_state {
  std::vector<std::pair<int, int>> got;
};

caf::behavior sink(caf::stateful_actor<sink_state>* self, std::shared_ptr<std::atomic<int>> count) {
  return {
    [=](put_atom, int sender, int number) {
      self->state.got.emplace_back(sender, number);
      ++*count;
    },
    [=](caf::get_atom) {
      std::vector<int> flat;
      for (const auto& [sender, number] : self->state.got) {
        flat.push_back(sender);
        flat.push_back(number);
      }
      return flat;
    },
  };
}

/// Stands in for the name keeper: notes what cells tell.
struct keeper_notes {
  std::atomic<int> wanted{0};
  std::atomic<int> lost{0};
  std::atomic<int> idle{0};
};

caf::behavior keeper(caf::event_based_actor*, std::shared_ptr<keeper_notes> notes) {
  using actors::name_cell;
  return {
    [=](actors::name_wanted_atom, const std::shared_ptr<name_cell>&) { ++notes->wanted; },
    [=](actors::name_lost_atom, const std::shared_ptr<name_cell>&) { ++notes->lost; },
    [=](actors::name_idle_atom, const std::shared_ptr<name_cell>&) { ++notes->idle; },
  };
}

struct fixture {
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
  std::shared_ptr<keeper_notes> notes = std::make_shared<keeper_notes>();
  std::shared_ptr<actors::name_book> book = std::make_shared<actors::name_book>(sys);
  std::shared_ptr<std::atomic<int>> count = std::make_shared<std::atomic<int>>(0);
  std::vector<caf::actor> made;
  caf::actor keeping;

  fixture() {
    keeping = sys.spawn(keeper, notes);
    book->keeper(keeping);
  }

  ~fixture() {
    book->close(make_error(errc::not_joined));
    for (const auto& one : made)
      caf::anon_send_exit(one, caf::exit_reason::kill);
  }

  caf::actor spawn_sink() {
    made.push_back(sys.spawn(sink, count));
    return made.back();
  }

  caf::actor handle(const std::string& name = "\"apple\"",
                    const std::set<std::string>& interface = {}) {
    registry::singleton_spec spec;
    spec.type = "sink";
    return caf::actor_cast<caf::actor>(book->handle(term::from_canonical(name), spec, interface));
  }

  /// The cell behind a handle: what the keeper is told of.
  std::shared_ptr<actors::name_cell> cell_of(const caf::actor& handle) {
    return static_cast<actors::named_handle*>(caf::actor_cast<caf::abstract_actor*>(handle))
      ->cell();
  }

  std::vector<int> got(const caf::actor& from) {
    caf::scoped_actor self{sys};
    std::vector<int> result;
    self->request(from, caf::infinite, caf::get_atom_v)
      .receive([&](const std::vector<int>& all) { result = all; }, [](const caf::error&) {});
    return result;
  }
};

} // namespace

TEST_CASE("one handle for one name, and one cell, another name has its own") {
  fixture f;
  const auto one = f.handle();
  const auto two = f.handle();
  const auto other = f.handle("\"banana\"");
  const auto typed = f.handle("\"apple\"", {"caf::replies_to<int>::with<int>"});
  CHECK(one == two);
  CHECK(one != other);
  CHECK(one != typed);
  CHECK(f.book->size() == 3);
  CHECK(f.notes->wanted == 0);
}

TEST_CASE("nothing is asked for before the first message, and then once") {
  fixture f;
  const auto handle = f.handle();
  CHECK(f.notes->wanted == 0);
  for (int i = 0; i < 10; ++i)
    caf::anon_send(handle, put_atom::value, 0, i);
  CHECK(until([&] { return f.notes->wanted == 1; }));
  CHECK(f.cell_of(handle)->waiting() == 10);
}

TEST_CASE("messages of one sender arrive in order across waiting, direct and moved (I32)") {
  fixture f;
  const auto handle = f.handle();
  const auto cell = f.cell_of(handle);
  const auto first = f.spawn_sink();
  const auto second = f.spawn_sink();
  constexpr int senders = 4;
  constexpr int each = 20'000;
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (int s = 0; s < senders; ++s)
    threads.emplace_back([&, s] {
      while (!go)
        std::this_thread::yield();
      for (int i = 0; i < each; ++i) {
        // The buffer is bounded, and this is not about its bound.
        while (cell->waiting() > actors::max_waiting_messages / 2)
          std::this_thread::yield();
        caf::anon_send(handle, put_atom::value, s, i);
      }
    });
  go = true;
  for (int i = 0; i < 200; ++i) {
    cell->connect(caf::actor_cast<caf::strong_actor_ptr>(i % 2 == 0 ? first : second));
    std::this_thread::yield();
    cell->disconnect();
    // I33: what the old target has is what it has.
  }
  cell->connect(caf::actor_cast<caf::strong_actor_ptr>(second));
  for (auto& one : threads)
    one.join();
  CHECK(until([&] { return *f.count == senders * each; }));
  CHECK(f.book->dropped() == 0);
  for (const auto& target : {first, second}) {
    std::vector<int> last(senders, -1);
    const auto flat = f.got(target);
    for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
      const auto sender = static_cast<std::size_t>(flat[i]);
      CHECK_MESSAGE(flat[i + 1] > last[sender], "sender " << sender);
      last[sender] = flat[i + 1];
    }
  }
}

TEST_CASE("after disconnect the old target gets nothing (I33)") {
  fixture f;
  const auto handle = f.handle();
  const auto cell = f.cell_of(handle);
  const auto target = f.spawn_sink();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int s = 0; s < 3; ++s)
    threads.emplace_back([&, s] {
      for (int i = 0; !stop; ++i)
        if (cell->waiting() < actors::max_waiting_messages / 2)
          caf::anon_send(handle, put_atom::value, s, i);
    });
  cell->connect(caf::actor_cast<caf::strong_actor_ptr>(target));
  CHECK(until([&] { return *f.count > 1000; }));
  cell->disconnect();
  const auto then = f.got(target).size();
  CHECK(until([&] { return cell->waiting() > 100; }));
  CHECK(f.got(target).size() == then);
  stop = true;
  for (auto& one : threads)
    one.join();
}

TEST_CASE(
  "lesson: a full handle refuses the newest message and says so, and drops none that waits") {
  // Akka's proxy drops the oldest.
  fixture f;
  const auto handle = f.handle();
  constexpr auto most = static_cast<int>(actors::max_waiting_messages);
  for (int i = 0; i < most; ++i)
    caf::anon_send(handle, put_atom::value, 0, i);
  CHECK(f.book->dropped() == 0);
  for (int i = 0; i < 7; ++i)
    caf::anon_send(handle, put_atom::value, 0, 0);
  CHECK(f.book->dropped() == 7);
  caf::scoped_actor self{f.sys};
  auto code = errc::none;
  self->request(handle, caf::infinite, caf::get_atom_v)
    .receive([](const std::vector<int>&) {}, [&](const caf::error& why) { code = code_of(why); });
  CHECK(code == errc::overloaded);
  CHECK(f.book->dropped() == 7);
  const auto target = f.spawn_sink();
  f.cell_of(handle)->connect(caf::actor_cast<caf::strong_actor_ptr>(target));
  CHECK(until([&] { return *f.count == most; }));
  const auto got = f.got(target);
  REQUIRE(got.size() == 2 * static_cast<std::size_t>(most));
  for (int i = 0; i < most; ++i)
    CHECK(got[2 * static_cast<std::size_t>(i) + 1] == i);
}

TEST_CASE("what is refused is answered, and the next message asks again") {
  fixture f;
  const auto handle = f.handle();
  const auto cell = f.cell_of(handle);
  caf::scoped_actor self{f.sys};
  auto request = self->request(handle, caf::infinite, caf::get_atom_v);
  caf::anon_send(handle, put_atom::value, 0, 0);
  CHECK(until([&] { return f.notes->wanted == 1; }));
  cell->refuse(make_error(errc::no_host, "none"));
  auto code = errc::none;
  request.receive([](const std::vector<int>&) {},
                  [&](const caf::error& why) { code = code_of(why); });
  CHECK(code == errc::no_host);
  CHECK(f.book->dropped() == 1);
  caf::anon_send(handle, put_atom::value, 0, 0);
  CHECK(until([&] { return f.notes->wanted == 2; }));
}

TEST_CASE("the end of the target is told once, and messages wait again") {
  fixture f;
  const auto handle = f.handle();
  const auto cell = f.cell_of(handle);
  const auto target = f.spawn_sink();
  cell->connect(caf::actor_cast<caf::strong_actor_ptr>(target));
  CHECK(cell->connected());
  caf::anon_send_exit(target, caf::exit_reason::kill);
  CHECK(until([&] { return f.notes->lost == 1; }));
  CHECK(!cell->connected());
  caf::anon_send(handle, put_atom::value, 0, 1);
  CHECK(cell->waiting() == 1);
  // Connecting to somebody dead is noticed at once.
  cell->connect(caf::actor_cast<caf::strong_actor_ptr>(target));
  CHECK(until([&] { return f.notes->lost == 2; }));
  const auto next = f.spawn_sink();
  caf::anon_send(handle, put_atom::value, 0, 2);
  cell->connect(caf::actor_cast<caf::strong_actor_ptr>(next));
  CHECK(until([&] { return f.got(next).size() == 2; }));
}

TEST_CASE("orders to end and news of ends start nothing") {
  fixture f;
  const auto handle = f.handle();
  caf::anon_send_exit(handle, caf::exit_reason::kill);
  CHECK(f.book->dropped() == 1);
  CHECK(f.notes->wanted == 0);
  const auto target = f.spawn_sink();
  f.cell_of(handle)->connect(caf::actor_cast<caf::strong_actor_ptr>(target));
  // They go to the singleton if there is one.
  caf::anon_send_exit(handle, caf::exit_reason::kill);
  CHECK(until([&] { return f.notes->lost == 1; }));
}

TEST_CASE("the last handle tells the keeper, what waits stays with the cell") {
  fixture f;
  std::shared_ptr<actors::name_cell> cell;
  {
    auto handle = f.handle();
    auto second = handle;
    cell = f.cell_of(handle);
    caf::anon_send(handle, put_atom::value, 0, 0);
    handle = nullptr;
    CHECK(f.notes->idle == 0);
  }
  CHECK(until([&] { return f.notes->idle == 1; }));
  CHECK(cell->waiting() == 1);
  // A new handle for the name is the same cell; it keeps the book from forgetting it.
  const auto again = f.handle();
  CHECK(f.cell_of(again) == cell);
  CHECK(!f.book->retire(cell));
}

TEST_CASE("an unused cell can be retired") {
  fixture f;
  std::shared_ptr<actors::name_cell> cell;
  {
    const auto handle = f.handle();
    cell = f.cell_of(handle);
  }
  CHECK(f.book->retire(cell));
  CHECK(f.book->size() == 0);
}

TEST_CASE("monitors and links of a handle see the node leave, not the singleton end") {
  fixture f;
  const auto handle = f.handle();
  const auto target = f.spawn_sink();
  f.cell_of(handle)->connect(caf::actor_cast<caf::strong_actor_ptr>(target));
  caf::scoped_actor self{f.sys};
  self->monitor(handle);
  caf::anon_send_exit(target, caf::exit_reason::kill);
  CHECK(until([&] { return f.notes->lost == 1; }));
  f.book->close(make_error(errc::not_joined));
  auto reason = errc::none;
  self->receive([&](const caf::down_msg& down) { reason = code_of(down.reason); });
  CHECK(reason == errc::not_joined);
  auto code = errc::none;
  self->request(handle, caf::infinite, caf::get_atom_v)
    .receive([](const std::vector<int>&) {}, [&](const caf::error& why) { code = code_of(why); });
  CHECK(code == errc::not_joined);
  // Also a handle that is made afterwards.
  self->request(f.handle("\"late\""), caf::infinite, caf::get_atom_v)
    .receive([](const std::vector<int>&) {}, [&](const caf::error& why) { code = code_of(why); });
  CHECK(code == errc::not_joined);
}

TEST_CASE("a handle outlives its actor system") {
  caf::actor handle;
  {
    fixture f;
    handle = f.handle();
    caf::anon_send(handle, put_atom::value, 0, 0);
  }
  CHECK(handle != nullptr);
  handle = nullptr;
}
