#pragma once

/// \file
/// A cluster of child processes of this program on loopback: for the demo and for benchmarks.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/process.hpp"
#include "tools/temporary_dir.hpp"

namespace paxtor::tools {

/// One `paxtor demo-node`.
class team_member {
public:
  team_member(std::string node_name, std::string at, std::unique_ptr<process> child)
      : name(std::move(node_name)), address(std::move(at)), child_(std::move(child)) {}

  const std::string name;
  const std::string address; ///< empty: a client node that does not listen

  [[nodiscard]] process& child() { return *child_; }

  /// Sends an order with a new id, which it returns.
  int order(nlohmann::json what);

  /// The answer to the order `id`; null if none came in time.
  nlohmann::json answer(int id, milliseconds patience);

  nlohmann::json ask(nlohmann::json what, milliseconds patience = std::chrono::seconds{10}) {
    return answer(order(std::move(what)), patience);
  }

  /// Waits for "ready". Returns false and sets `why`.
  bool wait_ready(milliseconds patience, std::string& why);

  /// The same; throws std::runtime_error.
  void require_ready(milliseconds patience);

private:
  std::unique_ptr<process> child_;
  std::vector<nlohmann::json> early_;
  int next_id_ = 1;
};

class team {
public:
  /// Starts voters of these names and waits until all are ready. `printer_fd` becomes descriptor 3
  /// of each. `store_under`: if not empty, each voter keeps its log in a data directory; all of
  /// them lie in a new directory below this one, which is gone when the team is. Throws
  /// std::runtime_error if they do not get ready.
  team(const std::vector<std::string>& names, const std::vector<std::string>& flags,
       int printer_fd = -1, const std::string& store_under = {});

  /// Kills all of them, and the guardians that they leave: those have nobody to tell any more, but
  /// would try for seconds.
  ~team();
  team(const team&) = delete;
  team& operator=(const team&) = delete;

  /// A client node more; it does not listen, so it hosts nothing.
  team_member& add_client(const std::string& name, const std::vector<std::string>& flags = {});

  /// A client node more that hosts singletons.
  team_member& add_host(const std::string& name);

  /// A blank standby; with a data directory if the voters have some. It is started, not waited for.
  team_member& start_standby(const std::string& name);

  /// SIGKILL, if it still runs, and another process in its place: with the same address and data
  /// directory. It is started, not waited for.
  team_member& start_again(const std::string& name);

  [[nodiscard]] const std::vector<std::unique_ptr<team_member>>& members() const {
    return members_;
  }
  [[nodiscard]] team_member& member(const std::string& name);

  /// "a=127.0.0.1:20001,..."
  [[nodiscard]] const std::string& voters() const { return voters_; }

  /// The data directory of a voter; empty without one.
  [[nodiscard]] std::string data_dir(const std::string& name) const {
    return store_ ? store_->path() + "/" + name : std::string{};
  }

private:
  bool start(const std::vector<std::string>& names, std::string& why);
  std::unique_ptr<team_member> spawn(const std::string& name, const std::string& address,
                                     const std::vector<std::string>& more = {});
  team_member& add(std::unique_ptr<team_member> member);
  /// Throws std::runtime_error: there is none.
  std::unique_ptr<team_member>& find(const std::string& name);
  [[nodiscard]] std::vector<std::string> store_flags(const std::string& name) const;

  std::optional<temporary_dir> store_;
  std::string voters_;
  std::vector<std::string> flags_;
  int printer_fd_;
  std::vector<std::unique_ptr<team_member>> members_;
};

} // namespace paxtor::tools
