/// `paxtor get`: reads an entry, linearizably.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/query.hpp"

namespace paxtor::tools {

namespace {

struct get_args : query_args {
  std::string bucket;
  std::string key;
};

int run_get(const get_args& args) {
  const auto patience = patience_of(args);
  const auto where = key::from_user(args.key);
  if (!patience)
    return exit_usage;
  if (!where.ok())
    return complain(where.problem(), exit_usage);
  int status = exit_ok;
  const auto node = join_for_command(args.given, "get", status);
  if (!node)
    return status;
  const auto found = ask_cluster(*node, "get", args.bucket, &where, *patience, status);
  if (!found)
    return status;
  if (args.given.json)
    print_json({{"bucket", args.bucket},
                {"key", nlohmann::json::parse(where.text())},
                {"found", found->found},
                {"value", found->value}});
  else if (found->found)
    std::cout << found->value.dump() << std::endl;
  if (!found->found)
    return complain("bucket '" + args.bucket + "' has no entry " + where.text(), exit_failure);
  return exit_ok;
}

} // namespace

void add_get_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<get_args>();
  auto* sub = app.add_subcommand("get", "Read an entry; status 1 if there is none");
  sub->add_option("BUCKET", args->bucket, "a bucket of entries")->required();
  sub->add_option("KEY", args->key, "JSON, or text that is taken as a JSON string")->required();
  add_query_flags(*sub, *args);
  sub->footer("Example:\n  paxtor get settings region");
  sub->callback([args, &line] { line.chosen = [args] { return run_get(*args); }; });
}

} // namespace paxtor::tools
