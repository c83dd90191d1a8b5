#include "test/storm/judge.hpp"

#include <algorithm>
#include <set>

namespace paxtor::storm {

namespace {

constexpr std::size_t most_lines = 100;

std::string ms(boot_time time) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  return std::to_string(us / 1000) + "." + std::to_string(us % 1000 / 100) + " ms";
}

std::string who(const ownership& one) {
  return one.life + (one.token != 0 ? " (token " + std::to_string(one.token) + ")" : "");
}

struct excuse {
  const ownership* who = nullptr;
  bool stall = false;
  /// How long it lasted after its thaw.
  boot_time ran_on{};
};

class bench {
public:
  bench(const history& all, const judge_options& options) : all_(all), options_(options) {}

  verdict run() {
    for (const auto& line : all_.problems)
      complain(line);
    std::map<std::string, std::vector<ownership>> by_key;
    for (const auto& one : all_.owners) {
      auto owner = one;
      count(owner);
      if (owner.end && (owner.killed || died(owner)))
        *owner.end += options_.outlive;
      // It has been complained of.
      if (owner.end)
        by_key[owner.key].push_back(owner);
    }
    for (auto& [key, owners] : by_key)
      judge_key(key, owners);
    result_.keys = by_key.size();
    result_.tokens = tokens_.size();
    result_.entries = all_.entries.size();
    return std::move(result_);
  }

private:
  void complain(const std::string& line) {
    if (result_.wrong.size() < most_lines)
      result_.wrong.push_back(line);
  }

  void count(const ownership& one) {
    ++(one.token != 0 ? result_.ownerships : result_.lives);
    if (one.token != 0)
      tokens_.insert(one.token);
    if (one.strict)
      ++result_.strict;
    if (one.killed)
      ++result_.killed;
    if (died(one))
      ++result_.died;
  }

  /// It ended with its process.
  [[nodiscard]] bool died(const ownership& one) const {
    const auto life = all_.lives.find(one.life);
    return one.end && life != all_.lives.end() && life->second.dead == one.end;
  }

  void judge_key(const std::string& key, std::vector<ownership>& owners) {
    std::sort(owners.begin(), owners.end(), [](const ownership& a, const ownership& b) {
      return std::pair{a.begin, a.token} < std::pair{b.begin, b.token};
    });
    // Those that had not ended when the one before began.
    std::vector<const ownership*> open;
    // The one with the highest token so far.
    const ownership* highest = nullptr;
    for (const auto& next : owners) {
      std::erase_if(open, [&](const ownership* one) { return *one->end <= next.begin; });
      for (const auto* one : open)
        judge_pair(key, *one, next);
      open.push_back(&next);
      if (next.token == 0)
        continue;
      if (highest != nullptr && next.token == highest->token)
        complain(key + ": one token, two owners: " + who(*highest) + " and " + who(next));
      else if (highest != nullptr && next.token < highest->token
               && !excused(next, next.begin, next.begin))
        complain(key + ": " + who(next) + " began " + ms(next.begin - highest->begin) + " after "
                 + who(*highest) + ", and has the lower token");
      if (highest == nullptr || next.token > highest->token)
        highest = &next;
    }
  }

  /// `b` began while `a` had not ended.
  void judge_pair(const std::string& key, const ownership& a, const ownership& b) {
    const auto until = std::min(*a.end, *b.end);
    // The frozen one must be the earlier owner; of singletons no token is known.
    auto why = a.token <= b.token ? excused(a, b.begin, until) : std::nullopt;
    if (!why && b.token <= a.token)
      why = excused(b, b.begin, until);
    if (!why) {
      complain(key + ": two owners for " + ms(until - b.begin) + ": " + who(a) + " from "
               + std::to_string(a.begin.count()) + " to " + std::to_string(a.end->count()) + ", "
               + who(b) + " from " + std::to_string(b.begin.count()));
      return;
    }
    const bool fresh = overtaken_.insert(why->who).second;
    if (fresh)
      ++(why->stall ? result_.after_stall : result_.after_thaw);
    result_.ran_on = std::max(result_.ran_on, why->ran_on);
  }

  /// That `one` was frozen all the time from `from` to `until`, or thawed a moment before.
  [[nodiscard]] std::optional<excuse> excused(const ownership& one, boot_time from,
                                              boot_time until) const {
    const auto life = all_.lives.find(one.life);
    // F5: only proof of its end takes a lock from a strict owner.
    if (one.strict || life == all_.lives.end())
      return std::nullopt;
    excuse result;
    result.who = &one;
    auto covered = from;
    for (const auto& cold : life->second.freezes) {
      if (cold.from > covered)
        break;
      if (cold.until + options_.thaw < covered)
        continue;
      result.stall = cold.stall;
      result.ran_on = std::max(boot_time{0}, *one.end - cold.until);
      covered = cold.until + options_.thaw;
      if (covered >= until)
        return result;
    }
    return std::nullopt;
  }

  const history& all_;
  const judge_options options_;
  verdict result_;
  std::set<std::uint64_t> tokens_;
  std::set<const ownership*> overtaken_;
};

} // namespace

verdict judge(const history& all, const judge_options& options) {
  return bench{all, options}.run();
}

} // namespace paxtor::storm
