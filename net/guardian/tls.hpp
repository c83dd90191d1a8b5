#pragma once

/// \file
/// TLS with certificates on both sides: one context per process, one session per connection, on
/// sockets that never block.

#include <cstdint>
#include <memory>
#include <string>

#include <openssl/ssl.h>

namespace paxtor::guardian {

using tls_context = std::shared_ptr<SSL_CTX>;

struct tls_session_deleter {
  void operator()(SSL* session) const { SSL_free(session); }
};
using tls_session = std::unique_ptr<SSL, tls_session_deleter>;

/// PEM files: a certificate, its key, and the CA's certificate. All three, or none: plain TCP.
struct tls_files {
  std::string certificate;
  std::string key;
  std::string passphrase;
  std::string ca;

  [[nodiscard]] bool empty() const { return certificate.empty() && key.empty() && ca.empty(); }
};

/// Null with `why` (which file, and what is wrong) if they cannot be used. Reads the files once:
/// new ones need a restart.
[[nodiscard]] tls_context make_tls_context(const tls_files& files, std::string& why);

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

} // namespace paxtor::guardian
