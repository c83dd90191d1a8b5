#include "actors/guardian_program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/guardian/orders.hpp"
#include "net/guardian/ward.hpp"

namespace paxtor::actors {

namespace {

constexpr const char* program_name = "paxtor-guardian";
constexpr int end_timeout_ms = 1000;

bool can_run(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
}

/// What posix_spawn is told; freed at the end.
struct spawn_plan {
  spawn_plan() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  ~spawn_plan() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;

  /// Returns 0 or an errno.
  int arrange(int socket) {
    sigset_t all;
    sigset_t handled;
    sigfillset(&all);
    sigfillset(&handled);
    // Blocked until it has decided which to take: a Ctrl-C, or a service manager that stops all
    // processes of a service, must not end it before its ward.
    const std::array<int, 9> steps{
      ::posix_spawnattr_setsigmask(&attributes, &all),
      ::posix_spawnattr_setsigdefault(&attributes, &handled),
      ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
                                                | POSIX_SPAWN_SETSID),
      // First: the socket may be one of the three that follow.
      ::posix_spawn_file_actions_adddup2(&files, socket, guardian::order_fd),
      ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0),
      ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0),
      ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0),
      ::posix_spawn_file_actions_addclosefrom_np(&files, guardian::order_fd + 1), 0};
    for (const auto problem : steps)
      if (problem != 0)
        return problem;
    return 0;
  }

  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
};

} // namespace

std::string find_guardian(const std::string& wanted, std::string& why) {
  namespace fs = std::filesystem;
  if (!wanted.empty()) {
    if (can_run(wanted))
      return fs::absolute(wanted).string();
    why = "'" + wanted + "' is no program that can be run: correct paxtor.guardian-program";
    return {};
  }
  std::vector<fs::path> folders;
  std::error_code failed;
  if (const auto self = fs::read_symlink("/proc/self/exe", failed); !failed)
    folders.push_back(self.parent_path());
  std::string path = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "";
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find(':', at), path.size());
    folders.emplace_back(path.substr(at, end - at));
    at = end + 1;
  }
  folders.emplace_back(PAXTOR_BINDIR);
  for (const auto& folder : folders)
    // A relative folder of PATH depends on where the program was started.
    if (folder.is_absolute() && can_run(folder / program_name))
      return (folder / program_name).string();
  why = std::string{"no "} + program_name + " beside this program, in PATH or in " PAXTOR_BINDIR
        + ": install it, or set paxtor.guardian-program";
  return {};
}

bool guardian_possible(std::string& why) {
  if (::getpid() == 1) {
    why = "this process is the first of its PID namespace, so the kernel ends a guardian with it: "
          "run it under an init that outlives it";
    return false;
  }
  const auto fd = guardian::open_pidfd(::getpid());
  if (fd < 0) {
    why = std::string{"no pidfd_open ("} + std::strerror(errno)
          + "): it needs Linux 5.3, and a sandbox that allows it";
    return false;
  }
  ::close(fd);
  return true;
}

std::unique_ptr<guardian_child> guardian_child::start(const std::string& program,
                                                      std::string& why) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    why = std::string{"cannot make a socket pair: "} + std::strerror(errno);
    return nullptr;
  }
  spawn_plan plan;
  auto problem = plan.arrange(ends[1]);
  pid_t pid = -1;
  if (problem == 0) {
    std::string name = program;
    std::string word = "guard"; // so that `paxtor` itself can be given as the program
    std::array<char*, 3> argv{name.data(), word.data(), nullptr};
    problem =
      ::posix_spawn(&pid, program.c_str(), &plan.files, &plan.attributes, argv.data(), environ);
  }
  ::close(ends[1]);
  if (problem != 0) {
    ::close(ends[0]);
    why = "cannot start " + program + ": " + std::strerror(problem);
    return nullptr;
  }
  const auto pidfd = guardian::open_pidfd(pid);
  return std::unique_ptr<guardian_child>{new guardian_child{pid, pidfd, ends[0]}};
}

guardian_child::~guardian_child() {
  ::close(socket_);
  if (pidfd_ >= 0)
    ::close(pidfd_);
}

bool guardian_child::send(const std::string& packet, const std::vector<int>& descriptors) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * (guardian::max_awaited + 1))>
    control{};
  iovec part{const_cast<char*>(packet.data()), packet.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const auto bytes = sizeof(int) * descriptors.size();
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(bytes);
    auto* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(head), descriptors.data(), bytes);
  }
  return ::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

bool guardian_child::receive(std::string& packet) {
  packet.resize(guardian::max_packet);
  const auto size = ::recv(socket_, packet.data(), packet.size(), MSG_DONTWAIT);
  packet.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

std::string guardian_child::end() {
  pollfd ended{pidfd_, POLLIN, 0};
  if (pidfd_ >= 0 && ::poll(&ended, 1, end_timeout_ms) == 0)
    ::syscall(SYS_pidfd_send_signal, pidfd_, SIGKILL, nullptr, 0);
  siginfo_t info{};
  // A program that waits for any child, or ignores SIGCHLD, may have reaped it: ECHILD.
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0)
    if (errno != EINTR)
      return "ended";
  const auto status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status;
  return guardian::words_of_status(status);
}

} // namespace paxtor::actors
