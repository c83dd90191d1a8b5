/// `paxtor bench`: how fast it is here, and what ran where.

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
#include "tools/team.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;

struct bench_args {
  settings given;
  bench_store store;
  double seconds = 2;
  std::string part = "all";
  std::vector<int> in_flight{1, 16, 64, 256};
  int rest_ms = 0;
  keys_options keys;
  int runs = 50;
  std::string kill = "all";
  std::string guardian = "both";
};

std::string fixed(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string show_us(const json& summary, const char* field) {
  return show_micros(summary.value(field, 0.0));
}

void heading(const std::string& text) {
  std::cout << '\n' << style{STDOUT_FILENO}.bold(text) << '\n';
}

void print_cycles(const json& rows) {
  heading("lock, release, lock again: N at once, each on its own key");
  table out{{">IN FLIGHT", ">CYCLES/S", ">LOCK P50", ">P99", ">CYCLE P50", ">P99", ">ERRORS"}};
  for (const auto& row : rows)
    out.add({row["in_flight"].dump(), fixed(row["cycles_per_s"], 0), show_us(row["lock"], "p50_us"),
             show_us(row["lock"], "p99_us"), show_us(row["cycle"], "p50_us"),
             show_us(row["cycle"], "p99_us"), row["errors"].dump()});
  out.print(std::cout);
}

void print_handoffs(const json& result) {
  heading("one key, " + result["waiters"].dump() + " waiters");
  std::cout << fixed(result["handoffs_per_s"], 0) << " hand-offs/s, "
            << (result["fifo"] == true ? "strictly first come, first served" : "NOT IN ORDER")
            << '\n';
}

void print_names(const json& rows) {
  heading("request and reply: through a named handle against a direct one");
  table out{{"ACTOR LIVES", ">DIRECT", ">NAMED", ">RATIO"}};
  for (const auto& [where, row] : rows.items()) {
    if (row.contains("error"))
      out.add({where, row["error"].get<std::string>()});
    else
      out.add({where, fixed(row["direct_us"], 2) + " us", fixed(row["named_us"], 2) + " us",
               fixed(row["ratio"], 2)});
  }
  out.print(std::cout);
}

/// Guardians on and off side by side, as far as they were measured.
void print_failovers(const json& result) {
  heading("killed with SIGKILL, " + result["runs"].dump() + " runs each, ttl "
          + result["ttl"].get<std::string>());
  table out{{"KILLED PROCESS", "UNTIL", "GUARDIAN", ">P50", ">P99", ">MAX", ">OVERLAPS"}};
  const std::pair<const char*, std::pair<const char*, const char*>> rows[] = {
    {"owner", {"owner of a lock", "the next owner has it"}},
    {"host", {"host of a singleton", "the next one answers"}},
    {"leader-owner", {"leader that owns a lock", "the next owner has it"}},
    {"leader", {"leader", "locks are granted again"}}};
  for (const auto& [kind, words] : rows) {
    for (const char* guardian : {"on", "off"}) {
      if (!result.contains(guardian) || !result[guardian].contains(kind))
        continue;
      const auto& row = result[guardian][kind];
      out.add({words.first, words.second, guardian, show_us(row, "p50_us"), show_us(row, "p99_us"),
               show_us(row, "max_us"),
               row.contains("overlaps") ? row["overlaps"].dump()
                                        : row["owners_fenced"].dump() + " of "
                                            + row["owners_watched"].dump() + " fenced"});
    }
  }
  out.print(std::cout);
}

int run_bench(const bench_args& args) {
  const clean_end clean;
  place here;
  int status = exit_ok;
  if (!find_place(args.given, args.store, here, status))
    return status;
  const auto time = std::chrono::milliseconds{static_cast<std::int64_t>(args.seconds * 1000)};
  const bool text = !args.given.json;
  json result{{"where", here.where},
              {"machine", this_machine()},
              {"store", here.store},
              {"seconds_per_row", args.seconds},
              {"rest_ms", args.rest_ms}};
  const auto wanted = [&](const char* part) { return args.part == "all" || args.part == part; };
  bool good = true;
  if (text)
    std::cout << here.where << "\nstore: " << here.store << "; " << this_machine() << "; "
              << fixed(args.seconds, 1) << " s a row after warming up" << std::endl;
  if (wanted("cycles")) {
    for (int n : args.in_flight) {
      result["cycles"].push_back(
        bench_cycles(*here.node, n, time, std::chrono::milliseconds{args.rest_ms}));
      good = good && result["cycles"].back()["errors"] == 0;
    }
    if (text)
      print_cycles(result["cycles"]);
  }
  if (wanted("handoffs")) {
    result["handoffs"] = bench_handoffs(*here.node, 32, time);
    good = good && result["handoffs"]["fifo"] == true && result["handoffs"]["errors"] == 0;
    if (text)
      print_handoffs(result["handoffs"]);
  }
  if (wanted("names")) {
    result["names"]["on another node"] = bench_name(*here.node, "echo", 500, time);
    result["names"]["in this process"] = bench_name(*here.node, "local-echo", 20'000, time);
    if (text)
      print_names(result["names"]);
  }
  if (!text)
    std::cout << result.dump() << std::endl;
  return good ? exit_ok : complain("requests failed, or were served out of order", exit_failure);
}

int run_failover(const bench_args& args) {
  const clean_end clean;
  failover_options how;
  how.runs = args.runs;
  how.store_under = args.store.under();
  if (args.given.flags.contains("ttl"))
    how.ttl = args.given.flags.at("ttl").front();
  std::string why;
  if (!parse_duration(how.ttl, why))
    return complain("--ttl: " + why, exit_usage);
  using measure = json (*)(const failover_options&, const progress_line&);
  const std::pair<const char*, measure> kinds[] = {{"owner", bench_owner_killed},
                                                   {"host", bench_host_killed},
                                                   {"leader-owner", bench_owning_leader_killed},
                                                   {"leader", bench_leader_killed}};
  json result{{"where", "3 voter processes, client processes that are killed, and this one, all on "
                        "this machine"},
              {"store", args.store.describe()},
              {"machine", this_machine()},
              {"ttl", how.ttl},
              {"runs", how.runs}};
  int overlaps = 0;
  for (const bool guardian : {true, false}) {
    how.guardian = guardian;
    const char* name = guardian ? "on" : "off";
    if (args.guardian != "both" && args.guardian != name)
      continue;
    const auto say = [&](const std::string& what, int run, int runs, clock::duration took) {
      if (!args.given.json && isatty(STDERR_FILENO) != 0)
        complain("guardian " + std::string{name} + ", " + what + ", run " + std::to_string(run + 1)
                   + " of " + std::to_string(runs) + ": "
                   + show_duration(std::chrono::duration_cast<std::chrono::microseconds>(took)),
                 0);
    };
    for (const auto& [kind, measured] : kinds) {
      if (args.kill != "all" && args.kill != kind)
        continue;
      result[name][kind] = measured(how, say);
      overlaps += result[name][kind].value("overlaps", 0);
    }
  }
  if (args.given.json) {
    std::cout << result.dump() << std::endl;
  } else {
    std::cout << result["where"].get<std::string>() << "; store: " << args.store.describe() << "; "
              << this_machine() << '\n';
    print_failovers(result);
  }
  return overlaps == 0 ? exit_ok
                       : complain("a killed process was alive when it was replaced", exit_failure);
}

std::string mebibytes(const json& bytes) {
  return fixed(bytes.get<double>() / (1 << 20), 1);
}

int run_keys(const bench_args& args) {
  const clean_end clean;
  place here;
  int status = exit_ok;
  if (!find_place(args.given, args.store, here, status))
    return status;
  const bool text = !args.given.json;
  if (text) {
    std::cout << here.where << "\nstore: " << here.store << "; " << this_machine() << "; "
              << args.keys.in_flight << " in flight\n"
              << "keys locked and released, seconds, MiB in memory of a b c and of this client"
              << (args.store.under().empty() ? "" : ", MiB on disk of a b c") << std::endl;
  }
  const auto say = [&](const json& row) {
    if (!text)
      return;
    std::string disks;
    std::cout << row["keys"] << '\t' << fixed(row["seconds"], 1);
    for (const auto& [name, voter] : row["voters"].items()) {
      std::cout << '\t' << mebibytes(voter["resident_bytes"]);
      if (voter.contains("disk_bytes"))
        disks += '\t' + mebibytes(voter["disk_bytes"]);
    }
    std::cout << '\t' << mebibytes(row["client_bytes"]) << disks << std::endl;
  };
  auto result = bench_keys(*here.node, *here.own, args.keys, say);
  result["where"] = here.where;
  result["machine"] = this_machine();
  result["store"] = here.store;
  if (text)
    std::cout << fixed(result["keys_per_s"], 0) << " keys/s; the largest voter needed at most "
              << mebibytes(result["peak_first_half_bytes"]) << " MiB in the first half, "
              << mebibytes(result["peak_second_half_bytes"]) << " MiB in the second" << std::endl;
  else
    std::cout << result.dump() << std::endl;
  return result["errors"] == 0
           ? exit_ok
           : complain("requests failed: " + result["error"].get<std::string>(), exit_failure);
}

void add_bench_keys(CLI::App& bench, const std::shared_ptr<bench_args>& args, command_line& line) {
  auto* keys = bench.add_subcommand(
    "keys", "Lock and release many distinct keys, and watch the voters' memory");
  keys->add_option("--count", args->keys.keys, "how many keys")
    ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40))
    ->capture_default_str();
  keys->add_option("--in-flight", args->keys.in_flight, "at once")
    ->check(CLI::Range(1, 100'000))
    ->capture_default_str();
  keys->add_option("--rows", args->keys.rows, "how often to look at the memory")
    ->check(CLI::Range(1, 10'000))
    ->capture_default_str();
  args->store.add_to(*keys);
  keys->add_flag("--json", args->given.json, "print JSON");
  keys->footer(
    R"(Nothing is kept of a key that is free, so the memory must not grow with the number of keys.

Example:
  paxtor bench keys --count 10000000)");
  keys->callback([args, &line] { line.chosen = [args] { return run_keys(*args); }; });
}

} // namespace

void add_bench_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<bench_args>();
  auto* sub = app.add_subcommand("bench", "Measure locks, hand-offs and named messages");
  sub->add_option("--seconds", args->seconds, "time for each row")
    ->check(CLI::Range(0.1, 600.0))
    ->capture_default_str();
  sub->add_option("--part", args->part, "cycles, handoffs, names or all")
    ->check(CLI::IsMember({"cycles", "handoffs", "names", "all"}))
    ->capture_default_str();
  sub->add_option("--in-flight", args->in_flight, "the rows of cycles: how many at once")
    ->delimiter(',')
    ->check(CLI::Range(1, 100'000))
    ->type_name("N,...")
    ->capture_default_str();
  sub
    ->add_option("--rest", args->rest_ms,
                 "milliseconds between a release and the next lock of cycles: the lock alone")
    ->check(CLI::Range(0, 10'000))
    ->type_name("MS")
    ->capture_default_str();
  args->store.add_to(*sub);
  args->given.add_to(*sub, stay::command);
  sub->footer(R"(Without --voters it starts three voters of its own, and stops them.

Example:
  paxtor bench --seconds 5
  paxtor bench --store sqlite --part cycles
  paxtor bench keys --count 1000000
  paxtor bench failover --runs 50
  paxtor bench recovery --locks 100000)");
  sub->callback([args, &line] {
    if (!line.chosen)
      line.chosen = [args] { return run_bench(*args); };
  });
  auto* failover = sub->add_subcommand(
    "failover", "Kill owners, hosts and leaders, and measure how long it takes");
  failover->add_option("--runs", args->runs, "how often each")
    ->check(CLI::Range(1, 10'000))
    ->capture_default_str();
  failover->add_option("--kill", args->kill, "owner, host, leader-owner, leader or all")
    ->check(CLI::IsMember({"owner", "host", "leader-owner", "leader", "all"}))
    ->capture_default_str();
  failover
    ->add_option("--guardian", args->guardian,
                 "with guardians (on), with the ttl alone (off), both")
    ->check(CLI::IsMember({"on", "off", "both"}))
    ->capture_default_str();
  failover
    ->add_option_function<std::string>(
      "--ttl", [args](const std::string& text) { args->given.flags["ttl"] = {text}; },
      "the session ttl (default: 3s)")
    ->type_name("TIME");
  args->store.add_to(*failover);
  failover->add_flag("--json", args->given.json, "print JSON");
  failover->footer(
    R"(Each killed process signs every 100 us that it lives; an overlap is a sign that came after
its lock or name had its next owner. Without guardians a run takes about a ttl.

Example:
  paxtor bench failover --runs 50 --kill owner)");
  failover->callback([args, &line] { line.chosen = [args] { return run_failover(*args); }; });
  add_bench_keys(*sub, args, line);
  add_bench_recovery(*sub, line);
}

} // namespace paxtor::tools
