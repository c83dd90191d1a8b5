/// `paxtor members`: the voters and the nodes of the cluster.

#include <algorithm>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/members.hpp"
#include "tools/table.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

void print_nodes(const nlohmann::json& answer) {
  table out{{"NODE", "ADDRESS", ">LOCKS", ">WAITS", ">SINGLETONS", ">SILENT", "TYPES"}};
  for (const auto& member : answer["members"]) {
    std::vector<std::string> types;
    for (const auto& type : member["types"])
      types.push_back(type.get<std::string>());
    const auto address = text_of(member, "endpoint");
    out.add({text_of(member, "node"), address.empty() ? "-" : address, text_of(member, "locks"),
             text_of(member, "waits"), text_of(member, "singletons"),
             member.value("open", true) ? time_of(member, "silent_ms") : "gone",
             join_text(types, ",") + (member.value("drained", false) ? " (drained)" : "")});
  }
  out.print(std::cout);
  if (answer.value("more", false))
    std::cout << "(and more)\n";
}

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
  const auto log = ask_voters(*node, {}, *patience, status);
  if (!log)
    return status;
  // The command's own stay is no news.
  auto answer = found->value;
  auto& members = answer["members"];
  for (auto i = members.begin(); i != members.end();)
    i = (*i)["node"] == node->door().node_name() ? members.erase(i) : i + 1;
  answer["voters"] = (*log)["voters"];
  answer["standbys"] = (*log)["standbys"];
  if (args.given.json) {
    print_json(answer);
    return exit_ok;
  }
  print_voters(*log);
  std::cout << '\n';
  print_nodes(answer);
  return exit_ok;
}

/// One of the subcommands that change who votes.
struct change_args : query_args {
  detail::voters_request wish;
  std::string node;
};

int run_change(change_args args) {
  const auto patience = patience_of(args);
  if (!patience)
    return exit_usage;
  int status = exit_ok;
  const auto node = join_for_command(args.given, "members", status);
  if (!node)
    return status;
  return change_voters(*node, args.wish, *patience, args.given.json);
}

/// NAME=ADDR.
void split_node(const std::string& text, std::string& name, std::string& address) {
  const auto equals = text.find('=');
  name = text.substr(0, equals);
  address = equals == std::string::npos ? std::string{} : text.substr(equals + 1);
}

CLI::App* add_change(CLI::App& members, command_line& line, const char* name, const char* help,
                     const std::shared_ptr<change_args>& args) {
  args->timeout = "5min";
  auto* sub = members.add_subcommand(name, help);
  add_query_flags(*sub, *args);
  sub->callback([args, &line] { line.chosen = [args] { return run_change(*args); }; });
  return sub;
}

void add_changes(CLI::App& members, command_line& line) {
  auto add = std::make_shared<change_args>();
  add->wish.kind = voter_change::add;
  auto* sub = add_change(members, line, "add", "Make a standby a voter", add);
  sub
    ->add_option_function<std::string>(
      "NODE",
      [add](const std::string& text) { split_node(text, add->wish.node, add->wish.address); },
      "the standby's name, and where others reach it (default: where it listens)")
    ->required()
    ->type_name("NAME[=HOST:PORT]");
  sub->footer(
    R"(Start the node first; it catches up before it votes, and the command waits for that:
  paxtor node --name d --standby --listen 10.0.0.4:4800 --data-dir data/d
  paxtor members add d=10.0.0.4:4800)");

  auto promote = std::make_shared<change_args>();
  promote->wish.kind = voter_change::add;
  sub = add_change(members, line, "promote", "Make a standby a voter, where it listens", promote);
  sub->add_option("NAME", promote->wish.node, "the standby's name")->required();
  sub->footer("As 'members add NAME'. Example:\n  paxtor members promote d");

  auto remove = std::make_shared<change_args>();
  remove->wish.kind = voter_change::remove;
  sub = add_change(members, line, "remove", "Take the vote from a voter", remove);
  sub->add_option("NAME", remove->wish.node, "the voter's name")->required();
  sub->footer(
    R"(The node goes on as a standby, with its locks and singletons; stop it once this command
is done. Refused if too few of the others live.

Example:
  paxtor members remove c)");

  auto replace = std::make_shared<change_args>();
  replace->wish.kind = voter_change::replace;
  sub = add_change(members, line, "replace", "Put another one in a voter's place", replace);
  sub->add_option("NAME", replace->wish.node, "the voter that goes")->required();
  sub
    ->add_option_function<std::string>(
      "ADDR",
      [replace](const std::string& text) {
        if (text.find('=') == std::string::npos)
          replace->wish.address = text;
        else
          split_node(text, replace->wish.with, replace->wish.address);
      },
      "where the one that comes is reached, with its name if it has another one")
    ->required()
    ->type_name("[NEW=]HOST:PORT");
  sub->footer(
    R"(In one step, so that the cluster has as many voters as before all the time. The one that
comes is a standby, or the node NAME itself with a new data directory, or with its old one at
a new address.

Examples:
  paxtor members replace c e=10.0.0.5:4800    # e takes c's place
  paxtor members replace c 10.0.0.9:4800      # c itself, on a new machine)");
}

} // namespace

void add_members_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<query_args>();
  auto* sub = app.add_subcommand("members", "List voters and nodes, or change who votes");
  add_query_flags(*sub, *args);
  sub->require_subcommand(0, 1);
  sub->footer(
    R"(Without a subcommand: who votes and how far each is behind, then the nodes, what they hold,
and what they host.

Example:
  paxtor members --voters a=10.0.0.1:4800,b=10.0.0.2:4800,c=10.0.0.3:4800)");
  sub->callback([args, sub, &line] {
    if (sub->get_subcommands().empty())
      line.chosen = [args] { return run_members(*args); };
  });
  add_changes(*sub, line);
}

} // namespace paxtor::tools
