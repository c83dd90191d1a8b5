#include "test/sim/minimiser.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <utility>

#include "test/sim/children.hpp"
#include "test/sim/report.hpp"
#include "test/sim/stop.hpp"

namespace paxtor::sim {

namespace {

struct calmer {
  std::string knob;
  std::string value;
};

/// Other deliveries that are tried with each large cut.
constexpr unsigned other_salts = 4;

/// What makes a run simpler, the coarsest first. A knob that has the value already is passed over.
const calmer all_calmer[] = {
  {"change_every_us", "0"},
  {"drain_every_us", "0"},
  {"standbys", "0"},
  {"clients", "0"},
  {"clients", "1"},
  {"clients", "2"},
  {"voters", "1"},
  {"voters", "2"},
  {"voters", "3"},
  {"voters", "5"},
  {"lost_disk_weight", "0"},
  {"bad_disk_weight", "0"},
  {"full_disk_weight", "0"},
  {"slow_disk_weight", "0"},
  {"blackout_weight", "0"},
  {"flap_weight", "0"},
  {"leave_weight", "0"},
  {"pause_weight", "0"},
  {"crash_weight", "0"},
  {"cut_weight", "0"},
  {"forger_percent", "0"},
  {"guardian_percent", "0"},
  {"at_change_percent", "0"},
  {"at_leader_percent", "0"},
  {"loss_percent", "0"},
  {"repeat_percent", "0"},
  {"slow_percent", "0"},
  {"delay_shape", "constant"},
  {"in_order", "1"},
  {"through_bytes", "0"},
  {"disk_any_order", "0"},
  {"group_commit", "0"},
  {"snapshot_entries", "100000"},
  {"known_decided", "256"},
  {"promise_bytes", "65536"},
  {"clock_skew_ppm", "0"},
  {"name_percent", "0"},
  {"put_percent", "0"},
  {"ask_percent", "0"},
  {"why_percent", "0"},
  {"multi_percent", "0"},
  {"nested_percent", "0"},
  {"try_percent", "0"},
  {"deadline_percent", "0"},
  {"strict_percent", "0"},
  {"stuck_percent", "0"},
  {"actors_per_node", "1"},
  {"keys", "1"},
  {"names", "1"},
  {"effect_bytes", "1048576"},
};

std::string value_of(const std::string& knobs, const std::string& name) {
  auto begin = (" " + knobs).find(" " + name + "=");
  if (begin == std::string::npos)
    return {};
  begin += name.size() + 1;
  return knobs.substr(begin, knobs.find(' ', begin) - begin);
}

void set_knob(changes& in, const calmer& what) {
  std::erase_if(in.set, [&](const auto& x) { return x.first == what.knob; });
  in.set.emplace_back(what.knob, what.value);
}

} // namespace

std::uint64_t minimiser::faults_left() const {
  return best_.faults - std::min<std::uint64_t>(best_.faults, how_.differs.without_faults.size());
}

std::uint64_t minimiser::actors_left() const {
  return best_.actors - std::min<std::uint64_t>(best_.actors, how_.differs.without_actors.size());
}

bool minimiser::take(const run_options& candidate) {
  if (runs_ >= bounds_.runs)
    return false;
  ++runs_;
  auto result = run_(candidate);
  const auto same = result.found && result.found->kind == best_.found->kind
                    && result.found->rule == best_.found->rule;
  if (same) {
    how_ = candidate;
    best_ = std::move(result);
    // Numbers behind the last that was drawn say nothing.
    for (auto [without, drawn] : {std::pair{&how_.differs.without_faults, best_.faults},
                                  std::pair{&how_.differs.without_actors, best_.actors}})
      while (!without->empty() && *without->numbers().rbegin() > drawn)
        without->erase(*without->numbers().rbegin());
  }
  tell_(*this);
  return same;
}

bool minimiser::take_somehow(const run_options& candidate) {
  if (take(candidate))
    return true;
  for (unsigned i = 0; i < other_salts; ++i) {
    auto other = candidate;
    set_knob(other.differs, {"salt", std::to_string(++salt_)});
    if (take(other))
      return true;
  }
  return false;
}

bool minimiser::shrink(const run_options& start) {
  how_ = start;
  best_ = run_(start);
  ++runs_;
  if (!best_.found)
    return false;
  for (auto again = true; again && runs_ < bounds_.runs;) {
    again = shorten();
    again = calm_knobs() || again;
    again = thin(&changes::without_faults, &run_result::faults) || again;
    again = thin(&changes::without_actors, &run_result::actors) || again;
  }
  return true;
}

bool minimiser::shorten() {
  const auto before = how_.steps;
  auto candidate = how_;
  candidate.steps = std::min(how_.steps, best_.counts.steps);
  (void)take(candidate);
  for (std::uint64_t low = 0; how_.steps - low > 1 + how_.steps / 50;) {
    candidate = how_;
    candidate.steps = low + (how_.steps - low) / 2;
    if (!take(candidate))
      low = candidate.steps;
  }
  return how_.steps < before - before / 20;
}

bool minimiser::calm_knobs() {
  auto any = false;
  for (const auto& what : all_calmer) {
    const auto now = value_of(best_.knobs, what.knob);
    if (now == what.value)
      continue;
    // Where less is simpler, more is not.
    if ((what.knob == "voters" || what.knob == "clients")
        && std::stoul(now) < std::stoul(what.value))
      continue;
    auto candidate = how_;
    set_knob(candidate.differs, what);
    any = take_somehow(candidate) || any;
  }
  return any;
}

bool minimiser::thin(number_set changes::*without, std::uint64_t run_result::*drawn) {
  auto any = false;
  std::vector<std::uint64_t> left;
  for (std::uint64_t i = 1; i <= best_.*drawn; ++i)
    if (!(how_.differs.*without).contains(i))
      left.push_back(i);
  const auto all = left.size();
  for (auto size = all; size > 0; size /= 2)
    for (std::size_t first = 0; first < left.size() && runs_ < bounds_.runs;) {
      auto candidate = how_;
      const auto last = std::min(left.size(), first + size);
      for (auto i = first; i < last; ++i)
        (candidate.differs.*without).insert(left[i]);
      if (last - first > 1 + all / 8 ? take_somehow(candidate) : take(candidate)) {
        any = true;
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(first),
                   left.begin() + static_cast<std::ptrdiff_t>(last));
      } else {
        first = last;
      }
    }
  return any;
}

