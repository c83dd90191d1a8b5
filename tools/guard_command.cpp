/// `paxtor guard` (hidden): becomes paxtor-guardian, which nodes start beside themselves.

#include <cerrno>
#include <cstring>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/process.hpp"

namespace paxtor::tools {

namespace {

/// Another program, not a function of this one: it stays for as long as the node does, and without
/// CAF it needs a third of the memory.
int become_guardian() {
  auto program = own_program();
  program = program.substr(0, program.rfind('/') + 1) + "paxtor-guardian";
  execl(program.c_str(), program.c_str(), static_cast<char*>(nullptr));
  return complain("cannot run " + program + ": " + std::strerror(errno), exit_failure);
}

} // namespace

void add_guard_command(CLI::App& app, command_line& line) {
  auto* sub = app.add_subcommand(
    "guard", "A node's guardian: sleeps beside its process, and tells the cluster when that has\n"
             "died, so that what it held is free within milliseconds");
  sub->group("");
  sub->footer(
    R"(Nodes start it; there is nothing to do by hand. It never outlives its node by more than
5 seconds. See --guardian of 'paxtor node' and 'paxtor lock'.

Example:
  paxtor node --name a --guardian off    does without: a crash frees after the ttl)");
  sub->callback([&line] { line.chosen = become_guardian; });
}

} // namespace paxtor::tools
