#pragma once

/// \file
/// Child processes for the demo, the benchmarks and the cluster tests. None outlives its parent:
/// each gets PR_SET_PDEATHSIG, and the destructor kills and reaps.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/types.h>

namespace paxtor::tools {

using clock = std::chrono::steady_clock;
using milliseconds = std::chrono::milliseconds;

struct process_options {
  /// Added to the environment, as NAME=VALUE.
  std::vector<std::string> variables;
  /// Take PAXTOR_* out of the inherited environment.
  bool clean_environment = true;
  bool pipe_stdin = false;
  bool pipe_stdout = true;
  /// Else stderr is inherited.
  bool pipe_stderr = false;
  /// Also becomes the child's file descriptor 3, if not -1.
  int extra_fd = -1;
  /// In a process group of its own, so that signal_group reaches its children too.
  bool own_group = false;
};

class process {
public:
  /// Starts argv[0] (found by PATH). Throws std::system_error.
  explicit process(const std::vector<std::string>& argv, const process_options& options = {});

  /// SIGKILL if it still runs.
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();

  void signal(int number);
  void signal_group(int number);

  /// The exit status as shells have it (128+n for a signal). nullopt: it still runs after
  /// `patience`.
  std::optional<int> wait(milliseconds patience);

  /// SIGKILL and reap.
  void kill_now();

  /// The next line of its stdout, without the newline. nullopt: none within `patience`, or the end.
  std::optional<std::string> read_line(milliseconds patience);

  /// The next line that is a JSON object; others are skipped.
  std::optional<nlohmann::json> read_json(milliseconds patience);

  /// Everything that comes on stdout until its end.
  std::string read_all(milliseconds patience);
  std::string read_errors(milliseconds patience);

  void write_line(const std::string& line);
  void write_json(const nlohmann::json& value) { write_line(value.dump()); }
  void close_stdin();

private:
  bool fill(int fd, std::string& buffer, milliseconds patience);

  pid_t pid_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  int stderr_ = -1;
  std::string buffer_;
  std::string errors_;
  std::optional<int> status_;
};

/// TCP ports of 127.0.0.1 that nobody listens on now, below the range that the kernel takes for
/// outgoing connections.
[[nodiscard]] std::vector<std::uint16_t> free_ports(std::size_t count);

/// This program's own file.
[[nodiscard]] std::string own_program();

} // namespace paxtor::tools
