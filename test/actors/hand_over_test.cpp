// Hand-overs under load: singletons move from node to node while every node sends to them. Each
// message is handled exactly once, in the order of its sender, and no two lives overlap.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "test/actors/nodes.hpp"

using namespace test;
using paxtor::errc;

namespace {

using note_atom = caf::atom_constant<caf::atom("note")>;
using ask_atom = caf::atom_constant<caf::atom("ask")>;
using go_atom = caf::atom_constant<caf::atom("go")>;

/// What all lives of the ledger have seen: one per process, as all nodes of a test are.
class records {
public:
  void begin() {
    std::lock_guard guard{mutex_};
    ++lives_;
    overlap_ = overlap_ || ++alive_ > 1;
  }
  void end() {
    std::lock_guard guard{mutex_};
    --alive_;
  }
  void note(int sender, int number) {
    std::lock_guard guard{mutex_};
    auto& last = last_[sender];
    if (number != last + 1 && problem_.empty())
      problem_ = "of sender " + std::to_string(sender) + " came " + std::to_string(number)
                 + " after " + std::to_string(last);
    last = number;
  }
  void clear() {
    std::lock_guard guard{mutex_};
    lives_ = alive_ = 0;
    overlap_ = false;
    last_.clear();
    problem_.clear();
  }
  /// The first message that was lost, doubled or out of order; empty: none.
  std::string problem() {
    std::lock_guard guard{mutex_};
    return problem_;
  }
  bool overlap() {
    std::lock_guard guard{mutex_};
    return overlap_;
  }
  int lives() {
    std::lock_guard guard{mutex_};
    return lives_;
  }
  int last(int sender) {
    std::lock_guard guard{mutex_};
    return last_[sender];
  }

private:
  std::mutex mutex_;
  int lives_ = 0;
  int alive_ = 0;
  bool overlap_ = false;
  std::map<int, int> last_;
  std::string problem_;
};

records seen;

struct ledger_state {
  ledger_state() { seen.begin(); }
  ~ledger_state() { seen.end(); }
};

caf::behavior ledger(caf::stateful_actor<ledger_state>* self) {
  (void)self;
  return {
    [](note_atom, int sender, int number) { seen.note(sender, number); },
    [](ask_atom, int sender, int number) {
      seen.note(sender, number);
      return number;
    },
  };
}

/// Asks whom it is told to: for handles that travel.
caf::behavior carrier(caf::event_based_actor* self) {
  return {[self](const caf::actor& whom, int sender, int number) {
    return self->delegate(whom, ask_atom::value, sender, number);
  }};
}

[[maybe_unused]] const bool types_known = [] {
  more_types().push_back([](caf::actor_system_config& cfg) {
    cfg.add_actor_type("ledger", ledger);
    cfg.add_actor_type("carrier", carrier);
  });
  return true;
}();

/// How one sender is doing.
struct progress {
  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
  std::atomic<bool> enough{false};
  std::atomic<int> sent{0};
  std::atomic<bool> idle{false};
};

constexpr int most_open = 40;

/// Sends numbered messages, two plain ones and a request in turn, with at most `most_open` requests
/// without an answer, until it is told that it is enough.
struct sender_state {
  int number = 0;
  int open = 0;
};

caf::behavior sender(caf::stateful_actor<sender_state>* self, int me, const caf::actor& to,
                     const std::shared_ptr<progress>& how) {
  self->send(self, go_atom::value);
  return {
    [=](go_atom) {
      auto& x = self->state;
      if (how->enough) {
        how->idle = x.open == 0;
        if (x.open > 0)
          self->delayed_send(self, 1ms, go_atom::value);
        return;
      }
      if (x.open < most_open) {
        self->send(to, note_atom::value, me, ++x.number);
        self->send(to, note_atom::value, me, ++x.number);
        ++x.open;
        self->request(to, patience, ask_atom::value, me, ++x.number)
          .then(
            [=](int) {
              --self->state.open;
              ++how->answered;
            },
            [=](const caf::error&) {
              --self->state.open;
              ++how->failed;
            });
        how->sent = x.number;
      }
      self->delayed_send(self, 1ms, go_atom::value);
    },
  };
}

std::string home(node& on, const paxtor::key& name) {
  caf::scoped_actor self{*on.sys};
  const auto known =
    wait<paxtor::document>(on.door.ask(self, {"name", {}, name.text(), {}, 0, {}}));
  const auto& value = known.value.value;
  return known.ok() && value.value("state", "") == "running" ? value.value("node", "") : "";
}

outcome<paxtor::document> drain(node& by, const std::string& whom, bool on = true) {
  caf::scoped_actor self{*by.sys};
  return wait<paxtor::document>(by.door.drain(self, whom, on, 10s));
}

/// Until nothing is left there.
bool drained(node& by, const std::string& whom) {
  return eventually([&] {
    const auto left = drain(by, whom);
    return left.ok() && left.value.value["singletons"] == 0;
  });
}

} // namespace

