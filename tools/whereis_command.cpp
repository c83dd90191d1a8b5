/// `paxtor whereis`: where a singleton lives; starts it if needed.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/query.hpp"

namespace paxtor::tools {

namespace {

struct whereis_args : query_args {
  std::string name;
  std::string type = "counter";
};

int run_whereis(const whereis_args& args) {
  const auto patience = patience_of(args);
  const auto name = key::from_user(args.name);
  if (!patience)
    return exit_usage;
  if (!name.ok())
    return complain(name.problem(), exit_usage);
  int status = exit_ok;
  const auto node = join_for_command(args.given, "whereis", status);
  if (!node)
    return status;
  auto where = await<whereabouts>(node->system(), *patience, [&](caf::event_based_actor* self) {
    return node->door().whereis(self, name, args.type);
  });
  if (!where)
    return complain(where.error());
  if (args.given.json)
    print_json({{"name", nlohmann::json::parse(name.text())},
                {"node", where->node},
                {"node_id", std::to_string(where->node_id)},
                {"endpoint", where->endpoint},
                {"type", where->type},
                {"token", where->token}});
  else
    std::cout << name.text() << ", a " << where->type << ", lives on node " << where->node
              << (where->endpoint.empty() ? "" : " at " + where->endpoint) << ", token "
              << where->token << std::endl;
  return exit_ok;
}

} // namespace

void add_whereis_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<whereis_args>();
  auto* sub = app.add_subcommand("whereis", "Say where a singleton lives; starts it if needed");
  sub->add_option("NAME", args->name, "JSON, or text that is taken as a JSON string")->required();
  sub->add_option("--type", args->type, "the actor type")->type_name("TYPE")->capture_default_str();
  add_query_flags(*sub, *args);
  sub->footer("Example:\n  paxtor whereis apple --type counter");
  sub->callback([args, &line] { line.chosen = [args] { return run_whereis(*args); }; });
}

} // namespace paxtor::tools
