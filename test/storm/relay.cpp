#include "test/storm/relay.hpp"

#include <cerrno>
#include <chrono>
#include <deque>
#include <list>
#include <optional>
#include <random>
#include <system_error>

#include <fcntl.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/storm/lan.hpp"

namespace paxtor::storm {

namespace {

using clock = std::chrono::steady_clock;

/// What waits at most in one direction, before the sender has to wait.
constexpr std::size_t most_bytes = 1'000'000;

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

/// An open file, closed at the end.
class descriptor {
public:
  explicit descriptor(int fd = -1) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0)
      close(fd_);
  }
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }

private:
  int fd_;
};

descriptor tcp_socket() {
  descriptor result{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP)};
  if (result.get() < 0)
    fail("socket");
  const int yes = 1;
  setsockopt(result.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return result;
}

struct chunk {
  clock::time_point due;
  std::string bytes;
};

/// One direction of a connection.
struct lane {
  std::deque<chunk> queue;
  std::size_t waiting = 0;
  bool ended = false; ///< the sender sends no more
  bool told = false;  ///< and the receiver knows

  [[nodiscard]] bool due(clock::time_point now) const {
    return !queue.empty() && queue.front().due <= now;
  }
};

struct connection {
  relay::gate* from = nullptr;
  descriptor near; ///< to the node that opened it
  descriptor far;  ///< to whom it meant
  lane out;
  lane back;
  bool open = true;
};

/// Bytes from a socket into a lane. False: the connection is broken.
bool take(int from, lane& into, milliseconds most, std::minstd_rand& random) {
  char text[16'384];
  const auto n = recv(from, text, sizeof text, 0);
  if (n < 0)
    return errno == EAGAIN || errno == EINTR;
  if (n == 0) {
    into.ended = true;
    return true;
  }
  auto due = clock::now();
  if (most.count() > 0)
    due += milliseconds{random() % static_cast<unsigned>(most.count() + 1)};
  if (!into.queue.empty())
    due = std::max(due, into.queue.back().due);
  into.queue.push_back({due, std::string(text, static_cast<std::size_t>(n))});
  into.waiting += static_cast<std::size_t>(n);
  return true;
}

/// What is due of a lane into a socket. False: the connection is broken.
bool give(int to, lane& from, std::atomic<std::uint64_t>& count) {
  const auto now = clock::now();
  while (from.due(now)) {
    auto& bytes = from.queue.front().bytes;
    const auto n = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0)
      return errno == EAGAIN || errno == EINTR;
    count += static_cast<std::uint64_t>(n);
    from.waiting -= static_cast<std::size_t>(n);
    bytes.erase(0, static_cast<std::size_t>(n));
    if (!bytes.empty())
      return true;
    from.queue.pop_front();
  }
  if (from.queue.empty() && from.ended && !from.told) {
    shutdown(to, SHUT_WR);
    from.told = true;
  }
  return true;
}

