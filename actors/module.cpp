#include "actors/module.hpp"

#include <paxtor/error.hpp>

#include "actors/log.hpp"

namespace paxtor::actors {

namespace {

constexpr auto settings_key = caf::atom("paxtor");

} // namespace

caf::actor_system::module* module::make(caf::actor_system& sys, caf::detail::type_list<>) {
  return new module(sys);
}

module::module(caf::actor_system& sys) :sys_(sys), unit_(&sys) {}

module::~module() = default;

void module::init(caf::actor_system_config& cfg) {
  cfg_ = &cfg;
  sys_.runtime_settings().set(settings_key, static_cast<void*>(this));
}

void module::start() {}

void module::stop() {
  sys_.runtime_settings().erase(settings_key);
  std::shared_ptr<node> last;
  {
    std::lock_guard guard{mutex_};
    last.swap(node_);
  }
  if (last)
    last->stop();
}

module* module::of(caf::actor_system& sys) {
  const auto value = sys.runtime_settings().get(settings_key);
  if (const auto* ptr = caf::get_if<void*>(&value))
    return static_cast<module*>(*ptr);
  return nullptr;
}

void module::use_certificates(const node_options& options) {
  if (options.tls_certificate.empty())
    return;
  cfg_->openssl_certificate = options.tls_certificate;
  cfg_->openssl_key = options.tls_key;
  cfg_->openssl_cafile = options.tls_ca;
}

caf::expected<std::shared_ptr<node>> module::join(const plan& what) {
  std::lock_guard guard{mutex_};
  if (node_ && !node_->leaving())
    return make_error(errc::invalid, "this actor system has joined as '" + node_->name()
                                       + "' already: use that cluster, or leave() it first");
  // What is left of an earlier stay; its owners have ended, or will be ended by the watchdog.
  if (node_)
    node_->stop();
  node_.reset();
  if (severity level{}; parse(what.options.log_level, level))
    set_level(level);
  use_certificates(what.options);
  auto made = node::join(sys_, what, &unit_);
  if (made)
    node_ = *made;
  return made;
}

} // namespace paxtor::actors

namespace paxtor::detail {

node::~node() = default;

caf::expected<std::shared_ptr<node>> join_node(caf::actor_system& sys,
                                               const node_options& options) {
  auto* home = actors::module::of(sys);
  if (home == nullptr)
    return make_error(errc::invalid, "the actor system does not know Paxtor: call "
                                     "paxtor::load(*this) in your config's constructor");
  auto plan = actors::make_plan(options);
  if (!plan)
    return std::move(plan.error());
  auto made = home->join(*plan);
  if (!made)
    return std::move(made.error());
  return std::shared_ptr<node>{std::move(*made)};
}

} // namespace paxtor::detail
