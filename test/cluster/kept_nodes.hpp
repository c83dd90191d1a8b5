#pragma once

#include <map>
#include <memory>
#include <string>

#include "test/cluster/support.hpp"

namespace paxtor::test {

/// Voters a, b, c as `paxtor node` (or another command), each with a data directory of its own,
/// which outlives its process.
class kept_nodes {
public:
  /// `flags` are given to every node; `elsewhere`: directories that are not below `files`. Waits
  /// until all are ready.
  explicit kept_nodes(words flags = {}, std::string command = "node",
                      std::map<std::string, std::string> elsewhere = {});

  /// The data directory of a voter.
  [[nodiscard]] std::string dir(const std::string& name) const;

  /// The arguments of `paxtor COMMAND` in this cluster.
  [[nodiscard]] words args(const std::string& command, const words& rest) const;

  /// Starts a voter on its directory. `program`: another build than the one that is tested.
  void begin(const std::string& name, const std::string& program = {}, const words& variables = {});
  /// Waits for its "ready", which says that it votes.
  void wait_ready(const std::string& name);

  [[nodiscard]] outcome run(const std::string& command, const words& rest) const {
    return mark.run(args(command, rest));
  }
  [[nodiscard]] nlohmann::json why(const std::string& key) const {
    return run("why", {key, "--json"}).json();
  }

  /// A client node driven by JSON lines (`paxtor demo-node`), ready.
  [[nodiscard]] std::unique_ptr<process> client(const std::string& name, const words& more = {},
                                                const std::string& program = {}) const;

  const words names{"a", "b", "c"};
  words flags;
  std::string command;
  std::map<std::string, std::string> elsewhere;
  const scratch files;
  const marked mark;
  std::string voters;
  std::map<std::string, std::unique_ptr<process>> running;
};

} // namespace paxtor::test