/// So that a close is seen as a reset, as a broken connection is.
void reset(const descriptor& socket) {
  const linger hard{1, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

} // namespace

/// The relay of one machine.
struct relay::gate {
  descriptor space;
  descriptor listener;
  std::atomic<milliseconds::rep> most{0};
};

relay::relay(const std::vector<machine>& machines) {
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const descriptor home{open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
  for (const auto& one : machines) {
    if (!one.relayed)
      continue;
    auto made = std::make_unique<gate>();
    made->space = descriptor{open(space_of(one).c_str(), O_RDONLY | O_CLOEXEC)};
    if (setns(made->space.get(), CLONE_NEWNET) != 0)
      fail("setns");
    made->listener = tcp_socket();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(relay_port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(made->listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0
        || listen(made->listener.get(), 64) != 0)
      fail("the relay cannot listen");
    gates_[one.name] = std::move(made);
  }
  if (setns(home.get(), CLONE_NEWNET) != 0)
    fail("setns");
  thread_ = std::thread{[this] { run(); }};
}

relay::~relay() {
  stopping_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = write(wake_, &one, sizeof one);
  thread_.join();
  close(wake_);
}

void relay::delay(const std::string& machine, milliseconds most) {
  gates_.at(machine)->most = most.count();
}

namespace {

/// Takes a connection and opens its other half, from the same machine. False: there is none.
bool admit(relay::gate& at, connection& made) {
  made.from = &at;
  made.near =
    descriptor{accept4(at.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  if (made.near.get() < 0)
    return false;
  const int yes = 1;
  setsockopt(made.near.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  sockaddr_in meant{};
  socklen_t size = sizeof meant;
  if (getsockopt(made.near.get(), SOL_IP, SO_ORIGINAL_DST, &meant, &size) != 0
      || setns(at.space.get(), CLONE_NEWNET) != 0)
    return false;
  made.far = tcp_socket();
  const int mark = relay_mark;
  // A cut machine is given up as soon as a node would: then both sides see a reset.
  const int tries = 3;
  setsockopt(made.far.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark);
  setsockopt(made.far.get(), IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof tries);
  return connect(made.far.get(), reinterpret_cast<const sockaddr*>(&meant), sizeof meant) == 0
         || errno == EINPROGRESS;
}

short wanted(const lane& in, const lane& out, clock::time_point now) {
  short result = 0;
  if (!in.ended && in.waiting < most_bytes)
    result |= POLLIN;
  if (out.due(now))
    result |= POLLOUT;
  return result;
}

} // namespace

void relay::run() {
  std::minstd_rand random{1};
  std::list<connection> all;
  while (!stopping_) {
    const auto now = clock::now();
    std::vector<pollfd> fds{{wake_, POLLIN, 0}};
    auto sleep = milliseconds{1000};
    for (const auto& [name, gate] : gates_)
      fds.push_back({gate->listener.get(), POLLIN, 0});
    for (const auto& one : all) {
      // A broken socket is told at once, whatever is asked for.
      fds.push_back({one.near.get(), wanted(one.out, one.back, now), 0});
      fds.push_back({one.far.get(), wanted(one.back, one.out, now), 0});
      for (const auto* way : {&one.out, &one.back})
        if (!way->queue.empty() && way->queue.front().due > now)
          sleep = std::min(sleep, std::chrono::ceil<milliseconds>(way->queue.front().due - now));
    }
    poll(fds.data(), fds.size(), static_cast<int>(sleep.count()));
    std::size_t at = 1 + gates_.size();
    for (auto& one : all) {
      const milliseconds most{one.from->most.load()};
      const auto near = fds[at++].revents;
      const auto far = fds[at++].revents;
      const auto broken = static_cast<short>(POLLERR | POLLNVAL);
      one.open = (near & broken) == 0 && (far & broken) == 0;
      if (one.open && (near & (POLLIN | POLLHUP)) != 0 && !one.out.ended)
        one.open = take(one.near.get(), one.out, most, random);
      if (one.open && (far & (POLLIN | POLLHUP)) != 0 && !one.back.ended)
        one.open = take(one.far.get(), one.back, most, random);
      // Not before it is connected.
      if (one.open && (far & POLLOUT) != 0)
        one.open = give(one.far.get(), one.out, bytes_);
      else if (one.open && one.out.queue.empty() && one.out.ended)
        one.open = give(one.far.get(), one.out, bytes_);
      if (one.open)
        one.open = give(one.near.get(), one.back, bytes_);
      if (!one.open) {
        reset(one.near);
        reset(one.far);
      } else if (one.out.told && one.back.told) {
        one.open = false;
      }
    }
    all.remove_if([](const connection& one) { return !one.open; });
    std::size_t gate_at = 1;
    for (auto& [name, gate] : gates_) {
      if ((fds[gate_at++].revents & POLLIN) == 0)
        continue;
      connection made;
      if (admit(*gate, made))
        all.push_back(std::move(made));
      else if (made.near.get() >= 0)
        reset(made.near);
    }
  }
}

} // namespace paxtor::storm
