#include "net/guardian/ward.hpp"

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace paxtor::guardian {

namespace {

/// linux/pidfd.h of kernels from 6.15 on: what of the process is known once it has been reaped.
struct pidfd_info_v1 {
  std::uint64_t mask;
  std::uint64_t cgroupid;
  std::uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  std::int32_t exit_code;
};
static_assert(sizeof(pidfd_info_v1) == 64);
constexpr std::uint64_t info_exit = 1U << 3;
constexpr unsigned long get_info = _IOWR(0xFF, 11, pidfd_info_v1);

std::string read_file(const std::string& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// The process id behind it, as long as nobody has reaped the process; else -1.
long pid_behind(int pidfd) {
  const auto text = read_file("/proc/self/fdinfo/" + std::to_string(pidfd));
  const auto at = text.find("Pid:");
  return at == std::string::npos ? -1 : std::strtol(text.c_str() + at + 4, nullptr, 10);
}

/// The last field of /proc/PID/stat of a process that waits to be reaped.
std::optional<int> status_of_zombie(int pidfd) {
  const auto pid = pid_behind(pidfd);
  if (pid <= 0)
    return std::nullopt;
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  // Not reaped up to here: then the number was still this process's while it was read.
  if (pid_behind(pidfd) != pid)
    return std::nullopt;
  const auto name_end = stat.rfind(')');
  const auto last = stat.find_last_of(" ", stat.find_last_not_of(" \n"));
  if (name_end == std::string::npos || last == std::string::npos || last < name_end
      || stat.compare(name_end, 3, ") Z") != 0)
    return std::nullopt;
  return std::atoi(stat.c_str() + last + 1);
}

std::optional<int> status_of_reaped(int pidfd) {
  pidfd_info_v1 info{};
  info.mask = info_exit;
  if (::ioctl(pidfd, get_info, &info) != 0 || (info.mask & info_exit) == 0)
    return std::nullopt;
  return info.exit_code;
}

} // namespace

int open_pidfd(pid_t process) {
  return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
}

std::string words_of_status(int status) {
  if (WIFEXITED(status))
    return "exited with status " + std::to_string(WEXITSTATUS(status));
  const auto number = WTERMSIG(status);
  const char* name = ::sigabbrev_np(number);
  return "killed by signal " + std::to_string(number)
         + (name != nullptr ? " (SIG" + std::string{name} + ")" : "");
}

std::string how_it_ended(int pidfd) {
  if (auto status = status_of_zombie(pidfd))
    return words_of_status(*status);
  if (auto status = status_of_reaped(pidfd))
    return words_of_status(*status);
  return "the process has ended; how is not known";
}

} // namespace paxtor::guardian
