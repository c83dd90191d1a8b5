#include "test/storm/storm.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>

#include <poll.h>

#include "test/storm/calm.hpp"
#include "test/storm/crew.hpp"
#include "test/storm/plan.hpp"
#include "tools/guard.hpp"
#include "tools/text.hpp"

namespace paxtor::storm {

namespace {

namespace fs = std::filesystem;

/// Rounds until the time is over; each has at least this much unrest.
constexpr std::chrono::seconds shortest_unrest{5};
constexpr milliseconds step{10};

std::vector<std::vector<fault>> draw_rounds(generator& random, const storm_options& options,
                                            const std::vector<machine>& machines) {
  std::vector<std::vector<fault>> result;
  for (std::chrono::seconds spent{0}; spent < options.length; spent += options.unrest)
    result.push_back(
      draw_faults(random, machines,
                  std::min(options.unrest, std::max(shortest_unrest, options.length - spent))));
  return result;
}

/// All that is drawn.
struct scene {
  explicit scene(const storm_options& options)
      : random(options.seed),
        machines(draw_machines(random, options.voters, options.workers)),
        tls(random.chance(50)),
        rounds(draw_rounds(random, options, machines)) {}

  generator random;
  const std::vector<machine> machines;
  const bool tls;
  const std::vector<std::vector<fault>> rounds;
};

class driver {
public:
  explicit driver(const storm_options& options)
      : options_(options), scene_(options), crew_(scene_.machines, scene_.tls, options) {
    report_.seed = options.seed;
    report_.machines = crew_.describe();
  }

  report run() {
    const auto start = tools::boot_now();
    say(report_.machines);
    calm first{crew_, options_};
    if (!first.formed()) {
      take(first);
      return finish(start);
    }
    for (const auto& faults : scene_.rounds) {
      const auto left = options_.length - (tools::boot_now() - start);
      if (report_.rounds > 0 && left < shortest_unrest)
        break;
      ++report_.rounds;
      unrest(faults, std::clamp<boot_time>(left, shortest_unrest, options_.unrest));
      if (!rest() || !report_.found.wrong.empty())
        break;
    }
    return finish(start);
  }

private:
  void say(const std::string& line) const {
    if (!options_.quiet)
      std::cerr << line << std::endl;
  }

  void unrest(const std::vector<fault>& faults, boot_time length) {
    say("round " + std::to_string(report_.rounds) + ": unrest for "
        + tools::show_duration(std::chrono::duration_cast<std::chrono::microseconds>(length)));
    crew_.begin_unrest();
    const auto start = tools::boot_now();
    auto next = faults.begin();
    auto before = start;
    for (auto now = start; now < start + length; now = tools::boot_now()) {
      report_.latest = std::max(report_.latest, now - before);
      before = now;
      for (; next != faults.end() && start + next->at <= now; ++next) {
        say("  " + describe(*next));
        ++report_.faults[name_of(next->kind)];
        crew_.begin(*next, start + std::min<boot_time>(next->at + next->lasts, length));
      }
      crew_.look();
      poll(nullptr, 0, step.count());
    }
    if (options_.planted == plant::crash)
      crew_.crash_somebody();
  }

  /// False: it did not come to rest, or something has ended that should not.
  bool rest() {
    crew_.heal(options_.planted == plant::deaf);
    calm now{crew_, options_};
    const bool rested = now.come_to_rest();
    take(now);
    report_.found = judged(crew_.read(tools::boot_now()), now);
    say("  calm: " + std::to_string(report_.found.ownerships)
        + " ownerships until now, at rest after " + tools::show_duration(now.took()));
    report_.longest_calm =
      std::max(report_.longest_calm, std::chrono::duration<double>(now.took()).count());
    return rested && crew_.crashes().empty();
  }

  verdict judged(const history& all, const calm& last) const {
    judge_options how;
    if (options_.planted == plant::outlive)
      how.outlive = 3 * options_.ttl;
    auto result = judge(all, how);
    result.wrong.insert(result.wrong.end(), last.wrong().begin(), last.wrong().end());
    return result;
  }

  void take(const calm& one) {
    report_.stuck.insert(report_.stuck.end(), one.stuck().begin(), one.stuck().end());
    report_.failed_requests += one.failed_requests();
    report_.calls += one.calls();
  }

  report finish(boot_time start) {
    calm last{crew_, options_};
    // Who is stuck will not leave in good order either.
    if (report_.stuck.empty())
      last.leave();
    take(last);
    crew_.end();
    const auto all = crew_.read({});
    auto found = judged(all, last);
    // What was wrong in an earlier calm stays wrong.
    found.wrong.insert(found.wrong.end(), report_.found.wrong.begin(), report_.found.wrong.end());
    std::sort(found.wrong.begin(), found.wrong.end());
    found.wrong.erase(std::unique(found.wrong.begin(), found.wrong.end()), found.wrong.end());
    report_.found = std::move(found);
    report_.available = measure(all, 2 * options_.ttl);
    report_.crashes = crew_.crashes();
    crew_.count(report_);
    report_.seconds = std::chrono::duration<double>(tools::boot_now() - start).count();
    return std::move(report_);
  }

  const storm_options options_;
  const scene scene_;
  crew crew_;
  report report_;
};

} // namespace

std::string describe_plan(const storm_options& options) {
  const scene drawn{options};
  auto result = describe(drawn.machines, drawn.tls) + "\n";
  int number = 0;
  for (const auto& round : drawn.rounds) {
    result += "round " + std::to_string(++number) + "\n";
    for (const auto& one : round)
      result += "  " + describe(one) + "\n";
  }
  return result;
}

report run_storm(const storm_options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  return driver{options}.run();
}

history read_folder(const std::string& folder, std::optional<boot_time> now) {
  history_reader reader;
  for (const auto& entry : fs::directory_iterator{folder})
    if (entry.path().extension() == ".records")
      reader.read_worker(entry.path().stem().string(), lines_of(entry.path().string()));
  reader.read_events(lines_of(folder + "/events"));
  return reader.finish(now);
}

} // namespace paxtor::storm
