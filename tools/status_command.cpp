/// `paxtor status`: the cluster at a glance.

#include <algorithm>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/members.hpp"
#include "tools/query.hpp"
#include "tools/style.hpp"
#include "tools/text.hpp"

#include <unistd.h>

namespace paxtor::tools {

namespace {

using nlohmann::json;

/// What it has joined with.
node_options options_of(const query_args& args) {
  node_options options;
  std::string why;
  if (!args.given.resolve(stay::command, options, why))
    complain(why, exit_usage);
  return options;
}

int run_status(const query_args& args) {
  const auto patience = patience_of(args);
  if (!patience)
    return exit_usage;
  int status = exit_ok;
  const auto node = join_for_command(args.given, "status", status);
  if (!node)
    return status;
  const auto counts = ask_cluster(*node, "counts", {}, nullptr, *patience, status);
  if (!counts)
    return status;
  const auto members = ask_cluster(*node, "members", {}, nullptr, *patience, status);
  if (!members)
    return status;
  const auto local = node->door().status();
  const auto settings = options_of(args);
  const auto log = ask_voters(*node, {}, *patience, status);
  if (!log)
    return status;
  // Those that vote now, which the settings may not know.
  std::vector<std::string> voter_names;
  auto voters = json::array();
  for (const auto& voter : (*log)["voters"]) {
    voter_names.push_back(text_of(voter, "node"));
    voters.push_back({{"name", voter_names.back()}, {"address", text_of(voter, "address")}});
  }
  const auto all = members->value["members"].size();
  if (args.given.json) {
    print_json({{"cluster", settings.cluster},
                {"cluster_id", text_of(local, "cluster")},
                {"leader", local.value("leader", json{})},
                {"voters", voters},
                {"members", all - 1},
                {"counts", counts->value}});
    return exit_ok;
  }
  const style look{STDOUT_FILENO};
  const auto row = [&](const char* label, const std::string& value) {
    std::cout << look.dim(pad(label, 11)) << value << '\n';
  };
  row("cluster", settings.cluster + " (id " + text_of(local, "cluster") + ")");
  row("leader", text_of(local, "leader"));
  row("voters", join_text(voter_names, ", "));
  row("nodes", std::to_string(all - 1) + " (and this command)");
  row("locks", text_of(counts->value, "locks") + " held by " + text_of(counts->value, "owners")
                 + " owners, " + text_of(counts->value, "waiters") + " wait");
  row("names", text_of(counts->value, "names") + " singletons");
  row("entries", text_of(counts->value, "kv"));
  row("log", "at index " + text_of(counts->value, "last_index") + ", reign "
               + text_of(counts->value, "reign"));
  std::cout << std::flush;
  return exit_ok;
}

} // namespace

void add_status_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<query_args>();
  auto* sub = app.add_subcommand("status", "Show the leader, the voters, and how much is held");
  add_query_flags(*sub, *args);
  sub->footer(
    "Example:\n  PAXTOR_VOTERS=a=10.0.0.1:4800,b=10.0.0.2:4800,c=10.0.0.3:4800 paxtor status");
  sub->callback([args, &line] { line.chosen = [args] { return run_status(*args); }; });
}

} // namespace paxtor::tools
