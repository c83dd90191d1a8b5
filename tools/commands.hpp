#pragma once

/// \file
/// The subcommands. Each `add_` puts one on the command line; when the user picks it, it sets
/// `chosen` to what it does, which returns the exit status.

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace paxtor::tools {

struct command_line {
  /// What stood behind "--".
  std::vector<std::string> tail;
  bool has_tail = false;
  std::function<int()> chosen;
};

void add_node_command(CLI::App& app, command_line& line);
void add_demo_command(CLI::App& app, command_line& line);
void add_demo_node_command(CLI::App& app, command_line& line);
void add_lock_command(CLI::App& app, command_line& line);
void add_status_command(CLI::App& app, command_line& line);
void add_members_command(CLI::App& app, command_line& line);
void add_whereis_command(CLI::App& app, command_line& line);
void add_get_command(CLI::App& app, command_line& line);
void add_put_command(CLI::App& app, command_line& line);
void add_why_command(CLI::App& app, command_line& line);
void add_release_command(CLI::App& app, command_line& line);
void add_drain_command(CLI::App& app, command_line& line);
void add_store_command(CLI::App& app, command_line& line);
void add_guard_command(CLI::App& app, command_line& line);
void add_bench_command(CLI::App& app, command_line& line);
/// A subcommand of `bench`.
void add_bench_recovery(CLI::App& bench, command_line& line);

} // namespace paxtor::tools
