#pragma once

/// \file
/// Real processes of the built `paxtor` on loopback. Every process that a test starts, and every
/// process that one of those starts, carries a mark in its environment; at the end of the test none
/// with the mark may be left.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/process.hpp"

namespace paxtor::test {

using namespace std::chrono_literals;
using tools::clock;
using tools::milliseconds;
using tools::process;
using words = std::vector<std::string>;

/// How a command ended and what it said.
struct outcome {
  int status = -1;
  std::string out;
  std::string err;
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(out, nullptr, false); }
};

/// Waits until `done()`. False: not within `patience`.
bool eventually(milliseconds patience, const std::function<bool()>& done);

[[nodiscard]] bool contains(const std::string& text, const std::string& part);

/// True if there is such a process and it is no zombie.
[[nodiscard]] bool alive(pid_t pid);

/// -1: there is no such process.
[[nodiscard]] pid_t parent_of(pid_t pid);

[[nodiscard]] double seconds_since(clock::time_point start);

/// The mark, and what is left with it.
class marked {
public:
  marked();
  /// Fails the test if a process with the mark is left, and kills it. Guardians of processes that
  /// were killed are ended first: they go by themselves, but only seconds later when there is no
  /// cluster to tell.
  ~marked();
  marked(const marked&) = delete;
  marked& operator=(const marked&) = delete;

  /// Starts `paxtor ARGS` with the mark. `program`: another build of it.
  [[nodiscard]] std::unique_ptr<process> start(const words& args, const words& variables = {},
                                               const std::string& program = {}) const;

  /// As start, by way of another program: `PREFIX paxtor ARGS`.
  [[nodiscard]] std::unique_ptr<process> start_under(const words& prefix, const words& args) const;

  /// Runs `paxtor ARGS` to its end.
  [[nodiscard]] outcome run(const words& args, const words& variables = {},
                            milliseconds patience = 30s) const;

  [[nodiscard]] std::vector<pid_t> left() const;

private:
  [[nodiscard]] std::unique_ptr<process> launch(words argv, const words& variables) const;

  std::string mark_;
};

/// A directory of the test's own; removed with what is in it.
class scratch {
public:
  scratch();
  ~scratch();
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const;
  [[nodiscard]] std::string read(const std::string& name) const;
  [[nodiscard]] words lines(const std::string& name) const;

private:
  std::string path_;
};

/// Voters a, b, c as `paxtor node`.
class three_nodes {
public:
  /// `flags` are given to every node and command.
  explicit three_nodes(std::string ttl = "1s", words flags = {});

  [[nodiscard]] const marked& mark() const { return mark_; }
  [[nodiscard]] const std::string& voters() const { return voters_; }
  [[nodiscard]] process& node(const std::string& name) { return *nodes_.at(name); }
  [[nodiscard]] const nlohmann::json& ready(const std::string& name) const {
    return ready_.at(name);
  }

  /// `paxtor COMMAND --voters .. --ttl .. ARGS`.
  [[nodiscard]] outcome run(const std::string& command, const words& args,
                            milliseconds patience = 30s) const;
  [[nodiscard]] std::unique_ptr<process> start(const std::string& command, const words& args) const;

  /// A client node driven by JSON lines (`paxtor demo-node`), ready.
  [[nodiscard]] std::unique_ptr<process> client(const std::string& name) const;

  /// The name of the node that leads.
  [[nodiscard]] std::string leader() const;

private:
  [[nodiscard]] words with_flags(const std::string& command, const words& args) const;

  marked mark_;
  std::string ttl_;
  words flags_;
  std::string voters_;
  std::map<std::string, std::unique_ptr<process>> nodes_;
  std::map<std::string, nlohmann::json> ready_;
};

/// The guardian of a client (`demo-node`), linked with all voters but its own node.
[[nodiscard]] pid_t guardian_of(process& client);

/// The answer with this id on a client's stdout; null if none came in time.
[[nodiscard]] nlohmann::json answer(process& client, int id, milliseconds patience);

} // namespace paxtor::test
