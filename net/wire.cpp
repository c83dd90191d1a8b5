#include "net/wire.hpp"

#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/native_socket.hpp>
#include <caf/io/network/scribe_impl.hpp>
#include <caf/io/network/stream_impl.hpp>
#include <caf/make_counted.hpp>

namespace paxtor::net {

namespace {

namespace nw = caf::io::network;

/// The wire's place in the table: gone before the socket is closed.
class ticket {
public:
  ticket(std::shared_ptr<wire_table> table, int fd) : table_(std::move(table)) {
    auto address = nw::remote_addr_of_fd(fd);
    auto port = nw::remote_port_of_fd(fd);
    id_ = table_->add(fd, address ? *address : std::string{}, port ? *port : std::uint16_t{0});
  }
  ticket(const ticket&) = delete;
  ticket& operator=(const ticket&) = delete;
  ~ticket() { table_->remove(id_); }

  [[nodiscard]] std::uint64_t id() const { return id_; }

  /// Called by CAF before each message that it writes, in its I/O thread.
  std::vector<char>& bounded(std::vector<char>& unsent) {
    if (unsent.size() > max_unsent_bytes)
      table_->cut(id_);
    return unsent;
  }

private:
  std::shared_ptr<wire_table> table_;
  std::uint64_t id_ = 0;
};

class plain_scribe final : public nw::scribe_impl {
public:
  plain_scribe(nw::default_multiplexer& loop, int fd, std::shared_ptr<wire_table> table)
      : nw::scribe_impl(loop, fd), ticket_(std::move(table), fd) {}

  std::vector<char>& wr_buf() override { return ticket_.bounded(nw::scribe_impl::wr_buf()); }

  [[nodiscard]] std::uint64_t id() const { return ticket_.id(); }

private:
  ticket ticket_;
};

/// How CAF's stream reads and writes a TLS session whose handshake is done.
class tls_policy {
public:
  explicit tls_policy(tls_session session) : session_(std::move(session)) {}

  nw::rw_state read_some(std::size_t& moved, nw::native_socket, void* buffer, std::size_t size) {
    block_sigpipe();
    return state_of(tls_read(session_.get(), buffer, size, moved), moved);
  }

  nw::rw_state write_some(std::size_t& moved, nw::native_socket, const void* buffer,
                          std::size_t size) {
    block_sigpipe();
    moved = 0;
    if (size == 0)
      return nw::rw_state::indeterminate;
    return state_of(tls_write(session_.get(), buffer, size, moved), moved);
  }

  bool must_read_more(nw::native_socket, std::size_t threshold) {
    return static_cast<std::size_t>(SSL_pending(session_.get())) >= threshold;
  }

private:
  // `success` with nothing moved means "ask again when the socket is ready".
  static nw::rw_state state_of(tls_io outcome, std::size_t& moved) {
    switch (outcome) {
      case tls_io::moved:
        return nw::rw_state::success;
      case tls_io::again:
        moved = 0;
        return nw::rw_state::success;
      case tls_io::closed:
        return nw::rw_state::failure;
    }
    return nw::rw_state::failure;
  }

  tls_session session_;
};

class tls_scribe final : public caf::io::scribe {
public:
  tls_scribe(nw::default_multiplexer& loop, int fd, tls_session session,
             std::shared_ptr<wire_table> table)
      : scribe(nw::conn_hdl_from_socket(fd)),
        stream_(loop, fd, std::move(session)),
        ticket_(std::move(table), fd) {}

  void configure_read(caf::io::receive_policy::config config) override {
    stream_.configure_read(config);
    if (!launched_) {
      launched_ = true;
      stream_.start(this);
    }
  }

  void ack_writes(bool enable) override { stream_.ack_writes(enable); }
  std::vector<char>& wr_buf() override { return ticket_.bounded(stream_.wr_buf()); }
  std::vector<char>& rd_buf() override { return stream_.rd_buf(); }
  void flush() override { stream_.flush(this); }
  void add_to_loop() override { stream_.activate(this); }
  void remove_from_loop() override { stream_.passivate(); }

  void graceful_shutdown() override {
    stream_.graceful_shutdown();
    detach(&stream_.backend(), false);
  }

  std::string addr() const override {
    auto x = nw::remote_addr_of_fd(stream_.fd());
    return x ? *x : std::string{};
  }

  std::uint16_t port() const override {
    auto x = nw::remote_port_of_fd(stream_.fd());
    return x ? *x : std::uint16_t{0};
  }

  [[nodiscard]] std::uint64_t id() const { return ticket_.id(); }

private:
  bool launched_ = false;
  // Declared in this order: the ticket goes before the stream closes the socket.
  nw::stream_impl<tls_policy> stream_;
  ticket ticket_;
};

} // namespace

channel::channel(channel&& other) noexcept
    : tls(std::move(other.tls)), fd_(std::exchange(other.fd_, -1)) {}

channel& channel::operator=(channel&& other) noexcept {
  std::swap(tls, other.tls);
  std::swap(fd_, other.fd_);
  return *this;
}

channel::~channel() {
  tls.reset();
  if (fd_ >= 0)
    ::close(fd_);
}

int channel::release() {
  return std::exchange(fd_, -1);
}

std::uint64_t wire_table::add(int fd, std::string address, std::uint16_t port) {
  std::lock_guard guard{mutex_};
  entries_.emplace(++last_, entry{fd, std::move(address), port});
  if (closed_)
    ::shutdown(fd, SHUT_RDWR);
  return last_;
}

void wire_table::remove(std::uint64_t id) {
  std::lock_guard guard{mutex_};
  entries_.erase(id);
}

void wire_table::cut(std::uint64_t id) {
  std::lock_guard guard{mutex_};
  if (auto i = entries_.find(id); i != entries_.end())
    ::shutdown(i->second.fd, SHUT_RDWR);
}

void wire_table::cut_peer(const std::string& address, std::uint16_t port) {
  std::lock_guard guard{mutex_};
  for (const auto& [id, one] : entries_)
    if (one.port == port && one.address == address)
      ::shutdown(one.fd, SHUT_RDWR);
}

void wire_table::cut_all() {
  std::lock_guard guard{mutex_};
  closed_ = true;
  for (const auto& [id, one] : entries_)
    ::shutdown(one.fd, SHUT_RDWR);
}

std::size_t wire_table::size() const {
  std::lock_guard guard{mutex_};
  return entries_.size();
}

wire make_wire(caf::actor_system& sys, std::shared_ptr<wire_table> table, channel from) {
  // The only multiplexer that CAF 0.17 has in production.
  auto& loop = static_cast<nw::default_multiplexer&>(sys.middleman().backend());
  auto tls = std::move(from.tls);
  auto fd = from.release();
  if (tls) {
    auto made = caf::make_counted<tls_scribe>(loop, fd, std::move(tls), std::move(table));
    auto id = made->id();
    return {std::move(made), id};
  }
  auto made = caf::make_counted<plain_scribe>(loop, fd, std::move(table));
  auto id = made->id();
  return {std::move(made), id};
}

} // namespace paxtor::net
