/// `paxtor put`: put-once; prints the value that was chosen first.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/query.hpp"

namespace paxtor::tools {

namespace {

struct put_args : query_args {
  std::string bucket;
  std::string key;
  std::string value;
};

int run_put(const put_args& args) {
  const auto patience = patience_of(args);
  const auto where = key::from_user(args.key);
  if (!patience)
    return exit_usage;
  if (!where.ok())
    return complain(where.problem(), exit_usage);
  auto value = nlohmann::json::parse(args.value, nullptr, false);
  if (value.is_discarded()) {
    // As for keys: what begins as JSON does is meant as JSON.
    if (args.value.find_first_of("{[\"") == 0)
      return complain("the value is not valid JSON: mend it, or quote what is meant as text",
                      exit_usage);
    value = args.value;
  }
  int status = exit_ok;
  const auto node = join_for_command(args.given, "put", status);
  if (!node)
    return status;
  put_options options;
  options.deadline = *patience;
  auto chosen = await<document>(node->system(), *patience + std::chrono::seconds{1},
                                [&](caf::event_based_actor* self) {
                                  return node->door().put(self, args.bucket, where, value, options);
                                });
  if (!chosen)
    return complain(chosen.error());
  const bool ours = chosen->value == value;
  if (args.given.json)
    print_json({{"bucket", args.bucket},
                {"key", nlohmann::json::parse(where.text())},
                {"value", chosen->value},
                {"same", ours}});
  else
    std::cout << chosen->value.dump() << std::endl;
  if (!ours)
    return complain("the entry has had this value before: entries are put once", exit_failure);
  return exit_ok;
}

} // namespace

void add_put_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<put_args>();
  auto* sub =
    app.add_subcommand("put", "Put an entry once; prints the value that was chosen first");
  sub->add_option("BUCKET", args->bucket, "a bucket of entries")->required();
  sub->add_option("KEY", args->key, "JSON, or text that is taken as a JSON string")->required();
  sub->add_option("VALUE", args->value, "JSON, or text that is taken as a JSON string")->required();
  add_query_flags(*sub, *args);
  sub->footer(R"(Status 1 if another value was chosen before; that one is printed.

Example:
  paxtor put settings region '{"primary": "eu-1"}')");
  sub->callback([args, &line] { line.chosen = [args] { return run_put(*args); }; });
}

} // namespace paxtor::tools
