#pragma once

/// \file
/// Wires: connected sockets, plain or TLS, as CAF's broker takes them, and the table in which a
/// node finds those that are open, to cut one or all. CAF has no call for that, and closes a
/// connection to a silent peer late or never.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/io/scribe.hpp>

#include "net/tls.hpp"

namespace paxtor::net {

/// Bytes that wait for one slow peer. More: the wire is cut, for loss is what the protocol expects,
/// and memory is not.
inline constexpr std::size_t max_unsent_bytes = std::size_t{64} << 20;

/// A connected socket whose handshake is done. Owns it.
class channel {
public:
  channel() = default;
  explicit channel(int fd) : fd_(fd) {}
  channel(channel&& other) noexcept;
  channel& operator=(channel&& other) noexcept;
  ~channel();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] int release();

  tls_session tls;

private:
  int fd_ = -1;
};

/// All open wires of a node. Thread-safe. An entry lives exactly as long as its socket is open, so
/// a cut never hits another file's descriptor.
class wire_table {
public:
  std::uint64_t add(int fd, std::string address, std::uint16_t port);
  void remove(std::uint64_t id);

  /// Shuts the socket down: CAF sees its end, and drops all handles that it carried.
  void cut(std::uint64_t id);
  /// All wires to that remote address and port.
  void cut_peer(const std::string& address, std::uint16_t port);
  /// All, and every wire that is added from now on.
  void cut_all();

  [[nodiscard]] std::size_t size() const;

private:
  struct entry {
    int fd = -1;
    std::string address;
    std::uint16_t port = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::uint64_t, entry> entries_;
  std::uint64_t last_ = 0;
  bool closed_ = false;
};

/// What CAF's broker adopts. `id` is the wire's in the table.
struct wire {
  caf::io::scribe_ptr scribe;
  std::uint64_t id = 0;
};

[[nodiscard]] wire make_wire(caf::actor_system& sys, std::shared_ptr<wire_table> table,
                             channel from);

} // namespace paxtor::net
