#include "net/gate.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/guardian/link.hpp"

namespace paxtor::net {

using guardian::guardian_preamble;
using guardian::node_preamble;
using guardian::ourselves;
using guardian::welcome;

namespace {

std::string errno_text(int code) {
  char buffer[128];
  return ::strerror_r(code, buffer, sizeof(buffer));
}

struct addresses {
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list{nullptr, ::freeaddrinfo};
  std::string why;
};

addresses resolve(const endpoint& where, bool to_listen) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (to_listen ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  auto code = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
  addresses result;
  if (code != 0)
    result.why = "cannot resolve '" + where.host + "': " + ::gai_strerror(code);
  else
    result.list.reset(found);
  return result;
}

void set_flag(int fd, int family, int name, int value) {
  ::setsockopt(fd, family, name, &value, sizeof(value));
}

void prepare(int fd) {
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  // A stranger that says nothing and whose host is gone does not keep its socket for ever.
  set_flag(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_flag(fd, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set_flag(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set_flag(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

} // namespace

gate::gate(std::uint64_t self, tls_context tls, events callbacks)
    : self_(self), tls_(std::move(tls)), events_(std::move(callbacks)) {
  bell_ = channel{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  thread_ = std::thread{[this] {
    ::pthread_setname_np(::pthread_self(), "paxtor.gate");
    block_sigpipe();
    run();
  }};
}

gate::~gate() {
  stop();
}

void gate::stop() {
  stopping_ = true;
  wake();
  if (thread_.joinable() && thread_.get_id() != std::this_thread::get_id())
    thread_.join();
}

void gate::wake() {
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(bell_.fd(), &one, sizeof(one));
}

bool gate::listen(const endpoint& where, std::atomic<std::uint16_t>& port, std::string& why) {
  auto found = resolve(where, true);
  if (!found.list) {
    why = found.why;
    return false;
  }
  for (auto one = found.list.get(); one != nullptr; one = one->ai_next) {
    channel socket{::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (socket.fd() < 0) {
      why = errno_text(errno);
      continue;
    }
    set_flag(socket.fd(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (::bind(socket.fd(), one->ai_addr, one->ai_addrlen) != 0
        || ::listen(socket.fd(), SOMAXCONN) != 0) {
      auto code = errno;
      why = "cannot listen on " + to_string(where) + ": " + errno_text(code);
      if (code == EADDRINUSE)
        why += "; stop the other program, or choose another port (0 picks a free one)";
      else if (code == EADDRNOTAVAIL)
        why +=
          "; give an address of this machine, and the one that others use as advertised address";
      else if (code == EACCES)
        why += "; choose a port from 1024 on";
      continue;
    }
    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    ::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&bound), &size);
    port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(bound).sin_port);
    {
      std::lock_guard guard{mutex_};
      listener_ = std::move(socket);
      listening_ = true;
    }
    wake();
    return true;
  }
  return false;
}

void gate::dial(std::uint64_t id, endpoint where, std::chrono::milliseconds timeout) {
  {
    std::lock_guard guard{mutex_};
    orders_.push_back({id, std::move(where), timeout});
  }
  wake();
}

int gate::wait_ms(clock::time_point now) const {
  if (open_.empty())
    return -1;
  auto first = std::min_element(open_.begin(), open_.end(), [](const auto& x, const auto& y) {
                 return x.deadline < y.deadline;
               })->deadline;
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(first - now).count() + 1;
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 10'000));
}

void gate::run() {
  std::vector<pollfd> waits;
  while (!stopping_) {
    waits.clear();
    waits.push_back({bell_.fd(), POLLIN, 0});
    bool listening = false;
    {
      std::lock_guard guard{mutex_};
      listening = listening_ && strangers_ < max_in_handshake;
    }
    if (listening)
      waits.push_back({listener_.fd(), POLLIN, 0});
    auto first = waits.size();
    for (const auto& one : open_)
      waits.push_back({one.socket.fd(),
                       static_cast<short>(one.connecting || one.want_write ? POLLOUT : POLLIN), 0});
    ::poll(waits.data(), waits.size(), wait_ms(clock::now()));
    if (stopping_)
      break;
    auto now = clock::now();
    // Before new ones are added: positions in `waits` and `open_` agree.
    std::vector<handshake> still;
    for (std::size_t i = 0; i < open_.size(); ++i) {
      auto& one = open_[i];
      auto over = waits[first + i].revents != 0 && advance(one);
      if (!over && now >= one.deadline) {
        fail_one(one, one.connecting ? "no answer from " + one.where
                                     : one.where + " did not finish its handshake in time");
        over = true;
      }
      if (!over)
        still.push_back(std::move(one));
      else if (one.id == 0)
        --strangers_;
    }
    open_ = std::move(still);
    if (waits[0].revents != 0) {
      std::uint64_t rings = 0;
      [[maybe_unused]] auto got = ::read(bell_.fd(), &rings, sizeof(rings));
      take_orders();
    }
    if (listening && waits[1].revents != 0)
      accept_some();
  }
  open_.clear();
  listener_ = channel{};
}

void gate::take_orders() {
  std::vector<order> orders;
  {
    std::lock_guard guard{mutex_};
    orders.swap(orders_);
  }
  for (const auto& one : orders)
    begin(one);
}

void gate::begin(const order& what) {
  auto where = to_string(what.where);
  auto found = resolve(what.where, false);
  if (!found.list) {
    events_.dial_failed(what.id, found.why);
    return;
  }
  // Only the first address: the next attempt resolves again, and a host with two addresses is rare
  // among voters.
  auto one = found.list.get();
  handshake made;
  made.id = what.id;
  made.words = guardian::words_of(node_preamble, self_);
  made.where = where;
  made.deadline = clock::now() + what.timeout;
  made.socket = channel{::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (made.socket.fd() < 0) {
    events_.dial_failed(what.id, "cannot open a socket: " + errno_text(errno));
    return;
  }
  prepare(made.socket.fd());
  if (::connect(made.socket.fd(), one->ai_addr, one->ai_addrlen) != 0 && errno != EINPROGRESS) {
    events_.dial_failed(what.id, "cannot connect to " + where + ": " + errno_text(errno));
    return;
  }
  made.connecting = true;
  made.want_write = true;
  open_.push_back(std::move(made));
}

void gate::accept_some() {
  while (strangers_ < max_in_handshake) {
    auto fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
      return;
    prepare(fd);
    handshake made;
    made.socket = channel{fd};
    made.where = "a caller";
    made.words.resize(guardian::words_bytes);
    made.deadline = clock::now() + handshake_timeout;
    if (tls_) {
      made.socket.tls = make_tls_session(tls_.get(), fd, true);
      if (!made.socket.tls)
        continue;
    }
    ++strangers_;
    open_.push_back(std::move(made));
  }
}

void gate::fail_one(handshake& one, const std::string& why) {
  if (one.id == 0)
    events_.turned_away(why);
  else
    events_.dial_failed(one.id, why);
}

bool gate::advance_tls(handshake& one, bool& failed) {
  if (!tls_ || one.tls_done)
    return true;
  std::string why;
  switch (tls_handshake(one.socket.tls.get(), why)) {
    case tls_step::done:
      one.tls_done = true;
      one.want_write = one.id != 0;
      return true;
    case tls_step::want_read:
      one.want_write = false;
      return false;
    case tls_step::want_write:
      one.want_write = true;
      return false;
    case tls_step::failed:
      failed = true;
      fail_one(one, "no TLS with " + one.where + ": " + why);
      return false;
  }
  return false;
}

bool gate::move_words(handshake& one, bool out, bool& over) {
  auto at = one.words.data() + one.moved;
  auto left = one.words.size() - one.moved;
  std::size_t moved = 0;
  auto closed = false;
  if (tls_) {
    auto outcome = out ? tls_write(one.socket.tls.get(), at, left, moved)
                       : tls_read(one.socket.tls.get(), at, left, moved);
    closed = outcome == tls_io::closed;
  } else {
    auto outcome =
      out ? ::send(one.socket.fd(), at, left, MSG_NOSIGNAL) : ::recv(one.socket.fd(), at, left, 0);
    closed = outcome == 0 || (outcome < 0 && errno != EAGAIN && errno != EINTR);
    moved = outcome > 0 ? static_cast<std::size_t>(outcome) : 0;
  }
  one.want_write = out;
  one.moved += moved;
  if (closed) {
    over = true;
    fail_one(one, one.where + " closed the connection"
                    + (tls_ ? ": is its certificate, and ours, of the same CA?"
                            : ": does it run the same version, with TLS or without as we do?"));
  }
  return !closed && one.moved == one.words.size();
}

bool gate::hear_preamble(handshake& one, bool& over) {
  auto complete = move_words(one, false, over);
  auto heard = std::min(one.moved, node_preamble.size());
  auto says = [&](std::string_view preamble) {
    return one.words.compare(0, heard, preamble.substr(0, heard)) == 0;
  };
  // Wrong already in the first bytes: nobody waits for the rest.
  if (!over && !says(node_preamble) && !says(guardian_preamble)) {
    over = true;
    fail_one(one, one.where + " does not speak Paxtor's protocol");
  }
  if (over || !complete)
    return false;
  const auto id = guardian::id_in(one.words);
  auto verdict = welcome;
  std::string why;
  if (says(guardian_preamble)) {
    one.guardian = node_id{id};
    if (!guardians_ || !one.guardian.valid()) {
      verdict = guardian::no_voter;
      why = "a guardian called, but this node is no voter";
    }
  } else if (id == self_) {
    verdict = ourselves;
  }
  one.words.assign(1, verdict);
  one.moved = 0;
  // One byte into an empty buffer: it goes at once.
  if (!move_words(one, true, over) && !over) {
    over = true;
    fail_one(one, one.where + " takes no answer");
  }
  if (!over && !why.empty())
    fail_one(one, why);
  over = over || verdict != welcome;
  return !over;
}

bool gate::advance_words(handshake& one, bool& over) {
  if (one.id == 0)
    return hear_preamble(one, over);
  if (!one.await_verdict) {
    if (!move_words(one, true, over))
      return false;
    one.await_verdict = true;
    one.want_write = false;
    one.words.assign(1, '\0');
    one.moved = 0;
  }
  if (!move_words(one, false, over))
    return false;
  if (one.words.front() == welcome)
    return true;
  over = true;
  if (one.words.front() == ourselves)
    events_.reached_self(one.id);
  else
    fail_one(one, one.where + " does not speak Paxtor's protocol");
  return false;
}

bool gate::advance(handshake& one) {
  if (one.connecting) {
    int code = 0;
    socklen_t size = sizeof(code);
    ::getsockopt(one.socket.fd(), SOL_SOCKET, SO_ERROR, &code, &size);
    if (code != 0) {
      fail_one(one, "cannot connect to " + one.where + ": " + errno_text(code));
      return true;
    }
    one.connecting = false;
    if (tls_) {
      one.socket.tls = make_tls_session(tls_.get(), one.socket.fd(), false);
      if (!one.socket.tls) {
        fail_one(one, "OpenSSL cannot make a session");
        return true;
      }
    }
  }
  auto over = false;
  if (!advance_tls(one, over) || !advance_words(one, over))
    return over;
  if (one.guardian.valid())
    events_.guardian(std::move(one.socket), one.guardian);
  else if (one.id == 0)
    events_.accepted(std::move(one.socket));
  else
    events_.dialed(one.id, std::move(one.socket));
  return true;
}

} // namespace paxtor::net
