#include "test/storm/calm.hpp"

#include <algorithm>
#include <utility>

#include <poll.h>

#include "tools/guard.hpp"

namespace paxtor::storm {

namespace {

using nlohmann::json;

constexpr milliseconds step_time{20};
/// Between two questions whether all is answered.
constexpr milliseconds ask_again{200};
/// For an answer that a worker gives by itself.
constexpr std::chrono::seconds order_patience{5};
/// Entries that are asked for in each calm.
constexpr std::size_t most_entries = 60;

} // namespace

calm::calm(crew& crew, const storm_options& options)
    : crew_(crew), options_(options), start_(tools::boot_now()) {}

bool calm::wait(const step& done) {
  const auto deadline = tools::boot_now() + options_.patience;
  while (!done()) {
    if (tools::boot_now() >= deadline)
      return false;
    crew_.look();
    poll(nullptr, 0, step_time.count());
  }
  return true;
}

bool calm::formed() {
  const bool result = all_joined();
  if (!result)
    explain();
  return result;
}

bool calm::come_to_rest() {
  const bool result = all_joined() && all_vote() && all_answered() && all_probed();
  took_ = std::chrono::duration_cast<std::chrono::microseconds>(tools::boot_now() - start_);
  if (!result)
    explain();
  return result;
}

bool calm::all_joined() {
  const auto& nodes = crew_.nodes();
  if (wait([&] {
        return std::all_of(nodes.begin(), nodes.end(), [](const auto& one) { return one->up(); });
      }))
    return true;
  for (const auto& one : nodes)
    if (!one->up())
      stuck_.push_back(one->life() + (one->running() ? " has not joined: " : " does not run: ")
                       + one->last_words());
  return false;
}

bool calm::all_vote() {
  const auto& nodes = crew_.nodes();
  const auto& at = nodes.front()->at();
  const auto count =
    std::count_if(nodes.begin(), nodes.end(), [](const auto& one) { return one->at().voter(); });
  std::string text;
  const auto all = [&] {
    text = crew_.ask_program(at, {"members", "--json"});
    // Behind the answer may be what went wrong on the way to it.
    const auto said = json::parse(text.substr(0, text.rfind('}') + 1), nullptr, false);
    if (!said.is_object() || !said.contains("voters") || !said.contains("standbys"))
      return false;
    const auto voting = std::count_if(said["voters"].begin(), said["voters"].end(),
                                      [](const json& one) { return one.value("alive", false); });
    // A new voter in the place of an old one is a standby at first.
    return voting == count && said["standbys"].empty();
  };
  if (wait(all))
    return true;
  stuck_.push_back("not all voters vote: " + text);
  return false;
}

json calm::answer(node& from, int id, milliseconds patience) {
  const auto deadline = tools::boot_now() + patience;
  while (from.running() && tools::boot_now() < deadline) {
    const auto said = from.process().read_json(step_time);
    if (said && said->value("id", -1) == id)
      return *said;
    if (!said)
      crew_.look();
  }
  return nullptr;
}

bool calm::all_answered() {
  struct worker_state {
    /// The life that has been told to rest. One that was frozen until now may still end by its
    /// watchdog: then the next one is told.
    std::string told{};
    int busy = -1;
  };
  std::map<node*, worker_state> states;
  for (auto* one : crew_.workers())
    states[one];
  const auto ask = [&](node& one, worker_state& state) {
    const int id = next_id_++;
    const bool fresh = std::exchange(state.told, one.life()) != one.life();
    one.process().write_json({{"op", fresh ? "rest" : "counts"}, {"id", id}});
    const auto said = answer(one, id, order_patience);
    state.busy = said.is_object() ? said["busy"].get<int>() : -1;
    if (state.busy == 0) {
      failed_ += said.value("failed", std::uint64_t{0});
      calls_ += said.value("calls", std::uint64_t{0});
    }
  };
  auto asked = boot_time{0};
  const bool done = wait([&] {
    if (tools::boot_now() - asked < ask_again)
      return false;
    bool all = true;
    for (auto& [one, state] : states) {
      const bool rests = state.busy == 0 && one->up() && state.told == one->life();
      if (!rests && one->up())
        ask(*one, state);
      all = all && one->up() && state.busy == 0;
    }
    asked = tools::boot_now();
    return all;
  });
  if (!done)
    for (const auto& [one, state] : states)
      if (state.busy != 0 || !one->up())
        stuck_.push_back(one->life()
                         + (state.busy < 0
                              ? std::string{" does not answer its orders"}
                              : ": " + std::to_string(state.busy) + " requests are not answered"));
  return done;
}

json calm::what_to_probe() const {
  json order{{"op", "probe"}, {"patience_ms", milliseconds{options_.patience}.count()}};
  order["locks"] = json::array();
  order["names"] = json::array();
  order["entries"] = json::object();
  const setup defaults;
  for (int i = 0; i < defaults.keys; ++i)
    order["locks"].push_back("load-" + std::to_string(i));
  for (int i = 0; i < defaults.names; ++i)
    order["names"].push_back("name-" + std::to_string(i));
  const auto entries = crew_.read(tools::boot_now()).entries;
  // Spread over all.
  const auto each = entries.size() / most_entries + 1;
  std::size_t number = 0;
  for (const auto& [key, value] : entries)
    if (number++ % each == 0)
      order["entries"][key] = value;
  return order;
}

bool calm::all_probed() {
  auto order = what_to_probe();
  std::map<node*, int> ids;
  for (auto* one : crew_.workers()) {
    order["id"] = ids[one] = next_id_++;
    if (one->running())
      one->process().write_json(order);
  }
  bool result = true;
  for (const auto& [one, id] : ids) {
    // It knows the patience and says what it has not got; the rest is for its own answer.
    const auto said = answer(*one, id, options_.patience + std::chrono::seconds{20});
    if (!said.is_object()) {
      stuck_.push_back(one->life() + " does not answer what it is asked");
      result = false;
      continue;
    }
    for (const auto& line : said["failed"]) {
      stuck_.push_back(one->life() + ": " + line.get<std::string>());
      result = false;
    }
    for (const auto& line : said["wrong"])
      wrong_.push_back(one->life() + ": " + line.get<std::string>());
  }
  return result;
}

void calm::leave() {
  auto gone = [&](bool voters) {
    const auto& nodes = crew_.nodes();
    for (const auto& one : nodes)
      if (one->at().voter() == voters) {
        one->leave({});
        one->stay_away();
      }
    if (wait([&] {
          return std::all_of(nodes.begin(), nodes.end(), [&](const auto& one) {
            return one->at().voter() != voters || !one->running();
          });
        }))
      return true;
    for (const auto& one : nodes)
      if (one->at().voter() == voters && one->running())
        stuck_.push_back(one->life() + " does not leave: " + one->last_words());
    return false;
  };
  if (gone(false))
    (void)gone(true);
}

void calm::explain() {
  const auto& at =
    crew_.workers().empty() ? crew_.nodes().front()->at() : crew_.workers().front()->at();
  stuck_.push_back("paxtor status: " + crew_.ask_program(at, {"status"}));
  stuck_.push_back("paxtor members: " + crew_.ask_program(at, {"members"}));
}

} // namespace paxtor::storm
