#include "test/sim/campaign.hpp"

#include <cstddef>
#include <cstdio>
#include <iostream>

#include "test/sim/children.hpp"
#include "test/sim/ledger.hpp"
#include "test/sim/report.hpp"
#include "test/sim/stop.hpp"

namespace paxtor::sim {

namespace {

/// Findings of other kinds than the one that is looked for are only counted.
bool told(const campaign_options& options, const run_result& result) {
  return options.expect == 0 || code_of(result) == options.expect;
}

int run_here(const campaign_options& options, const seed_turns& turns) {
  ledger book{options};
  for (std::size_t place = 0; auto seed = turns.at(place); ++place) {
    if (options.trace) {
      knobs how;
      (void)knobs_of({*seed, options.steps, options.differs, 0, nullptr}, how);
      std::printf("seed %llu, knobs: %s\n", static_cast<unsigned long long>(*seed),
                  how.text().c_str());
      std::fflush(stdout);
    }
    auto result = run_one(options, *seed);
    if (!result.refused.empty()) {
      std::cerr << text_of(options, result);
      return exit_refused;
    }
    if (options.trace || options.seeds.size() == 1)
      std::printf("seed %llu digest %016llx\n", static_cast<unsigned long long>(*seed),
                  static_cast<unsigned long long>(result.digest));
    std::fflush(stdout);
    book.take(result.counts, code_of(result), text_of(options, result));
    if (enough(options, result))
      break;
  }
  return book.close();
}

} // namespace

int code_of(const run_result& result) {
  if (!result.refused.empty())
    return exit_refused;
  return result.found ? static_cast<int>(result.found->kind) : 0;
}

bool enough(const campaign_options& options, const run_result& result) {
  return !result.refused.empty() || (result.found && !options.keep_going && told(options, result));
}

std::string text_of(const campaign_options& options, const run_result& result) {
  if (!result.refused.empty())
    return "seed " + std::to_string(result.seed) + ": " + result.refused + "\n";
  if (!told(options, result))
    return {};
  return options.json ? to_json(result).dump() + "\n" : explain(result, options.program);
}

run_result run_one(const campaign_options& options, std::uint64_t seed) {
  run_options how;
  how.seed = seed;
  how.steps = options.steps;
  how.differs = options.differs;
  if (options.trace) {
    how.follow = &std::cout;
    how.keep_lines = options.keep_lines;
  }
  auto result = run(how);
  if (options.twice && !result.found) {
    auto again = run(how);
    if (again.digest != result.digest)
      result.found = finding{finding_kind::crashed, "repeatable",
                             "two runs of this seed have different digests"};
  }
  if (result.found && !options.trace && told(options, result)) {
    // The same run once more, with its story.
    how.keep_lines = options.keep_lines;
    auto again = run(how);
    result.tail = again.tail;
    if (again.digest != result.digest)
      result.found->what += " (and the run with its story has another digest)";
  }
  return result;
}

int run_campaign(const campaign_options& options) {
  install_check_handler();
  stop_on_signals();
  seed_turns turns{options};
  if (options.jobs > 1 && !options.trace
      && (options.seeds.is_endless() || options.seeds.size() > 1))
    return run_children(options, turns);
  return run_here(options, turns);
}

} // namespace paxtor::sim