TEST_CASE("hand-over under load: each message is handled once, in order, by one at a time") {
  seen.clear();
  nodes cluster{3};
  // One that hosts nothing and cannot be connected to: its links are its own.
  cluster.add("x", false, false);
  std::vector<std::shared_ptr<progress>> all;
  std::vector<caf::actor> senders;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto ledger_there = cluster[i].door.name("ledger", "ledger");
    for (int k = 0; k < 2; ++k) {
      all.push_back(std::make_shared<progress>());
      senders.push_back(
        cluster[i].sys->spawn(sender, static_cast<int>(all.size()), ledger_there, all.back()));
    }
  }
  CHECK(eventually([&] { return all.back()->answered > 20 && all.front()->answered > 20; }));
  constexpr int moves = 6;
  for (int i = 0; i < moves; ++i) {
    std::string where;
    REQUIRE(eventually([&] { return !(where = home(cluster[0], "ledger")).empty(); }));
    auto& by = cluster[static_cast<std::size_t>(i) % 3];
    REQUIRE(drained(by, where));
    // It works on, and everybody gets through to it.
    std::vector<int> before;
    for (const auto& one : all)
      before.push_back(one->answered);
    CHECK(eventually([&] {
      for (std::size_t k = 0; k < all.size(); ++k)
        if (all[k]->answered < before[k] + 10)
          return false;
      return true;
    }));
    CHECK(eventually([&] {
      const auto now = home(cluster[0], "ledger");
      return !now.empty() && now != where;
    }));
    REQUIRE(drain(by, where, false).ok());
  }
  for (const auto& one : all)
    one->enough = true;
  for (std::size_t k = 0; k < all.size(); ++k) {
    CHECK(eventually([&] { return all[k]->idle.load(); }));
    CHECK(all[k]->failed == 0);
    // The last message of each was a request, and was answered.
    CHECK(seen.last(static_cast<int>(k) + 1) == all[k]->sent);
  }
  CHECK(seen.problem() == "");
  CHECK_FALSE(seen.overlap());
  CHECK(seen.lives() == moves + 1);
  for (std::size_t i = 0; i < cluster.size(); ++i)
    CHECK(cluster[i].door.status()["dropped_messages"] == 0);
  for (const auto& one : senders)
    caf::anon_send_exit(one, caf::exit_reason::kill);
}

TEST_CASE("a handle that was sent to another node is handed over by way of its own") {
  seen.clear();
  nodes cluster{3};
  const auto theirs = cluster[0].door.name("ledger", "ledger");
  auto how = std::make_shared<progress>();
  // The carrier may live anywhere, and moves as well; what it is given is a's handle.
  const auto far = cluster[0].door.name("carrier", "carrier");
  caf::scoped_actor self{*cluster[0].sys};
  const auto carry = [&](int number) {
    return wait<int>(self->request(far, patience, theirs, 1, number));
  };
  CHECK(carry(1).value == 1);
  for (int i = 2; i < 20; i += 2) {
    std::string where;
    REQUIRE(eventually([&] { return !(where = home(cluster[0], "ledger")).empty(); }));
    REQUIRE(drain(cluster[2], where).ok());
    const auto got = carry(i);
    INFO(paxtor::describe(got.error));
    CHECK(got.value == i);
    REQUIRE(drained(cluster[2], where));
    CHECK(carry(i + 1).value == i + 1);
    REQUIRE(drain(cluster[2], where, false).ok());
  }
  CHECK(seen.problem() == "");
  CHECK_FALSE(seen.overlap());
}

TEST_CASE("draining a node that nobody knows, and one that has no other") {
  nodes cluster{1};
  auto& a = cluster[0];
  const auto unknown = drain(a, "nobody");
  CHECK(unknown.code == errc::invalid);
  CHECK(paxtor::describe(unknown.error).find("nobody") != std::string::npos);
  const auto apple = a.door.name("apple", "counter");
  caf::scoped_actor self{*a.sys};
  CHECK(wait<int>(self->request(apple, patience, inc_atom::value, 1)).value == 1);
  const auto left = drain(a, "a");
  REQUIRE(left.ok());
  CHECK(left.value.value["staying"] == 1);
  CHECK(left.value.value["left"][0]["name"] == "apple");
  // It runs on, as it was.
  CHECK(wait<int>(self->request(apple, patience, inc_atom::value, 1)).value == 2);
  const auto pear = a.door.name("pear", "counter");
  const auto refused = wait<int>(self->request(pear, patience, inc_atom::value, 1));
  CHECK(refused.code == errc::no_host);
  CHECK(paxtor::describe(refused.error).find("a, which is drained") != std::string::npos);
  REQUIRE(drain(a, "a", false).ok());
  CHECK(wait<int>(self->request(pear, patience, inc_atom::value, 1)).value == 1);
  // A node that can host them comes while a is drained.
  REQUIRE(drain(a, "a").ok());
  cluster.add("x");
  REQUIRE(drained(a, "a"));
  CHECK(eventually([&] { return home(a, "apple") == "x"; }));
  CHECK(wait<int>(self->request(apple, patience, inc_atom::value, 1)).value == 1);
}
