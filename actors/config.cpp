#include <paxtor/config.hpp>

#include <caf/settings.hpp>

#include <paxtor/error.hpp>

#include "actors/module.hpp"
#include "actors/option_table.hpp"
#include "net/modules.hpp"

namespace paxtor {

namespace detail {

void add_error_renderer(caf::actor_system_config& cfg);

namespace {

/// `load` may be called twice, by a base class and a derived one: only the first adds options and
/// modules.
bool loaded(const caf::actor_system_config& cfg) {
  return cfg.error_renderers.count(caf::atom("paxtor")) != 0;
}

template <class T>
void put_default(caf::actor_system_config& cfg, const char* name, const T& value, const T& usual) {
  if (value != usual)
    caf::put(cfg.content, name, value);
}

} // namespace

} // namespace detail

void load(caf::actor_system_config& cfg) {
  if (detail::loaded(cfg))
    return;
  detail::add_error_renderer(cfg);
  detail::add_options(cfg);
  net::load_middleman(cfg);
  cfg.load<actors::module>();
}

void load(caf::actor_system_config& cfg, const node_options& defaults) {
  load(cfg);
  const node_options usual;
  detail::put_default(cfg, "paxtor.cluster", defaults.cluster, usual.cluster);
  detail::put_default(cfg, "paxtor.name", defaults.name, usual.name);
  detail::put_default(cfg, "paxtor.listen", defaults.listen, usual.listen);
  detail::put_default(cfg, "paxtor.advertise", defaults.advertise, usual.advertise);
  detail::put_default(cfg, "paxtor.voters", defaults.voters, usual.voters);
  detail::put_default(cfg, "paxtor.labels", defaults.labels, usual.labels);
  if (defaults.capacity != usual.capacity)
    caf::put(cfg.content, "paxtor.capacity",
             static_cast<caf::config_value::integer>(defaults.capacity));
  if (defaults.ttl != usual.ttl)
    caf::put(cfg.content, "paxtor.ttl", caf::timespan{defaults.ttl});
  if (defaults.join_timeout != usual.join_timeout)
    caf::put(cfg.content, "paxtor.join-timeout", caf::timespan{defaults.join_timeout});
  detail::put_default(cfg, "paxtor.tls-certificate", defaults.tls_certificate,
                      usual.tls_certificate);
  detail::put_default(cfg, "paxtor.tls-key", defaults.tls_key, usual.tls_key);
  detail::put_default(cfg, "paxtor.tls-ca", defaults.tls_ca, usual.tls_ca);
  detail::put_default(cfg, "paxtor.insecure", defaults.insecure, usual.insecure);
  detail::put_default(cfg, "paxtor.data-dir", defaults.data_dir, usual.data_dir);
  detail::put_default(cfg, "paxtor.guardian", defaults.guardian, usual.guardian);
  detail::put_default(cfg, "paxtor.guardian-program", defaults.guardian_program,
                      usual.guardian_program);
  detail::put_default(cfg, "paxtor.log-level", defaults.log_level, usual.log_level);
}

caf::expected<node_options> options_of(const caf::actor_system_config& cfg) {
  return detail::read_options(caf::content(cfg), {});
}

} // namespace paxtor
