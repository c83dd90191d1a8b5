/// `paxtor members`: the nodes in the cluster.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/query.hpp"
#include "tools/table.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

int run_members(const query_args& args) {
  const auto patience = patience_of(args);
  if (!patience)
    return exit_usage;
  int status = exit_ok;
  const auto node = join_for_command(args.given, "members", status);
  if (!node)
    return status;
  const auto found = ask_cluster(*node, "members", {}, nullptr, *patience, status);
  if (!found)
    return status;
  // The command's own stay is no news.
  auto answer = found->value;
  auto& members = answer["members"];
  for (auto i = members.begin(); i != members.end();)
    i = (*i)["node"] == node->door().node_name() ? members.erase(i) : i + 1;
  if (args.given.json) {
    print_json(answer);
    return exit_ok;
  }
  table out{{"NODE", "ADDRESS", ">LOCKS", ">WAITS", ">SINGLETONS", ">SILENT", "TYPES"}};
  for (const auto& member : members) {
    std::vector<std::string> types;
    for (const auto& type : member["types"])
      types.push_back(type.get<std::string>());
    const auto address = text_of(member, "endpoint");
    out.add({text_of(member, "node"), address.empty() ? "-" : address, text_of(member, "locks"),
             text_of(member, "waits"), text_of(member, "singletons"),
             member.value("open", true) ? time_of(member, "silent_ms") : "gone",
             join_text(types, ",")});
  }
  out.print(std::cout);
  if (answer.value("more", false))
    std::cout << "(and more)\n";
  return exit_ok;
}

} // namespace

void add_members_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<query_args>();
  auto* sub = app.add_subcommand("members", "List the nodes, what they hold, and what they host");
  add_query_flags(*sub, *args);
  sub->footer(
    "Example:\n  paxtor members --voters a=10.0.0.1:4800,b=10.0.0.2:4800,c=10.0.0.3:4800");
  sub->callback([args, &line] { line.chosen = [args] { return run_members(*args); }; });
}

} // namespace paxtor::tools
