/// \file
/// paxtor-storm: real nodes in network namespaces, under faults. See README.md.

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <random>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "test/storm/storm.hpp"
#include "test/storm/worker.hpp"
#include "test/storm/world.hpp"
#include "tools/exit_status.hpp"
#include "tools/temporary_dir.hpp"
#include "tools/text.hpp"

namespace {

namespace fs = std::filesystem;
using namespace paxtor::storm;

constexpr const char* footer = R"(
Examples:
  paxtor-storm --seed 7 --seconds 60       a minute; the same faults at the same times for a seed
  paxtor-storm --minutes 30 --json         for programs; what happens goes to stderr
  paxtor-storm --seed 7 --plan             what a seed would do
  paxtor-storm check /tmp/paxtor-storm-x   judge again what a run has kept

Exit status: 0 clean; 1 wrong (a promise was broken: two owners of a key, a token that did not grow,
an entry with two values); 2 stuck (the faults ended and something made no progress); 3 crashed (a
process ended that nobody had killed); 64 wrong usage; 69 it may not make namespaces here, or
something that it needs is missing; 128+n ended by signal n. What it finds stays in a folder that it
names.)";

struct arguments {
  storm_options storm;
  std::uint64_t seed = 0;
  unsigned seconds = 0;
  unsigned minutes = 0;
  unsigned unrest = 40;
  unsigned patience = 90;
  std::string ttl = "2s";
  std::string folder;
  std::string parent;
  bool json = false;
  bool plan = false;
  bool keep = false;
};

int tell(const std::string& why, int status) {
  std::cerr << "paxtor-storm: " << why << "\n";
  return status;
}

void print(const report& all, bool as_json) {
  if (as_json)
    std::cout << json_of(all).dump() << std::endl;
  else
    std::cout << text_of(all) << std::flush;
}

int check(const arguments& args) {
  std::error_code ignored;
  if (!fs::exists(args.folder + "/events", ignored))
    return tell(args.folder + " is no folder that a storm has kept", paxtor::tools::exit_usage);
  report result;
  const auto all = read_folder(args.folder);
  result.found = judge(all);
  result.available = measure(all, 2 * args.storm.ttl);
  result.machines = "from records";
  print(result, args.json);
  return result.status();
}

/// In the new world.
int storm_in(const storm_options& options, bool json) {
  try {
    auto result = run_storm(options);
    if (result.status() != clean && options.planted == plant::none)
      result.kept = options.work;
    print(result, json);
    return result.status();
  } catch (const std::exception& ex) {
    return tell(ex.what(), paxtor::tools::exit_unavailable);
  }
}

int run(arguments& args) {
  auto& options = args.storm;
  options.seed = args.seed;
  if (args.seconds + args.minutes > 0)
    options.length = std::chrono::seconds{args.seconds + 60 * args.minutes};
  options.unrest = std::chrono::seconds{args.unrest};
  options.patience = std::chrono::seconds{args.patience};
  if (args.plan) {
    std::cout << describe_plan(options);
    return clean;
  }
  for (const auto& file : {options.program, options.guardian})
    if (access(file.c_str(), X_OK) != 0)
      return tell(file + " cannot be run: build it, or say where it is",
                  paxtor::tools::exit_unavailable);
  std::cerr << "seed " << options.seed << std::endl;
  options.work = args.parent + "/paxtor-storm-XXXXXX";
  if (mkdtemp(options.work.data()) == nullptr)
    return tell("cannot make a folder in " + args.parent, paxtor::tools::exit_unavailable);
  const int status = in_own_world([&] { return storm_in(options, args.json); });
  // What was planted is no finding.
  const bool found =
    options.planted == plant::none && (status == wrong || status == stuck || status == crashed);
  if (args.keep) {
    std::cerr << "records: " << options.work << std::endl;
  } else if (!found) {
    std::error_code ignored;
    fs::remove_all(options.work, ignored);
  }
  return status;
}

void add_options(CLI::App& app, arguments& args) {
  auto& storm = args.storm;
  app.add_option("--seed", args.seed, "What is drawn: machines and faults (default: at random)");
  app.add_option("--seconds", args.seconds, "How long (default: 180)")
    ->check(CLI::Range(5, 1'000'000));
  app.add_option("--minutes", args.minutes, "The same in minutes")->check(CLI::Range(1, 100'000));
  app.add_option("--unrest", args.unrest, "Seconds of faults in each round; a calm follows")
    ->check(CLI::Range(5, 3600))
    ->capture_default_str();
  app.add_option("--patience", args.patience, "Seconds for each step of a calm, until it is stuck")
    ->check(CLI::Range(1, 3600))
    ->capture_default_str();
  app.add_option("--voters", storm.voters, "Machines with a voter")
    ->check(CLI::Range(1, 7))
    ->capture_default_str();
  app.add_option("--workers", storm.workers, "Machines with a node that works")
    ->check(CLI::Range(1, 20))
    ->capture_default_str();
  app.add_option("--ttl", args.ttl, "Of sessions")->capture_default_str();
  app.add_option("--program", storm.program, "paxtor")->capture_default_str();
  app.add_option("--guardian", storm.guardian, "paxtor-guardian")->capture_default_str();
  app.add_option("--dir", args.parent, "Where its folder is made")->capture_default_str();
  app.add_flag("--keep", args.keep, "Keep the folder also if all is well");
  app.add_flag("--plan", args.plan, "Print what a seed would do, and do nothing");
  app.add_flag("--json", args.json, "Print the report as JSON");
  app.add_flag("--quiet", storm.quiet, "No progress on stderr");
  const std::map<std::string, plant> plants{
    {"outlive", plant::outlive}, {"deaf", plant::deaf}, {"crash", plant::crash}};
  app.add_option("--plant", storm.planted, "A fault of the harness itself, which must be found")
    ->transform(CLI::CheckedTransformer(plants).description("outlive|deaf|crash"));
}

} // namespace

int main(int argc, char** argv) {
  arguments args;
  args.storm.program = PAXTOR_PROGRAM;
  args.storm.guardian = PAXTOR_GUARDIAN;
  args.parent = fs::temp_directory_path().string();
  args.seed = std::random_device{}();
  CLI::App app{
    "Runs nodes of Paxtor as real processes, each in a network namespace with an address "
    "of its own, does what it can to them, and checks what they promise."};
  app.footer(footer);
  add_options(app, args);
  int worker_status = 0;
  add_worker_command(app, worker_status);
  auto* again = app.add_subcommand("check", "Judge what a run has kept");
  again->add_option("FOLDER", args.folder)->required();
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& err) {
    if (err.get_exit_code() == 0)
      return app.exit(err);
    return tell(std::string{err.what()} + " (see --help)", paxtor::tools::exit_usage);
  }
  if (again->parsed())
    return check(args);
  if (!app.get_subcommands().empty())
    return worker_status;
  std::string why;
  const auto ttl = paxtor::tools::parse_duration(args.ttl, why);
  if (!ttl)
    return tell("--ttl: " + why, paxtor::tools::exit_usage);
  args.storm.ttl = *ttl;
  return run(args);
}
