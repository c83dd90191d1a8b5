#include "net/tls.hpp"

#include <caf/actor_system_config.hpp>

namespace paxtor::net {

guardian::tls_files tls_files_of(const caf::actor_system_config& cfg) {
  return {cfg.openssl_certificate, cfg.openssl_key, cfg.openssl_passphrase, cfg.openssl_cafile};
}

bool wants_tls(const caf::actor_system_config& cfg) {
  return !tls_files_of(cfg).empty();
}

tls_context make_tls_context(const caf::actor_system_config& cfg, std::string& why) {
  return guardian::make_tls_context(tls_files_of(cfg), why);
}

} // namespace paxtor::net
