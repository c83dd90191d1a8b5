#pragma once

/// \file
/// TLS with certificates on both sides: one context per node, one session per connection. The
/// handshake is done before CAF sees the socket (gate.hpp), so a stranger's bytes never reach CAF's
/// parser.

#include <cstdint>
#include <memory>
#include <string>

#include <openssl/ssl.h>

#include <caf/fwd.hpp>

namespace paxtor::net {

using tls_context = std::shared_ptr<SSL_CTX>;

struct tls_session_deleter {
  void operator()(SSL* session) const { SSL_free(session); }
};
using tls_session = std::unique_ptr<SSL, tls_session_deleter>;

/// True if the config names certificates (openssl_certificate, openssl_key, openssl_cafile).
[[nodiscard]] bool wants_tls(const caf::actor_system_config& cfg);

/// Null with `why` (which file, and what is wrong) if they cannot be used. Reads the files once:
/// new ones need a restart.
[[nodiscard]] tls_context make_tls_context(const caf::actor_system_config& cfg, std::string& why);

/// A session on a connected, non-blocking socket.
[[nodiscard]] tls_session make_tls_session(SSL_CTX* context, int fd, bool accepted);

enum class tls_step : std::uint8_t { done, want_read, want_write, failed };

/// Goes on with the handshake. `why` is set on failure.
[[nodiscard]] tls_step tls_handshake(SSL* session, std::string& why);

enum class tls_io : std::uint8_t { moved, again, closed };

/// Like recv and send on a non-blocking socket.
[[nodiscard]] tls_io tls_read(SSL* session, void* buffer, std::size_t size, std::size_t& moved);
[[nodiscard]] tls_io tls_write(SSL* session, const void* buffer, std::size_t size,
                               std::size_t& moved);

/// OpenSSL writes with write(2): the calling thread must not be killed by SIGPIPE. Idempotent and
/// cheap.
void block_sigpipe();

} // namespace paxtor::net
