/// \file
/// paxtor-sim: runs whole clusters in simulated time, from a seed. See test/sim/README.md.

#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "test/sim/campaign.hpp"
#include "test/sim/minimiser.hpp"

namespace {

constexpr int exit_usage = 64;
constexpr std::uint64_t default_steps = 10'000;

constexpr const char* examples = R"(
Examples:
  paxtor-sim --replay 42                  one run, with everything that happened and its digest
  paxtor-sim --minimise 42                as little of it as still finds the same
  paxtor-sim --seeds 1-100000 --jobs 2    many runs; a finding says how to see it again
  paxtor-sim --forever --jobs 2           all night; Ctrl-C ends it with a summary
  paxtor-sim --forever --from 1000000 --for 8h --json
  paxtor-sim --seeds-file test/sim/seeds.txt
  paxtor-sim --replay 42 --set loss_percent=0,voters=3 --without-faults 3,7-9

Exit status: 0 clean; 1 wrong (a promise was broken); 2 stuck (the faults ended and something made
no progress); 3 crashed (a broken invariant or an exception); 64 wrong usage.)";

int usage(const std::string& why) {
  std::cerr << "paxtor-sim: " << why << " (see --help)\n";
  return exit_usage;
}

/// `name=value`, several of them with commas between.
bool read_settings(const std::vector<std::string>& texts, paxtor::sim::changes& out) {
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return false;
    out.set.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return true;
}

/// 90, 90s, 30m or 8h.
bool read_time(const std::string& text, std::chrono::seconds& out) {
  std::size_t used = 0;
  try {
    const auto number = std::stoull(text, &used);
    const auto unit = text.substr(used);
    if (number == 0 || number > 100'000'000
        || (unit != "" && unit != "s" && unit != "m" && unit != "h"))
      return false;
    out = std::chrono::seconds{number * (unit == "h" ? 3600 : unit == "m" ? 60 : 1)};
  } catch (const std::exception&) {
    return false;
  }
  return true;
}

/// What the command line says.
struct wishes {
  paxtor::sim::campaign_options campaign;
  std::vector<std::uint64_t> seeds;
  std::optional<std::uint64_t> replay;
  std::optional<std::uint64_t> minimise;
  std::string range;
  std::string file;
  bool forever = false;
  std::uint64_t from = 1;
  std::string time;
  std::vector<std::string> settings;
  std::string without_faults;
  std::string without_actors;
};

void declare_seeds(CLI::App& app, wishes& out) {
  auto& options = out.campaign;
  app.add_option("--replay", out.replay, "Run this seed and print all that happens");
  app.add_option("--minimise", out.minimise,
                 "Take out of this seed's run all that its finding does not need");
  app.add_option("--seed", out.seeds, "A seed to run")->take_all();
  app.add_option("--seeds", out.range, "A range of seeds, such as 1-2000");
  app.add_option("--seeds-file", out.file, "A file with one seed a line");
  app.add_flag("--forever", out.forever, "Run new seeds until stopped, whatever is found");
  app.add_option("--from", out.from, "The first seed of --forever")->capture_default_str();
  app.add_option("--for", out.time, "Begin no more seeds after this time, such as 90s, 30m or 8h");
  app.add_option("--steps", options.steps, "Events with faults in each run")->capture_default_str();
  app.add_option("--jobs", options.jobs, "Processes to run seeds in")
    ->check(CLI::Range(1, 256))
    ->capture_default_str();
}

void declare_runs(CLI::App& app, wishes& out) {
  auto& options = out.campaign;
  app
    .add_option("--set", out.settings, "Knobs that are not drawn, such as loss_percent=0,voters=3")
    ->delimiter(',')
    ->allow_extra_args(false);
  app.add_option("--without-faults", out.without_faults,
                 "Faults that do not happen, by their number in the trace, such as 3,7-9");
  app.add_option("--without-actors", out.without_actors,
                 "Actors that do not start, by their number in the trace");
  app.add_flag("--trace", options.trace, "Print all that happens, and the knobs");
  app.add_flag("--json", options.json, "Print findings and the summary as JSON, one value a line");
  app.add_flag("--twice", options.twice, "Run each seed twice and compare the digests");
  app.add_flag("--keep-going", options.keep_going, "Go on after a finding");
  app
    .add_option("--expect", options.expect,
                "Go on until a finding with this exit status, and tell no other: for canaries")
    ->check(CLI::Range(1, 3));
  app.add_option("--lines", options.keep_lines, "Lines of the story in a finding")
    ->capture_default_str();
  app.add_option("--progress", options.progress_every, "Seconds between progress lines; 0: none")
    ->capture_default_str();
}

/// Returns what is wrong; empty if nothing is.
std::string complete(wishes& all) {
  auto& options = all.campaign;
  if (all.replay) {
    options.trace = true;
    options.seeds.add(*all.replay);
  }
  for (auto seed : all.seeds)
    options.seeds.add(seed);
  if (!all.range.empty() && !options.seeds.add_range(all.range))
    return "--seeds wants a range such as 1-2000, not '" + all.range + "'";
  if (!all.file.empty() && !options.seeds.add_file(all.file))
    return "cannot read the seeds in '" + all.file + "'";
  if (all.forever && !options.seeds.empty())
    return "--forever runs seeds of its own: say where it begins with --from";
  if (all.forever) {
    options.seeds.endless_from(all.from);
    options.keep_going = options.expect == 0;
  }
  if (!all.time.empty()) {
    options.time_limit.emplace();
    if (!read_time(all.time, *options.time_limit))
      return "--for wants a time such as 90s, 30m or 8h, not '" + all.time + "'";
  }
  if (!read_settings(all.settings, options.differs))
    return "--set wants name=value; a trace begins with all names and values";
  if (!options.differs.without_faults.add(all.without_faults)
      || !options.differs.without_actors.add(all.without_actors))
    return "--without-faults and --without-actors want numbers such as 3,7-9";
  if (options.seeds.empty() && all.file.empty() && !all.minimise)
    return "say which seeds: --replay, --seeds, --seeds-file, --forever or --minimise";
  return {};
}

} // namespace

int main(int argc, char** argv) {
  wishes all;
  all.campaign.steps = default_steps;
  CLI::App app{"Runs whole Paxtor clusters in simulated time under faults, each from one seed, and "
               "checks what they promise."};
  app.footer(examples);
  declare_seeds(app, all);
  declare_runs(app, all);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_usage;
  }
  if (auto why = complete(all); !why.empty())
    return usage(why);
  auto& options = all.campaign;
  options.program = argv[0];
  if (!all.minimise)
    return paxtor::sim::run_campaign(options);
  return paxtor::sim::run_minimiser({*all.minimise, options.steps, options.differs, 0, nullptr},
                                    options.program, options.keep_lines);
}
