#pragma once

/// \file
/// The settings of a node, from flags, the environment, a config file and defaults, in this order
/// of precedence.

#include <map>
#include <string>
#include <vector>

#include <paxtor/config.hpp>

namespace CLI {
class App;
}

namespace paxtor::tools {

/// A node that stays, or a command's own short stay as a client node; `owner`: a command that holds
/// something meanwhile.
enum class stay { node, owner, command };

/// What the command line says about the node. Flags live here while CLI11 parses.
struct settings {
  /// By key ("join_timeout"); absent: not given.
  std::map<std::string, std::vector<std::string>> flags;
  std::string config_file;
  bool json = false;

  /// Adds the flags of a node (all of them) or of a command (those that make sense), --config and
  /// --json.
  void add_to(CLI::App& app, stay kind);

  /// Puts everything together. Returns false and sets `why`: one line that names the flag, the
  /// variable, or file and line. A command does not take name, listen, advertise, labels and
  /// capacity from the file or the environment: they are the node's that lives on this machine. Its
  /// name is made unique.
  [[nodiscard]] bool resolve(stay kind, node_options& out, std::string& why) const;
};

/// A name that no other process has: "TOOL-host-pid-4f2a".
[[nodiscard]] std::string unique_name(const std::string& tool);

} // namespace paxtor::tools
