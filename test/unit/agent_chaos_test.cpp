#include <set>

#include "test/unit/agent_world.hpp"

namespace paxtor::cluster::agent_test {

namespace {

/// Agents under cuts, lost answers, leader changes and deaths of owners, from one seed. Owners that
/// are fenced die a little later, as killed actors do, and never past the end of the lease.
class chaos {
public:
  explicit chaos(std::uint64_t seed) : random_(seed), x_(3) {
    x_.expiring = true;
    x_.latency = duration{static_cast<duration::rep>(random_.below(3)) * 10'000};
    if (random_.chance(50))
      x_.sync_bytes = 100; // every effect of a sync is a part of its own
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      disturb();
      ask();
      x_.run(duration{static_cast<duration::rep>(random_.between(1, 60)) * 5000});
      look();
    }
  }

  void heal_and_check() {
    x_.leading = true;
    for (auto& m : x_.members)
      m.cut = m.lose_answers = m.lose_effects = false;
    for (int i = 0; i < 400; ++i) {
      x_.run(50ms);
      look();
    }
    // Everybody who is alive ends; then nobody waits and nothing is held.
    while (!alive_.empty())
      end(*alive_.begin());
    for (int i = 0; i < 100; ++i) {
      x_.run(50ms);
      look();
    }
    for (auto& [id, outcomes] : outcomes_)
      CHECK(outcomes == 1);
    for (std::uint64_t k = 0; k < keys; ++k)
      CHECK_FALSE(x_.holder("k" + std::to_string(k)));
    for (std::size_t i = 0; i < x_.members.size(); ++i) {
      CHECK(x_.at(i).session().valid());
      CHECK_FALSE(x_.at(i).lease().armed);
    }
    x_.machine.check_all();
    CHECK(grants_ > 0);
  }

private:
  using actor = std::pair<std::size_t, local_actor_id>;

  static constexpr std::uint64_t keys = 4;

  void disturb() {
    auto& m = x_.members[random_.below(x_.members.size())];
    switch (random_.below(12)) {
      case 0:
      case 1:
        m.cut = !m.cut;
        break;
      case 2:
        m.lose_answers = !m.lose_answers;
        break;
      case 3:
        m.lose_effects = !m.lose_effects;
        break;
      case 4:
        x_.new_leader(x_.voters[random_.below(3)]);
        // S1: its clock starts anew.
        for (auto& [id, when] : x_.heard_at)
          when = x_.now;
        break;
      case 5:
        x_.leading = !x_.leading;
        break;
      case 6:
        for (auto& y : x_.members)
          y.cut = y.lose_answers = y.lose_effects = false;
        x_.leading = true;
        break;
      default:
        break;
    }
    if (!alive_.empty() && random_.chance(40)) {
      auto i = alive_.begin();
      std::advance(i, static_cast<std::ptrdiff_t>(random_.below(alive_.size())));
      end(*i);
    }
  }

  void ask() {
    auto i = random_.below(x_.members.size());
    actor who{i, local_actor_id{next_actor_}};
    if (!alive_.empty() && random_.chance(30)) {
      auto some = alive_.begin();
      std::advance(some, static_cast<std::ptrdiff_t>(random_.below(alive_.size())));
      who = *some;
    } else {
      ++next_actor_;
    }
    acquire_options options;
    if (random_.chance(20))
      options.kind = registry::ownership::strict;
    if (random_.chance(30))
      options.deadline = x_.now + duration{static_cast<duration::rep>(random_.below(3'000'000))};
    std::vector<term> wanted{key("k" + std::to_string(random_.below(keys)))};
    if (random_.chance(20))
      wanted.push_back(key("k" + std::to_string(random_.below(keys))));
    alive_.insert(who);
    auto id = x_.at(who.first).acquire(x_.now, who.second, wanted, options);
    outcomes_[{who.first, id}] = 0;
    if (random_.chance(10))
      x_.at(who.first).cancel(x_.now, id);
  }

  void end(actor who) {
    alive_.erase(who);
    std::erase_if(held_, [&](auto& y) { return y.second == who; });
    x_.at(who.first).owner_exited(x_.now, who.second, "ended");
  }

  /// Takes what the agents said since the last look.
  void look() {
    std::vector<actor> dying;
    for (std::size_t i = 0; i < x_.members.size(); ++i) {
      for (auto& y : x_.members[i].heard) {
        if (auto* done = std::get_if<completion>(&y))
          std::visit([&](auto& z) { note(i, z); }, *done);
        else if (auto* order = std::get_if<fence>(&y))
          for (auto who : order->owners)
            dying.emplace_back(i, who);
      }
      x_.members[i].heard.clear();
    }
    // Within one look, so within 300 ms: a margin is 375 ms, and after it F2 would end the process.
    for (auto& who : dying)
      if (alive_.count(who) != 0)
        end(who);
  }

  template <class T>
  void note(std::size_t i, const T& what) {
    ++outcomes_[{i, what.id}];
    if constexpr (std::is_same_v<T, granted>) {
      ++grants_;
      actor who{i, what.actor};
      if (alive_.count(who) == 0)
        return; // It died since.
      for (auto& k : what.keys) {
        auto owner = held_.try_emplace(k, who).first->second;
        if (owner != who)
          MESSAGE("held twice: ", k.text());
        CHECK(owner == who);
      }
    }
  }

  generator random_;
  world x_;
  std::set<actor> alive_;
  std::map<term, actor> held_;
  std::map<std::pair<std::size_t, request_id>, int> outcomes_;
  std::uint64_t next_actor_ = 1;
  std::uint64_t grants_ = 0;
};

} // namespace

TEST_CASE("agents under faults: one outcome each, nobody is granted what another may still hold") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    chaos x{seed};
    x.run(150);
    x.heal_and_check();
  }
}

} // namespace paxtor::cluster::agent_test
