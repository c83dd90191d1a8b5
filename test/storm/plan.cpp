#include "test/storm/plan.hpp"

#include <algorithm>
#include <array>

#include "tools/text.hpp"

namespace paxtor::storm {

namespace {

struct shape {
  fault_kind kind;
  const char* name;
  std::uint64_t weight;
  milliseconds shortest;
  milliseconds longest;
};

constexpr std::array<shape, fault_kinds> shapes{{
  {fault_kind::isolate, "isolate", 14, milliseconds{200}, milliseconds{7000}},
  {fault_kind::cut, "cut", 12, milliseconds{200}, milliseconds{8000}},
  {fault_kind::one_way, "one way", 10, milliseconds{200}, milliseconds{8000}},
  {fault_kind::split, "split", 6, milliseconds{200}, milliseconds{6000}},
  {fault_kind::loss, "loss", 8, milliseconds{1000}, milliseconds{6000}},
  {fault_kind::delay, "delay", 8, milliseconds{1000}, milliseconds{6000}},
  {fault_kind::pause, "pause", 18, milliseconds{100}, milliseconds{10'000}},
  {fault_kind::kill, "kill", 16, milliseconds{0}, milliseconds{3000}},
  {fault_kind::leave, "leave", 4, milliseconds{0}, milliseconds{2000}},
  {fault_kind::lose, "lost disk", 4, milliseconds{0}, milliseconds{3000}},
  {fault_kind::fill, "full disk", 5, milliseconds{1000}, milliseconds{5000}},
  {fault_kind::hog, "CPU hogs", 5, milliseconds{1000}, milliseconds{4000}},
}};

const shape& shape_of(fault_kind kind) {
  return *std::find_if(shapes.begin(), shapes.end(),
                       [&](const shape& one) { return one.kind == kind; });
}

const shape& draw_shape(generator& random) {
  std::uint64_t all = 0;
  for (const auto& one : shapes)
    all += one.weight;
  auto at = random.below(all);
  for (const auto& one : shapes) {
    if (at < one.weight)
      return one;
    at -= one.weight;
  }
  return shapes.back();
}

std::uint64_t count(milliseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

milliseconds draw_time(generator& random, milliseconds shortest, milliseconds longest) {
  return milliseconds{random.between(count(shortest), count(longest))};
}

class draw {
public:
  draw(generator& random, const std::vector<machine>& machines)
      : random_(random), machines_(machines) {}

  /// False: there is nobody whom this kind can hit.
  bool fill(fault& one) {
    switch (one.kind) {
      case fault_kind::isolate:
        one.who = {anybody()};
        one.reject = random_.chance(40);
        return true;
      case fault_kind::cut:
      case fault_kind::one_way:
        one.who = {anybody()};
        do
          one.other = anybody();
        while (one.other == one.who.front());
        one.reject = random_.chance(40);
        return true;
      case fault_kind::split:
        for (const auto& each : machines_)
          if (random_.chance(50))
            one.who.push_back(each.name);
        one.reject = random_.chance(40);
        return !one.who.empty() && one.who.size() < machines_.size();
      case fault_kind::loss:
        one.who = {anybody()};
        one.amount = static_cast<unsigned>(random_.between(5, 40));
        return true;
      case fault_kind::delay:
        one.who = {of([](const machine& m) { return m.relayed; })};
        one.amount = static_cast<unsigned>(random_.between(10, 600));
        return !one.who.front().empty();
      case fault_kind::pause:
      case fault_kind::kill:
        one.who = {anybody()};
        one.guardian_too = random_.chance(30);
        return true;
      case fault_kind::leave:
        one.who = {anybody()};
        return true;
      case fault_kind::lose:
        if (lost_ || !may_lose())
          return false;
        lost_ = true;
        one.who = {of([](const machine& m) { return m.voter(); })};
        one.guardian_too = random_.chance(30);
        return true;
      case fault_kind::fill:
        one.who = {of([](const machine& m) { return m.store == store_kind::small; })};
        return !one.who.front().empty();
      case fault_kind::hog:
        one.amount = static_cast<unsigned>(random_.between(1, 4));
        return true;
    }
    return false;
  }

private:
  /// Voters and workers alike, however many there are of each.
  std::string anybody() {
    const bool voter = random_.chance(50);
    return of([&](const machine& m) { return m.voter() == voter; });
  }

  [[nodiscard]] bool may_lose() const {
    const auto voters =
      std::count_if(machines_.begin(), machines_.end(), [](const machine& m) { return m.voter(); });
    return voters >= 3 && std::none_of(machines_.begin(), machines_.end(), [](const machine& m) {
             return m.store == store_kind::memory;
           });
  }

  template <class Fits>
  std::string of(Fits fits) {
    std::vector<std::string> found;
    for (const auto& each : machines_)
      if (fits(each))
        found.push_back(each.name);
    return found.empty() ? std::string{} : found[random_.below(found.size())];
  }

  generator& random_;
  const std::vector<machine>& machines_;
  bool lost_ = false;
};

} // namespace

const char* name_of(fault_kind kind) {
  return shape_of(kind).name;
}

std::vector<machine> draw_machines(generator& random, int voters, int workers) {
  std::vector<machine> result;
  const auto add = [&](const std::string& name, int number, store_kind store, bool strict) {
    result.push_back({name, "10.77.0." + std::to_string(number), store, random.chance(50), strict});
  };
  const auto in_memory = voters >= 3 && random.chance(50)
                           ? static_cast<int>(random.between(1, static_cast<unsigned>(voters)))
                           : 0;
  for (int i = 1; i <= voters; ++i)
    add("v" + std::to_string(i), i,
        i == in_memory      ? store_kind::memory
        : random.chance(50) ? store_kind::small
                            : store_kind::disk,
        false);
  for (int i = 1; i <= workers; ++i)
    // Two of three.
    add("w" + std::to_string(i), 100 + i, store_kind::none, i % 3 != 0);
  return result;
}

std::string describe(const fault& one) {
  const auto show = [](milliseconds time) { return tools::show_duration(time); };
  auto result = show(one.at) + ": " + name_of(one.kind);
  for (const auto& who : one.who)
    result += " " + who;
  if (!one.other.empty())
    result += (one.kind == fault_kind::one_way ? " -> " : " ") + one.other;
  if (one.kind == fault_kind::loss)
    result += " " + std::to_string(one.amount) + " %";
  else if (one.kind == fault_kind::delay)
    result += " up to " + std::to_string(one.amount) + " ms";
  else if (one.kind == fault_kind::hog)
    result += " " + std::to_string(one.amount);
  const bool ends =
    one.kind == fault_kind::kill || one.kind == fault_kind::leave || one.kind == fault_kind::lose;
  result += ends ? ", back after " : " for ";
  result += show(one.lasts);
  if (one.reject)
    result += ", rejected";
  if (one.guardian_too)
    result += ", with its guardian";
  return result;
}

std::vector<fault> draw_faults(generator& random, const std::vector<machine>& machines,
                               milliseconds length) {
  std::vector<fault> result;
  draw drawn{random, machines};
  for (auto at = draw_time(random, milliseconds{0}, milliseconds{2000}); at < length;
       at += draw_time(random, milliseconds{200}, milliseconds{3000})) {
    const auto& shape = draw_shape(random);
    fault one;
    one.at = at;
    one.kind = shape.kind;
    one.lasts = std::min(draw_time(random, shape.shortest, shape.longest), length - at);
    if (drawn.fill(one))
      result.push_back(std::move(one));
  }
  return result;
}

} // namespace paxtor::storm
