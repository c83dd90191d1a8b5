#pragma once

/// \file
/// The guard's own process: see guard.hpp.

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace paxtor::tools {

/// Holder -> guard, over a pipe: 'R' run, 'L' live until, 'S' signal, 'K' kill. `length` bytes of
/// text follow.
struct guard_order {
  char what;
  char unused[3];
  std::uint32_t length;
  std::int64_t value;
};

/// Never throws; returns when nothing of the command is alive (G3).
int guard_main(std::vector<std::string> command, int in, int out, int gone) noexcept;

/// SIGKILL to the process group (unless -1) and to all children of this process but `spared`, until
/// there is none left. As subreaper this process gets the children of those that it kills (G2).
void kill_descendants(pid_t group, pid_t spared = -1) noexcept;

} // namespace paxtor::tools
