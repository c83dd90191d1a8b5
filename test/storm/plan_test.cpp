#include "test/storm/plan.hpp"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "test/storm/windows.hpp"
#include "test/storm/wires.hpp"

using namespace paxtor::storm;
using paxtor::generator;

namespace {

constexpr milliseconds length{60'000};

std::vector<machine> five() {
  return {{"v1", "10.0.0.1", store_kind::disk, false},
          {"v2", "10.0.0.2", store_kind::disk, false},
          {"v3", "10.0.0.3", store_kind::small, true},
          {"w1", "10.0.0.101", store_kind::none, false},
          {"w2", "10.0.0.102", store_kind::none, true}};
}

fault make(fault_kind kind, std::vector<std::string> who, std::string other = {}) {
  fault one;
  one.kind = kind;
  one.who = std::move(who);
  one.other = std::move(other);
  return one;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("plan: the same seed gives the same faults, another one others") {
  const auto told = [](std::uint64_t seed) {
    generator random{seed};
    std::string result;
    for (const auto& one : draw_faults(random, draw_machines(random, 3, 3), length))
      result += describe(one) + "\n";
    return result;
  };
  CHECK(told(1) == told(1));
  CHECK(told(1) != told(2));
}

TEST_CASE("plan: every kind comes up, hits whom it can hit, and ends in time") {
  std::set<fault_kind> seen;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    generator random{seed};
    const auto machines = draw_machines(random, 3, 3);
    const auto in_memory = std::count_if(machines.begin(), machines.end(), [](const auto& one) {
      return one.store == store_kind::memory;
    });
    CHECK(in_memory <= 1);
    CHECK(std::count_if(machines.begin(), machines.end(),
                        [](const auto& one) { return one.strict && !one.voter(); })
          == 2);
    milliseconds last{0};
    for (const auto& one : draw_faults(random, machines, length)) {
      seen.insert(one.kind);
      CHECK(one.at >= last);
      last = one.at;
      CHECK(one.at + one.lasts <= length);
      CHECK(one.who.empty() == (one.kind == fault_kind::hog));
      for (const auto& name : one.who) {
        const auto found = std::find_if(machines.begin(), machines.end(),
                                        [&](const auto& each) { return each.name == name; });
        REQUIRE(found != machines.end());
        CHECK((one.kind != fault_kind::delay || found->relayed));
        CHECK((one.kind != fault_kind::fill || found->store == store_kind::small));
        CHECK(one.other != name);
      }
      if (one.kind == fault_kind::pause) {
        CHECK(one.lasts <= milliseconds{10'000});
      }
    }
  }
  CHECK(seen.size() == fault_kinds);
}

TEST_CASE("wires: cuts in one way and both, of one and many") {
  wires all{five()};
  CHECK(all.pass("v1", "v2"));
  CHECK(all.rules(five()[0]) == "*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n");

  all.set({make(fault_kind::one_way, {"v1"}, "v2")});
  CHECK_FALSE(all.pass("v1", "v2"));
  CHECK(all.pass("v2", "v1"));
  CHECK(has(all.rules(five()[1]), "-A INPUT -s 10.0.0.1 -j DROP\n"));
  CHECK_FALSE(has(all.rules(five()[0]), "-A"));

  all.set({make(fault_kind::cut, {"v1"}, "v2")});
  CHECK_FALSE(all.pass("v1", "v2"));
  CHECK_FALSE(all.pass("v2", "v1"));
  CHECK(all.pass("v1", "v3"));

  all.set({make(fault_kind::isolate, {"w1"})});
  for (const auto* other : {"v1", "v2", "v3", "w2"}) {
    CHECK_FALSE(all.pass("w1", other));
    CHECK_FALSE(all.pass(other, "w1"));
  }
  CHECK(all.pass("v1", "w2"));

  all.set({make(fault_kind::split, {"v1", "w1"})});
  CHECK(all.pass("v1", "w1"));
  CHECK(all.pass("v2", "w2"));
  CHECK_FALSE(all.pass("v1", "v2"));
  CHECK_FALSE(all.pass("w2", "w1"));

  all.set({});
  CHECK(all.pass("v1", "v2"));
}

TEST_CASE("wires: rejecting, silence that hides it, and loss") {
  auto loud = make(fault_kind::one_way, {"v1"}, "v2");
  loud.reject = true;
  wires all{five()};
  all.set({loud});
  CHECK(has(all.rules(five()[1]), "-A INPUT -s 10.0.0.1 -p tcp -j REJECT --reject-with tcp-reset"));
  all.set({loud, make(fault_kind::cut, {"v2"}, "v1")});
  CHECK(has(all.rules(five()[1]), "-A INPUT -s 10.0.0.1 -j DROP"));
  CHECK_FALSE(has(all.rules(five()[1]), "REJECT"));

  auto lossy = make(fault_kind::loss, {"v1"});
  lossy.amount = 5;
  all.set({lossy});
  CHECK(all.pass("v1", "v2"));
  CHECK(has(all.rules(five()[0]),
            "-A INPUT ! -i lo -m statistic --mode random --probability 0.05 -j DROP\n"
            "-A OUTPUT ! -o lo -m statistic --mode random --probability 0.05 -j DROP\n"));
  CHECK_FALSE(has(all.rules(five()[1]), "-A"));
}

TEST_CASE("wires: a majority needs a leader that hears one, and a worker that hears the leader") {
  const std::set<std::string> up{"v1", "v2", "v3", "w1"};
  wires all{five()};
  CHECK(all.majority(up));
  CHECK(all.majority({"v1", "v2", "w1"}));
  CHECK_FALSE(all.majority({"v1", "w1"}));
  CHECK_FALSE(all.majority({"v1", "v2", "v3"}));
  // v3 still hears both of the others.
  all.set({make(fault_kind::cut, {"v1"}, "v2")});
  CHECK(all.majority(up));
  // v1 and v3 are one too, and w1 hears v1.
  all.set({make(fault_kind::cut, {"v1"}, "v2"), make(fault_kind::one_way, {"v3"}, "w1")});
  CHECK(all.majority(up));
  all.set({make(fault_kind::isolate, {"w1"})});
  CHECK_FALSE(all.majority(up));
  CHECK(all.majority({"v1", "v2", "v3", "w1", "w2"}));
  all.set({make(fault_kind::cut, {"v1"}, "v2"), make(fault_kind::isolate, {"v3"})});
  CHECK_FALSE(all.majority(up));
}

TEST_CASE("windows: seconds with a grant, of all and of those with a majority that had settled") {
  const auto s = [](int seconds) { return boot_time{std::chrono::seconds{seconds}}; };
  history all;
  all.unrest = {{s(10), s(20)}};
  for (const auto when : {10, 11, 12, 18, 25}) {
    ownership one;
    one.token = 1;
    one.begin = s(when) + boot_time{5};
    one.waited = s(when - 9);
    all.owners.push_back(one);
  }
  // A life of a singleton is no grant.
  all.owners.push_back({"n", 0, s(15), {}, false, "w", {}});
  all.majority = {{s(0), true}, {s(13), false}, {s(14), true}};
  const auto result = measure(all, s(2));
  CHECK(result.windows == 10);
  CHECK(result.granted == 4);
  // 10, 11, 12; then from 16 on.
  CHECK(result.should == 7);
  CHECK(result.should_granted == 4);
  CHECK(result.longest_gap == s(6));
  CHECK(result.longest_wait == s(16));
}
