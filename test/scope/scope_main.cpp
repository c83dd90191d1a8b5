// paxtor-scope: explores all that can happen within small bounds. README.md says what that means.

#include <chrono>
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "test/scope/search.hpp"

namespace {

using namespace paxtor::scope;

constexpr int exit_wrong = 1;
constexpr int exit_cut_short = 2;
constexpr int exit_usage = 64;

constexpr const char* footer =
  R"(Exit status: 0 all states were visited, nothing is broken; 1 something is, and the shortest
way there was printed; 2 the search was cut short (too many states or messages); 64 wrong usage.)";

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int report(const result& found, const world& all, bool leases, double seconds) {
  std::cout << found.states << " states, " << found.transitions << " transitions, depth "
            << found.depth << ", " << seconds << " s; " << all.sites().size() << " voters' states, "
            << all.sites().steps() << " steps of the roles, " << all.sites().messages().size()
            << " messages";
  if (leases)
    std::cout << "; the key was given away in " << found.granted << " states";
  std::cout << "\n";
  if (!found.broken.empty()) {
    std::cout << "broken: " << found.broken << "\n";
    for (std::size_t i = 0; i < found.trace.size(); ++i)
      std::cout << "  " << i + 1 << ". " << found.trace[i] << "\n";
    return exit_wrong;
  }
  if (!found.complete) {
    std::cout << "cut short: there are more states\n";
    return exit_cut_short;
  }
  std::cout << "all states visited, nothing broken\n";
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  bounds limits;
  std::size_t most = 50'000'000;
  CLI::App app{"Explores all interleavings of three voters' steps within bounds, with the real "
               "acceptor, proposer, learner and registry."};
  app.footer(footer);
  app.add_flag("--leases", limits.leases,
               "Sessions, leases and the fence, beside the log: never two owners");
  app.add_option("--ballots", limits.ballots, "Candidacies")
    ->check(CLI::Range(1, 4))
    ->capture_default_str();
  app.add_option("--candidates", limits.candidates, "Sites that may lead")
    ->check(CLI::Range(1, 3))
    ->capture_default_str();
  app.add_option("--crashes", limits.crashes, "Crashes; with none, writes are durable at once")
    ->check(CLI::Range(0, 4))
    ->capture_default_str();
  app.add_option("--commands", limits.commands, "Commands of each leader")
    ->check(CLI::Range(0, 2))
    ->capture_default_str();
  app.add_option("--renewals", limits.renewals, "Renewals of the node; with --leases")
    ->check(CLI::Range(0, 6))
    ->capture_default_str();
  app.add_flag("--learning", limits.learning, "Learners ask each other for what they miss");
  app.add_flag("--rejections", limits.rejections, "Rejections arrive; else they are all lost");
  app.add_flag("--own-late", limits.own_late,
               "What a site says to itself may be late, too; else it is taken at once");
  app.add_flag("--known-decided", limits.known_decided,
               "What promises show as decided is not proposed again; else only 256 slots in a row");
  app.add_flag("--without-barrier", limits.without_barrier, "Takes S2 out of the leases");
  app.add_flag("--without-confirmation", limits.without_confirmation, "Takes S1's rounds out");
  app.add_option("--states", most, "States to visit at most (100 bytes each)")
    ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_usage;
  }
  const auto start = std::chrono::steady_clock::now();
  try {
    world all{limits};
    const auto found = search(all, most, [&](const result& so_far) {
      std::cerr << so_far.states << " states, depth " << so_far.depth << ", "
                << seconds_since(start) << " s\n";
    });
    return report(found, all, limits.leases, seconds_since(start));
  } catch (const std::exception& e) {
    std::cerr << "paxtor-scope: " << e.what() << "\n";
    return exit_cut_short;
  }
}
