#pragma once

/// \file
/// A voter as a guardian sees it: a thread of the test.

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/guardian/link.hpp"
#include "net/guardian/orders.hpp"
#include "net/guardian/tls.hpp"
#include "libpaxtor/cluster/frame.hpp"

namespace paxtor::test {

/// Takes one guardian after the other, and answers what it says as it is told to.
class fake_voter {
public:
  enum class manner { silent, not_leading, certifies };

  explicit fake_voter(manner how, guardian::tls_context tls = {})
      : how_(how),
        tls_(std::move(tls)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&here), sizeof(here)) == 0);
    REQUIRE(::listen(listener_, 5) == 0);
    socklen_t size = sizeof(here);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size);
    port_ = ntohs(here.sin_port);
    thread_ = std::thread{[this] { run(); }};
  }
  ~fake_voter() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  fake_voter(const fake_voter&) = delete;
  fake_voter& operator=(const fake_voter&) = delete;

  [[nodiscard]] guardian::voter_address address(const std::string& name) const {
    return {name, "127.0.0.1", port_};
  }
  void answer_with(manner how) { how_ = how; }
  [[nodiscard]] int heard() const { return heard_; }
  [[nodiscard]] registry::certify_end proof() const {
    const std::lock_guard guard{mutex_};
    return proof_;
  }

private:
  bool wait_for(int fd) const {
    while (!stop_) {
      pollfd ready{fd, POLLIN, 0};
      if (::poll(&ready, 1, 10) > 0)
        return true;
    }
    return false;
  }

  std::size_t read_some(int fd, SSL* tls, char* to, std::size_t size) const {
    while (!stop_) {
      std::size_t got = 0;
      if (tls != nullptr) {
        if (guardian::tls_read(tls, to, size, got) == guardian::tls_io::closed)
          return 0;
      } else if (const auto n = ::recv(fd, to, size, MSG_DONTWAIT); n == 0) {
        return 0;
      } else {
        got = n > 0 ? static_cast<std::size_t>(n) : 0;
      }
      if (got > 0)
        return got;
      (void)wait_for(fd);
    }
    return 0;
  }

  void write_all(int fd, SSL* tls, const std::string& bytes) const {
    std::size_t sent = 0;
    if (tls != nullptr)
      (void)guardian::tls_write(tls, bytes.data(), bytes.size(), sent);
    else
      (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  void run() {
    guardian::block_sigpipe();
    while (wait_for(listener_)) {
      const auto fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0)
        continue;
      serve(fd);
      ::close(fd);
    }
  }

  void serve(int fd) {
    guardian::tls_session session;
    if (tls_) {
      session = guardian::make_tls_session(tls_.get(), fd, true);
      std::string why;
      for (;;) {
        const auto step = guardian::tls_handshake(session.get(), why);
        if (step == guardian::tls_step::done)
          break;
        if (step == guardian::tls_step::failed || !wait_for(fd))
          return;
      }
    }
    char buffer[4096];
    std::string words;
    while (words.size() < guardian::words_bytes) {
      const auto got = read_some(fd, session.get(), buffer, guardian::words_bytes - words.size());
      if (got == 0)
        return;
      words.append(buffer, got);
    }
    write_all(fd, session.get(), std::string(1, guardian::welcome));
    guardian::frame_reader reader;
    while (const auto got = read_some(fd, session.get(), buffer, sizeof(buffer))) {
      reader.add({buffer, got});
      std::string bytes;
      while (reader.next(bytes) == guardian::frame_reader::outcome::frame)
        reply(fd, session.get(), bytes);
    }
  }

  void reply(int fd, SSL* tls, const std::string& bytes) {
    cluster::frame decoded;
    if (cluster::decode_frame(bytes, decoded) != cluster::frame_error::none)
      return;
    const auto& frame = std::get<cluster::node_frame>(decoded);
    const auto& proof = std::get<cluster::certify>(frame.what).proof;
    {
      const std::lock_guard guard{mutex_};
      proof_ = proof;
    }
    ++heard_;
    cluster::voter_frame answer{cluster_id{1}, voter_id{1}, frame.from, {}};
    switch (how_.load()) {
      case manner::silent:
        return;
      case manner::not_leading:
        answer.what = cluster::not_leading{};
        break;
      case manner::certifies:
        answer.what = cluster::certified{proof.node, {}, 1, {}};
        break;
    }
    write_all(fd, tls, guardian::framed(cluster::encode_frame(answer)));
  }

  std::atomic<manner> how_;
  guardian::tls_context tls_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int> heard_ = 0;
  mutable std::mutex mutex_;
  registry::certify_end proof_;
  std::thread thread_;
};

} // namespace paxtor::test