int run_minimiser(const run_options& start, const std::string& program, std::size_t keep_lines) {
  install_check_handler();
  stop_on_signals();
  using wall_clock = std::chrono::steady_clock;
  auto told = wall_clock::now() - std::chrono::seconds{1};
  auto tell = [&told](const minimiser& m) {
    if (wall_clock::now() - told < std::chrono::seconds{1})
      return;
    told = wall_clock::now();
    std::fprintf(stderr, "%u runs: %llu steps, %llu faults, %llu actors, %zu knobs set\n", m.runs(),
                 static_cast<unsigned long long>(m.options().steps),
                 static_cast<unsigned long long>(m.faults_left()),
                 static_cast<unsigned long long>(m.actors_left()), m.options().differs.set.size());
  };
  auto trial = [](const run_options& how) {
    // Asked to stop: nothing is found any more, so what was found so far is the result.
    return stop_asked() ? run_result{} : run_apart(how);
  };
  minimiser shrinks{trial, {}, tell};
  if (!shrinks.shrink(start)) {
    const auto& refused = shrinks.result().refused;
    std::cerr << "seed " << start.seed << ": "
              << (refused.empty() ? "it finds nothing, so there is nothing to minimise" : refused)
              << "\n";
    return refused.empty() ? 0 : exit_refused;
  }
  auto how = shrinks.options();
  how.keep_lines = keep_lines;
  const auto result = run_apart(how);
  std::cout << "minimised in " << shrinks.runs() << " runs: " << start.steps << " steps to "
            << how.steps << ", " << shrinks.faults_left() << " faults and " << shrinks.actors_left()
            << " actors left\n"
            << explain(result, program) << std::flush;
  return code_of(result);
}

} // namespace paxtor::sim
