#include "net/guardian/voter_link.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace paxtor::guardian {

namespace {

/// Attempts follow each other at most this far apart once the ward has ended.
constexpr std::chrono::milliseconds hurried_max{250};

void set_flag(int fd, int family, int name, int value) {
  ::setsockopt(fd, family, name, &value, sizeof(value));
}

std::string errno_text(int code) {
  char buffer[128];
  return ::strerror_r(code, buffer, sizeof(buffer));
}

} // namespace

voter_link::voter_link(voter_address where, std::uint64_t own_id, tls_context tls, generator random)
    : where_(std::move(where)), own_id_(own_id), context_(std::move(tls)), random_(random) {}

voter_link::voter_link(voter_link&& other) noexcept
    : where_(std::move(other.where_)),
      own_id_(other.own_id_),
      context_(std::move(other.context_)),
      random_(other.random_),
      session_(std::move(other.session_)),
      fd_(std::exchange(other.fd_, -1)),
      at_(other.at_),
      want_write_(other.want_write_),
      unsent_(std::move(other.unsent_)),
      heard_(std::move(other.heard_)),
      hurried_(other.hurried_),
      backoff_(other.backoff_),
      due_(other.due_),
      asked_at_(other.asked_at_),
      refused_since_(other.refused_since_),
      failed_(other.failed_),
      problem_(std::move(other.problem_)),
      last_problem_(std::move(other.last_problem_)) {}

voter_link::~voter_link() {
  hang_up();
}

