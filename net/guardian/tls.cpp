#include "net/guardian/tls.hpp"

#include <algorithm>
#include <climits>
#include <csignal>

#include <openssl/err.h>

namespace paxtor::guardian {

namespace {

std::string last_tls_error() {
  std::string result;
  while (auto code = ERR_get_error()) {
    char text[256];
    ERR_error_string_n(code, text, sizeof(text));
    if (result.empty())
      result = text;
  }
  return result.empty() ? "the other side closed the connection" : result;
}

tls_io outcome(SSL* session, int result) {
  switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return tls_io::again;
    default:
      ERR_clear_error();
      return tls_io::closed;
  }
}

} // namespace

tls_context make_tls_context(const tls_files& files, std::string& why) {
  if (files.certificate.empty() || files.key.empty() || files.ca.empty()) {
    why = "TLS needs a certificate, its key and the CA's certificate: give all three files";
    return nullptr;
  }
  tls_context context{SSL_CTX_new(TLS_method()), SSL_CTX_free};
  if (!context) {
    why = "OpenSSL cannot make a context: " + last_tls_error();
    return nullptr;
  }
  auto ctx = context.get();
  if (!files.passphrase.empty()) {
    SSL_CTX_set_default_passwd_cb(ctx, [](char* out, int size, int, void* data) {
      const auto& text = *static_cast<const std::string*>(data);
      return static_cast<int>(text.copy(out, static_cast<std::size_t>(size)));
    });
    SSL_CTX_set_default_passwd_cb_userdata(ctx, const_cast<std::string*>(&files.passphrase));
  }
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(ctx, files.certificate.c_str()) != 1) {
    why = "cannot use the certificate " + files.certificate + ": " + last_tls_error();
    return nullptr;
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    why = "cannot use the key " + files.key + ": " + last_tls_error();
    return nullptr;
  }
  if (SSL_CTX_check_private_key(ctx) != 1) {
    why = "the key " + files.key + " does not belong to the certificate " + files.certificate;
    return nullptr;
  }
  if (SSL_CTX_load_verify_locations(ctx, files.ca.c_str(), nullptr) != 1) {
    why = "cannot use the CA's certificate " + files.ca + ": " + last_tls_error();
    return nullptr;
  }
  // The passphrase is the caller's: nothing looks at it any more.
  SSL_CTX_set_default_passwd_cb(ctx, nullptr);
  SSL_CTX_set_default_passwd_cb_userdata(ctx, nullptr);
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  // Both sides show a certificate of the CA; names in certificates are not compared with addresses.
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(ctx, 0);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

tls_session make_tls_session(SSL_CTX* context, int fd, bool accepted) {
  tls_session session{SSL_new(context)};
  if (!session || SSL_set_fd(session.get(), fd) != 1)
    return nullptr;
  if (accepted)
    SSL_set_accept_state(session.get());
  else
    SSL_set_connect_state(session.get());
  return session;
}

tls_step tls_handshake(SSL* session, std::string& why) {
  ERR_clear_error();
  auto result = SSL_do_handshake(session);
  if (result == 1)
    return tls_step::done;
  switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ:
      return tls_step::want_read;
    case SSL_ERROR_WANT_WRITE:
      return tls_step::want_write;
    default:
      why = last_tls_error();
      return tls_step::failed;
  }
}

tls_io tls_read(SSL* session, void* buffer, std::size_t size, std::size_t& moved) {
  moved = 0;
  ERR_clear_error();
  auto result = SSL_read(session, buffer, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
  if (result <= 0)
    return outcome(session, result);
  moved = static_cast<std::size_t>(result);
  return tls_io::moved;
}

tls_io tls_write(SSL* session, const void* buffer, std::size_t size, std::size_t& moved) {
  moved = 0;
  ERR_clear_error();
  auto result = SSL_write(session, buffer, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
  if (result <= 0)
    return outcome(session, result);
  moved = static_cast<std::size_t>(result);
  return tls_io::moved;
}

void block_sigpipe() {
  thread_local bool done = false;
  if (done)
    return;
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &mask, nullptr);
  done = true;
}

} // namespace paxtor::guardian
