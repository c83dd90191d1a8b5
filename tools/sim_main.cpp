/// \file
/// paxtor-sim: runs whole clusters in simulated time, from a seed. See test/sim/README.md.

#include <cstdint>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>

#include "test/sim/campaign.hpp"

namespace {

constexpr int exit_usage = 64;
constexpr std::uint64_t default_steps = 20'000;

constexpr const char* examples = R"(
Examples:
  paxtor-sim --seed 42 --trace            one run, with everything that happened and its digest
  paxtor-sim --seeds 1-2000 --jobs 2      many runs; a finding says how to see it again
  paxtor-sim --seeds-file test/sim/seeds.txt
  paxtor-sim --seeds 1-100 --json         for programs

Exit status: 0 clean; 1 wrong (a promise was broken); 2 stuck (the faults ended and something made
no progress); 3 crashed (a broken invariant or an exception); 64 wrong usage.)";

bool parse_range(const std::string& text, std::vector<std::uint64_t>& out) {
  auto dash = text.find('-');
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  try {
    std::size_t used = 0;
    first = std::stoull(text.substr(0, dash), &used);
    if (used != std::min(dash, text.size()))
      return false;
    last = first;
    if (dash != std::string::npos) {
      last = std::stoull(text.substr(dash + 1), &used);
      if (used != text.size() - dash - 1)
        return false;
    }
  } catch (const std::exception&) {
    return false;
  }
  if (last < first || last - first >= 100'000'000)
    return false;
  for (auto seed = first; seed <= last; ++seed)
    out.push_back(seed);
  return true;
}

/// One seed a line; what follows it says why it is kept. `#` begins a remark.
bool read_seeds(const std::string& path, std::vector<std::uint64_t>& out) {
  std::ifstream in{path};
  if (!in)
    return false;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words{line};
    std::uint64_t seed = 0;
    if (!line.empty() && line[0] != '#' && words >> seed)
      out.push_back(seed);
  }
  return true;
}

int usage(const std::string& why) {
  std::cerr << "paxtor-sim: " << why << " (see --help)\n";
  return exit_usage;
}

} // namespace

int main(int argc, char** argv) {
  paxtor::sim::campaign_options options;
  options.steps = default_steps;
  std::string range;
  std::string file;
  CLI::App app{"Runs whole Paxtor clusters in simulated time under faults, each from one seed, and "
               "checks what they "
               "promise."};
  app.footer(examples);
  auto* one = app.add_option("--seed", "The one seed to run");
  app.add_option("--seeds", range, "A range of seeds, such as 1-2000");
  app.add_option("--seeds-file", file, "A file with one seed a line");
  app.add_option("--steps", options.steps, "Events with faults in each run")->capture_default_str();
  app.add_option("--jobs", options.jobs, "Processes to run seeds in")
    ->check(CLI::Range(1, 256))
    ->capture_default_str();
  app.add_flag("--trace", options.trace, "Print all that happens, and the knobs");
  app.add_flag("--json", options.json, "Print findings and the summary as JSON, one value a line");
  app.add_flag("--twice", options.twice, "Run each seed twice and compare the digests");
  app.add_flag("--keep-going", options.keep_going, "Go on after a finding");
  app.add_option("--lines", options.keep_lines, "Lines of the story in a finding")
    ->capture_default_str();
  app.add_option("--progress", options.progress_every, "Seconds between progress lines; 0: none")
    ->capture_default_str();
  std::uint64_t seed = 0;
  one->each([&seed, &options](const std::string& text) {
    if (CLI::detail::lexical_cast(text, seed))
      options.seeds.push_back(seed);
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_usage;
  }
  options.program = argv[0];
  if (one->count() != 0 && options.seeds.empty())
    return usage("--seed wants a number");
  if (!range.empty() && !parse_range(range, options.seeds))
    return usage("--seeds wants a range such as 1-2000, not '" + range + "'");
  if (!file.empty() && !read_seeds(file, options.seeds))
    return usage("cannot read the seeds in '" + file + "'");
  if (options.seeds.empty())
    return file.empty() ? usage("say which seeds: --seed, --seeds or --seeds-file") : 0;
  return paxtor::sim::run_campaign(options);
}
