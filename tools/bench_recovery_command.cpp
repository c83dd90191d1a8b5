/// `paxtor bench recovery`: how fast voters come back when much is held.

#include <iostream>
#include <memory>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/bench.hpp"
#include "tools/bench_place.hpp"
#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/style.hpp"
#include "tools/table.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;

struct recovery_args {
  bench_store store{.kind = "sqlite"};
  recovery_options how;
  bool as_json = false;
};

std::string show_s(const json& seconds) {
  return show_micros(seconds.get<double>() * 1'000'000);
}

void print(const json& result) {
  table out{{"WHAT", ">TOOK", ">A LOCK MEANWHILE", ">P99", ">LONGEST"}};
  const auto add = [&](const std::string& what, const json& took, const json& waits) {
    out.add({what, show_s(took), show_micros(waits["p50_us"]), show_micros(waits["p99_us"]),
             show_micros(waits["max_us"])});
  };
  add("taking the locks", result["taking"]["seconds"], result["taking"]["waits"]);
  for (const auto& run : result.value("follower_again", json::array()))
    add("follower " + run["node"].get<std::string>() + " killed, until it serves again",
        run["caught_up_seconds"], run["waits"]);
  const auto& all = result["all_again"];
  const auto slots = result["slots"].get<std::uint64_t>();
  const auto behind = slots == 0 ? "" : " (" + std::to_string(slots) + " slots later)";
  out.add({"all voters killed" + behind + ", until a lock is granted",
           show_s(all["granted_seconds"]), all["owners_ended"].dump() + " owners fenced", "", ""});
  add("a blank standby, until it has all", result["standby"]["seconds"],
      result["standby"]["waits"]);
  std::cout << '\n'
            << style{STDOUT_FILENO}.bold(result["locks"].dump() + " locks are held") << '\n';
  out.print(std::cout);
}

int run(const recovery_args& args) {
  const clean_end clean;
  auto how = args.how;
  how.store_under = args.store.under();
  const auto where = "3 voter processes, a standby, and the client process that holds the locks, "
                     "all on this machine";
  if (!args.as_json)
    std::cout << where << "\nstore: " << args.store.describe() << "; " << this_machine()
              << std::endl;
  auto result = bench_recovery(how, [&](const std::string& line) {
    if (!args.as_json && isatty(STDERR_FILENO) != 0)
      complain(line, 0);
  });
  result["where"] = where;
  result["machine"] = this_machine();
  result["store"] = args.store.describe();
  if (args.as_json)
    std::cout << result.dump() << std::endl;
  else
    print(result);
  return exit_ok;
}

} // namespace

void add_bench_recovery(CLI::App& bench, command_line& line) {
  auto args = std::make_shared<recovery_args>();
  auto* sub = bench.add_subcommand(
    "recovery", "Kill voters while many locks are held, and add a standby; watch who waits");
  sub->add_option("--locks", args->how.locks, "how many locks are held")
    ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000}))
    ->capture_default_str();
  sub->add_option("--runs", args->how.runs, "how often a voter is killed and started again")
    ->check(CLI::Range(0, 1000))
    ->capture_default_str();
  sub
    ->add_option("--slots", args->how.slots,
                 "slots that locks fill one by one before all voters are killed")
    ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000}))
    ->capture_default_str();
  args->store.add_dir_to(*sub, "a directory on a local disk; what is made there is removed");
  sub->add_flag("--json", args->as_json, "print JSON");
  sub->footer(
    R"(Voters have data directories. Meanwhile one lock after the other is taken on a key that
nobody else wants: what it waits is what others notice.

Examples:
  paxtor bench recovery --locks 100000
  paxtor bench recovery --locks 10000 --runs 0 --slots 40000)");
  sub->callback([args, &line] { line.chosen = [args] { return run(*args); }; });
}

} // namespace paxtor::tools
