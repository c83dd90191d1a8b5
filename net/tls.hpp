#pragma once

/// \file
/// TLS as net/ uses it: the files come from CAF's config. The handshake is done before CAF sees the
/// socket (gate.hpp), so a stranger's bytes never reach CAF's parser.

#include <string>

#include <caf/fwd.hpp>

#include "net/guardian/tls.hpp"

namespace paxtor::net {

using guardian::block_sigpipe;
using guardian::make_tls_session;
using guardian::tls_context;
using guardian::tls_handshake;
using guardian::tls_io;
using guardian::tls_read;
using guardian::tls_session;
using guardian::tls_step;
using guardian::tls_write;

/// True if the config names certificates (openssl_certificate, openssl_key, openssl_cafile).
[[nodiscard]] bool wants_tls(const caf::actor_system_config& cfg);

[[nodiscard]] guardian::tls_files tls_files_of(const caf::actor_system_config& cfg);

/// Null with `why` (which file, and what is wrong) if they cannot be used.
[[nodiscard]] tls_context make_tls_context(const caf::actor_system_config& cfg, std::string& why);

} // namespace paxtor::net