void voter_link::hang_up() {
  session_.reset();
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

pollfd voter_link::wants() const {
  return {fd_, static_cast<short>(want_write_ ? POLLOUT | POLLIN : POLLIN), 0};
}

std::optional<clock::time_point> voter_link::due() const {
  return linked() ? std::nullopt : std::optional{due_};
}

void voter_link::fail(clock::time_point now, const std::string& why) {
  hang_up();
  at_ = phase::waiting;
  want_write_ = false;
  unsent_.clear();
  heard_ = {};
  asked_at_.reset();
  refused_since_.reset();
  failed_ = true;
  // The same once only: a voter may be away for days.
  if (why != last_problem_)
    problem_ = last_problem_ = why;
  backoff_ = std::clamp(backoff_ * 2, redial_min, hurried_ ? hurried_max : redial_max);
  const auto half = static_cast<std::uint64_t>(backoff_.count()) / 2;
  due_ = now + std::chrono::milliseconds{half + random_.below(half + 1)};
}

void voter_link::cannot_connect(clock::time_point now, int code) {
  const auto since = refused_since_.value_or(now);
  fail(now, "cannot connect: " + errno_text(code));
  if (code == ECONNREFUSED)
    refused_since_ = since;
}

bool voter_link::take_failure(std::string& why) {
  why = std::exchange(problem_, {});
  return std::exchange(failed_, false);
}

void voter_link::hurry(clock::time_point now) {
  hurried_ = true;
  if (at_ == phase::waiting) {
    backoff_ = {};
    due_ = now;
  }
}

void voter_link::dial(clock::time_point now) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (::getaddrinfo(where_.host.c_str(), std::to_string(where_.port).c_str(), &hints, &list) != 0)
    return fail(now, "'" + where_.host + "' is no address in numbers");
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found{list, ::freeaddrinfo};
  fd_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0)
    return fail(now, "cannot open a socket: " + errno_text(errno));
  set_flag(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  // The kernel's own timers see a host that is gone; this process sleeps.
  set_flag(fd_, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_flag(fd_, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set_flag(fd_, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set_flag(fd_, IPPROTO_TCP, TCP_KEEPCNT, 3);
  if (::connect(fd_, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS)
    return cannot_connect(now, errno);
  at_ = phase::connecting;
  want_write_ = true;
  due_ = now + dial_timeout;
}

void voter_link::look(clock::time_point now, bool ready) {
  if (at_ == phase::waiting) {
    if (now >= due_)
      dial(now);
    return;
  }
  if (ready)
    while (advance(now))
      ;
  if (at_ != phase::waiting && !linked() && now >= due_)
    fail(now, "no answer in time");
}

bool voter_link::advance(clock::time_point now) {
  switch (at_) {
    case phase::waiting:
      return false;
    case phase::connecting:
      return connected(now);
    case phase::securing:
      return secured(now);
    case phase::greeting:
      flush(now);
      if (at_ != phase::greeting || !unsent_.empty())
        return false;
      at_ = phase::judged;
      return true;
    case phase::judged: {
      char verdict = 0;
      std::size_t got = 0;
      const auto outcome = receive(&verdict, 1, got);
      if (outcome == io::closed)
        fail(now, "turned away: does it run the same version, with TLS as we do?");
      if (outcome != io::moved)
        return false;
      if (verdict != welcome) {
        fail(now, verdict == no_voter ? "it is no voter now" : "it does not speak our protocol");
        return false;
      }
      at_ = phase::linked;
      backoff_ = {};
      last_problem_.clear();
      problem_.clear();
      return true;
    }
    case phase::linked:
      flush(now);
      if (linked())
        listen(now);
      return false;
  }
  return false;
}

bool voter_link::connected(clock::time_point now) {
  int code = 0;
  socklen_t size = sizeof(code);
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &size);
  if (code != 0) {
    cannot_connect(now, code);
    return false;
  }
  refused_since_.reset();
  unsent_ = words_of(guardian_preamble, own_id_);
  at_ = phase::greeting;
  if (context_) {
    session_ = make_tls_session(context_.get(), fd_, false);
    if (!session_) {
      fail(now, "OpenSSL cannot make a session");
      return false;
    }
    at_ = phase::securing;
  }
  return true;
}

bool voter_link::secured(clock::time_point now) {
  std::string why;
  switch (tls_handshake(session_.get(), why)) {
    case tls_step::done:
      at_ = phase::greeting;
      return true;
    case tls_step::want_read:
      want_write_ = false;
      return false;
    case tls_step::want_write:
      want_write_ = true;
      return false;
    case tls_step::failed:
      fail(now, "no TLS: " + why);
      return false;
  }
  return false;
}

auto voter_link::receive(char* to, std::size_t size, std::size_t& got) -> io {
  got = 0;
  if (session_) {
    const auto outcome = tls_read(session_.get(), to, size, got);
    return outcome == tls_io::closed ? io::closed : got > 0 ? io::moved : io::again;
  }
  const auto n = ::recv(fd_, to, size, 0);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
    return io::closed;
  got = n > 0 ? static_cast<std::size_t>(n) : 0;
  return n > 0 ? io::moved : io::again;
}

auto voter_link::transmit(const char* from, std::size_t size, std::size_t& sent) -> io {
  sent = 0;
  if (session_) {
    const auto outcome = tls_write(session_.get(), from, size, sent);
    return outcome == tls_io::closed ? io::closed : sent > 0 ? io::moved : io::again;
  }
  const auto n = ::send(fd_, from, size, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR)
    return io::closed;
  sent = n > 0 ? static_cast<std::size_t>(n) : 0;
  return n > 0 ? io::moved : io::again;
}

void voter_link::flush(clock::time_point now) {
  while (!unsent_.empty()) {
    std::size_t sent = 0;
    const auto outcome = transmit(unsent_.data(), unsent_.size(), sent);
    if (outcome == io::closed)
      return fail(now, "the link was closed");
    if (outcome == io::again)
      break;
    unsent_.erase(0, sent);
  }
  want_write_ = !unsent_.empty();
}

void voter_link::listen(clock::time_point now) {
  char buffer[4096];
  for (;;) {
    std::size_t got = 0;
    const auto outcome = receive(buffer, sizeof(buffer), got);
    if (outcome == io::closed)
      return fail(now, "the link was closed");
    if (outcome == io::again)
      return;
    heard_.add({buffer, got});
    if (heard_.size() > 2 * max_link_frame)
      return fail(now, "it says more than it was asked");
  }
}

void voter_link::say(const std::string& frame) {
  const auto now = clock::now();
  if (linked() && asked_at_ && now - *asked_at_ > dial_timeout)
    return fail(now, "no answer in time");
  if (!linked() || !unsent_.empty())
    return;
  unsent_ = framed(frame);
  asked_at_ = asked_at_.value_or(now);
  flush(now);
}

std::optional<std::string> voter_link::hear() {
  std::string frame;
  switch (heard_.next(frame)) {
    case frame_reader::outcome::frame:
      asked_at_.reset();
      return frame;
    case frame_reader::outcome::none:
      return std::nullopt;
    case frame_reader::outcome::too_long:
      fail(clock::now(), "it sent a frame that is too long");
      return std::nullopt;
  }
  return std::nullopt;
}

} // namespace paxtor::guardian
