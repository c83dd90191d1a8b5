#pragma once

/// \file
/// The guardian as a child process of this one.

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace paxtor::actors {

/// The file to run: `wanted` if it is not empty, else paxtor-guardian beside this program, in PATH,
/// or where it was to be installed. Empty with `why`.
[[nodiscard]] std::string find_guardian(const std::string& wanted, std::string& why);

/// False with `why` if a guardian could not see this process end, or not outlive it.
[[nodiscard]] bool guardian_possible(std::string& why);

/// A running guardian. Owns its end of the socketpair, and nothing else: the process outlives this
/// object unless it is told `end`.
class guardian_child {
public:
  /// Spawned, not forked: this process has threads. The child gets its end of the socketpair, and
  /// no other descriptor, signal handler, argument or terminal of ours. Null with `why`.
  [[nodiscard]] static std::unique_ptr<guardian_child> start(const std::string& program,
                                                             std::string& why);
  ~guardian_child();
  guardian_child(const guardian_child&) = delete;
  guardian_child& operator=(const guardian_child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Readable when the guardian says something, or is gone.
  [[nodiscard]] int socket() const { return socket_; }

  /// One packet with descriptors. False: it is gone.
  bool send(const std::string& packet, const std::vector<int>& descriptors);
  /// One packet. False: it is gone. Empty: nothing now.
  bool receive(std::string& packet);

  /// Waits until it has ended, for a second; then ends it (SIGKILL). Reaps it. Says how it ended.
  std::string end();

private:
  guardian_child(pid_t pid, int pidfd, int socket) : pid_(pid), pidfd_(pidfd), socket_(socket) {}

  pid_t pid_;
  int pidfd_;
  int socket_;
};

} // namespace paxtor::actors
