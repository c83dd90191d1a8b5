#pragma once

/// \file
/// A process whose end its guardian waits for, seen through a pidfd: no number that the kernel
/// could give to another process meanwhile.

#include <string>

#include <sys/types.h>

namespace paxtor::guardian {

/// pidfd_open(2), whose header in glibc 2.36 is C only. -1 with errno. The descriptor is not
/// inherited by programs that this one runs.
[[nodiscard]] int open_pidfd(pid_t process);

/// "killed by signal 9 (SIGKILL)", "exited with status 70". `status` is as wait(2) has it.
[[nodiscard]] std::string words_of_status(int status);

/// How the process behind `pidfd` ended, as words_of_status; or that it is not known how.
/// REQUIRES: the pidfd is readable (all threads of the process are gone).
[[nodiscard]] std::string how_it_ended(int pidfd);

} // namespace paxtor::guardian
