#include "tools/process.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <random>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace paxtor::tools {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

struct pipe_pair {
  int read = -1;
  int write = -1;
  explicit pipe_pair(bool wanted) {
    int fds[2];
    if (!wanted)
      return;
    if (pipe2(fds, O_CLOEXEC) != 0)
      fail("pipe");
    read = fds[0];
    write = fds[1];
  }
};

std::vector<std::string> environment_of(const process_options& options) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!options.clean_environment || std::strncmp(*entry, "PAXTOR_", 7) != 0)
      result.emplace_back(*entry);
  }
  result.insert(result.end(), options.variables.begin(), options.variables.end());
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts)
    result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// dup2 clears close-on-exec, but not where both are the same.
void place(int fd, int at) {
  if (fd < 0)
    return;
  if (fd == at)
    fcntl(fd, F_SETFD, 0);
  else
    dup2(fd, at);
}

void close_if_open(int& fd) {
  if (fd >= 0)
    close(fd);
  fd = -1;
}

} // namespace

process::process(const std::vector<std::string>& argv, const process_options& options) {
  auto words = argv;
  auto variables = environment_of(options);
  const auto word_pointers = pointers_to(words);
  const auto variable_pointers = pointers_to(variables);
  pipe_pair in{options.pipe_stdin};
  pipe_pair out{options.pipe_stdout};
  pipe_pair err{options.pipe_stderr};
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const auto parent = getpid();
  // The parent may have threads: between fork and exec only what POSIX allows in signal handlers.
  pid_ = fork();
  if (pid_ < 0)
    fail("fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(126);
    if (options.own_group)
      setpgid(0, 0);
    place(options.pipe_stdin ? in.read : null, STDIN_FILENO);
    place(options.pipe_stdout ? out.write : -1, STDOUT_FILENO);
    place(options.pipe_stderr ? err.write : -1, STDERR_FILENO);
    place(options.extra_fd, 3);
    ::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execvpe(word_pointers.front(), word_pointers.data(), variable_pointers.data());
    _exit(errno == ENOENT ? 127 : 126);
  }
  if (options.own_group)
    setpgid(pid_, pid_);
  close(null);
  close_if_open(in.read);
  close_if_open(out.write);
  close_if_open(err.write);
  stdin_ = in.write;
  stdout_ = out.read;
  stderr_ = err.read;
}

process::~process() {
  kill_now();
  close_if_open(stdin_);
  close_if_open(stdout_);
  close_if_open(stderr_);
}

bool process::running() {
  return !wait(milliseconds{0});
}

void process::signal(int number) {
  if (running())
    kill(pid_, number);
}

void process::signal_group(int number) {
  if (running())
    kill(-pid_, number);
}

std::optional<int> process::wait(milliseconds patience) {
  const auto deadline = clock::now() + patience;
  while (!status_) {
    int status = 0;
    const auto pid = waitpid(pid_, &status, WNOHANG);
    if (pid == pid_)
      status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    else if (pid < 0 && errno != EINTR)
      status_ = 126;
    else if (clock::now() >= deadline)
      return std::nullopt;
    else
      poll(nullptr, 0, 2);
  }
  return status_;
}

void process::kill_now() {
  if (!running())
    return;
  kill(pid_, SIGKILL);
  wait(std::chrono::seconds{10});
}

bool process::fill(int fd, std::string& buffer, milliseconds patience) {
  pollfd ready{fd, POLLIN, 0};
  const auto n = poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(patience.count(), 0)));
  if (n <= 0)
    return n < 0 && errno == EINTR;
  char text[4096];
  const auto got = read(fd, text, sizeof text);
  if (got <= 0)
    return false;
  buffer.append(text, static_cast<std::size_t>(got));
  return true;
}

std::optional<std::string> process::read_line(milliseconds patience) {
  const auto deadline = clock::now() + patience;
  for (;;) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      auto line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    const auto left = std::chrono::ceil<milliseconds>(deadline - clock::now());
    if (left.count() < 0 || !fill(stdout_, buffer_, left))
      return std::nullopt;
  }
}

std::optional<nlohmann::json> process::read_json(milliseconds patience) {
  const auto deadline = clock::now() + patience;
  while (auto line = read_line(std::chrono::ceil<milliseconds>(deadline - clock::now()))) {
    auto value = nlohmann::json::parse(*line, nullptr, false);
    if (value.is_object())
      return value;
  }
  return std::nullopt;
}

std::string process::read_all(milliseconds patience) {
  const auto deadline = clock::now() + patience;
  while (clock::now() < deadline
         && fill(stdout_, buffer_, std::chrono::ceil<milliseconds>(deadline - clock::now())))
    ;
  return std::exchange(buffer_, {});
}

std::string process::read_errors(milliseconds patience) {
  const auto deadline = clock::now() + patience;
  while (clock::now() < deadline
         && fill(stderr_, errors_, std::chrono::ceil<milliseconds>(deadline - clock::now())))
    ;
  return std::exchange(errors_, {});
}

void process::write_line(const std::string& line) {
  auto text = line + "\n";
  while (!text.empty()) {
    const auto n = write(stdin_, text.data(), text.size());
    if (n < 0 && errno == EINTR)
      continue;
    // The child is gone: whoever waits for its answer will see that.
    if (n <= 0)
      return;
    text.erase(0, static_cast<std::size_t>(n));
  }
}

void process::close_stdin() {
  close_if_open(stdin_);
}

std::vector<std::uint16_t> free_ports(std::size_t count) {
  std::random_device random;
  std::vector<std::uint16_t> result;
  while (result.size() < count) {
    const auto port = static_cast<std::uint16_t>(20'000 + random() % 12'000);
    if (std::find(result.begin(), result.end(), port) != result.end())
      continue;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
      fail("socket");
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      result.push_back(port);
    close(fd);
  }
  return result;
}

std::string own_program() {
  char path[PATH_MAX];
  const auto n = readlink("/proc/self/exe", path, sizeof path);
  return n > 0 ? std::string(path, static_cast<std::size_t>(n)) : "paxtor";
}

} // namespace paxtor::tools
