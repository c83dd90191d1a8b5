/// `paxtor node`: a node that stays until it is told to leave.

#include <cstdio>
#include <iostream>
#include <memory>

#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/signals.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

struct node_args {
  settings given;
  bool exit_with_parent = false;
};

/// The address of the voter `name`; empty if it is none.
std::string voter_address(const node_options& options, const std::string& name) {
  for (const auto& voter : options.voters) {
    if (voter.starts_with(name + "="))
      return voter.substr(name.size() + 1);
  }
  return {};
}

void print_ready(const node_args& args, const node_options& options, const cluster& door) {
  const auto status = door.status();
  const auto role = status.value("role", "client");
  // A client node keeps no log.
  const auto log = status.value("log", nlohmann::json{});
  const auto store = log.is_object() ? log.value("store", nlohmann::json{}) : nlohmann::json{};
  auto address = options.advertise.empty() ? options.listen : options.advertise;
  if (const auto colon = address.rfind(':');
      colon != std::string::npos && options.advertise.empty())
    address = address.substr(0, colon + 1) + std::to_string(door.port());
  if (args.given.json) {
    std::cout << nlohmann::json{{"ready", true}, {"name", options.name},       {"address", address},
                                {"role", role},  {"cluster", options.cluster}, {"pid", getpid()},
                                {"store", store}}
                   .dump()
              << std::endl;
  } else {
    std::cout << "ready: node " << options.name << ", " << role << " of cluster " << options.cluster
              << (address.empty() ? ", not listening" : ", at " + address)
              << (store.is_string() ? ", log in " + store.get<std::string>() : std::string{})
              << " (pid " << getpid() << ")" << std::endl;
  }
}

int run_node(const node_args& args) {
  if (args.exit_with_parent) {
    const auto parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      return exit_failure;
  }
  node_options options;
  // A person starts the nodes of a new cluster one after the other: be patient.
  options.join_timeout = std::chrono::minutes{5};
  std::string why;
  if (!args.given.resolve(stay::node, options, why))
    return complain(why, exit_usage);
  if (options.name.empty())
    options.name = unique_name("node");
  const auto own = voter_address(options, options.name);
  if (options.listen.empty())
    options.listen = own;
  signals stop;
  std::unique_ptr<client> node;
  {
    impatience quit{stop};
    caf::error problem;
    if (isatty(STDERR_FILENO) != 0)
      complain("node " + options.name + " joins (" + join_text(options.voters, ", ") + ") ...", 0);
    node = client::join(options, hosting::built_in, problem);
    if (!node)
      return complain("node " + options.name + " cannot join: " + why_not_joined(problem),
                      code_of(problem) == errc::timed_out ? exit_unavailable : status_of(problem));
  }
  print_ready(args, options, node->door());
  while (true) {
    const int number = stop.wait();
    if (number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGQUIT)
      break;
  }
  // The second signal does not wait.
  impatience quit{stop};
  node.reset();
  return exit_ok;
}

} // namespace

void add_node_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<node_args>();
  auto* sub =
    app.add_subcommand("node", "Run a node until SIGTERM or Ctrl-C; it leaves in good order");
  args->given.add_to(*sub, stay::node);
  sub->add_flag("--exit-with-parent", args->exit_with_parent,
                "end (SIGKILL) when the process that started it ends");
  sub->footer(R"(A node whose name is one of --voters is a voter, any other a client node, or with
--standby one that can become a voter ('paxtor members add'). It hosts the actor types
"counter" and "echo". Each flag has a variable (--join-timeout: PAXTOR_JOIN_TIMEOUT) and a
key in the --config file ("join_timeout"); flags win over variables, variables over the
file. One line on stdout says when it is ready. A guardian (a small process of its own)
tells the cluster at once if this one dies; without it (--guardian off) what a dead node
held is granted to others after the ttl.

Example:
  paxtor node --name a --voters a=127.0.0.1:4801,b=127.0.0.1:4802,c=127.0.0.1:4803)");
  sub->callback([args, &line] { line.chosen = [args] { return run_node(*args); }; });
}

} // namespace paxtor::tools
