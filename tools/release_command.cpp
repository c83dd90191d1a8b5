/// `paxtor release --force`: an operator's word that the owner of a strict lock has ended.

#include <cstdlib>
#include <iostream>
#include <memory>

#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/query.hpp"

namespace paxtor::tools {

namespace {

struct release_args : query_args {
  std::string key;
  std::string by;
  bool force = false;
};

/// Who runs this: user and host, for the voters' logs.
std::string operator_name() {
  const auto* user = getpwuid(getuid());
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  return (user != nullptr ? std::string{user->pw_name} : std::to_string(getuid())) + "@" + host;
}

int run_release(const release_args& args) {
  const auto patience = patience_of(args);
  const auto about = key::from_user(args.key);
  if (!patience)
    return exit_usage;
  if (!about.ok())
    return complain(about.problem(), exit_usage);
  if (!args.force)
    return complain("release: a lock ends with its owner. If you know that the owner of " + args.key
                      + " has ended and nothing can prove it (its machine is gone for good), say "
                        "--force; if you are wrong, two owners work at once",
                    exit_usage);
  int status = exit_ok;
  const auto node = join_for_command(args.given, "release", status);
  if (!node)
    return status;
  const auto by = args.by.empty() ? operator_name() : args.by;
  const auto answer = await<document>(
    node->system(), *patience + std::chrono::seconds{1}, [&](caf::event_based_actor* self) {
      return node->door().force_release(self, about, by, *patience);
    });
  if (!answer)
    return complain(answer.error());
  if (args.given.json) {
    print_json(answer->value);
    return exit_ok;
  }
  const auto& holder = answer->value["holder"];
  std::cout << "Released all that node " << text_of(holder, "node") << " (session "
            << text_of(holder, "session") << ") still held, " << about.text() << " (token "
            << text_of(holder, "token") << ") among it." << std::endl;
  return exit_ok;
}

} // namespace

void add_release_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<release_args>();
  auto* sub = app.add_subcommand(
    "release", "Say that a strict lock's owner has ended, when nothing can prove it");
  sub->add_option("KEY", args->key, "JSON, or text that is taken as a JSON string")->required();
  sub->add_flag("--force", args->force, "yes, I know that it has ended");
  sub->add_option("--by", args->by, "who says so, for the logs (default: user@host)")
    ->type_name("WHO");
  add_query_flags(*sub, *args);
  sub->footer(
    R"(Only for locks taken with --strict: every other lock is free at the latest a ttl after its
owner's node fell silent. Refused while the owner's node is in the cluster. It frees all that
the node's session still holds. The voters log it, and 'paxtor why KEY' tells the next owner.

Example:
  paxtor release --force stock/42)");
  sub->callback([args, &line] { line.chosen = [args] { return run_release(*args); }; });
}

} // namespace paxtor::tools
