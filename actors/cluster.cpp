#include <paxtor/cluster.hpp>

#include <utility>

#include <caf/exit_reason.hpp>
#include <caf/make_message.hpp>

#include "actors/door.hpp"

namespace paxtor {

namespace detail {

lock_request make_lock_request(const keys& what, const lock_options& options) {
  lock_request result;
  result.options = options;
  if (what.items().empty())
    result.problem = "no key: name at least one";
  for (const auto& one : what.items()) {
    if (!one.ok())
      result.problem = one.problem();
    result.keys.push_back(one.text());
  }
  return result;
}

put_request make_put_request(std::string bucket, const key& k, const nlohmann::json& value,
                             const put_options& options) {
  put_request result;
  result.bucket = std::move(bucket);
  result.key = k.text();
  result.problem = k.problem();
  result.options = options;
  try {
    // Canonical, as keys are: sorted by nlohmann's map, and compact. The bound is the registry's.
    result.value = value.dump();
  } catch (const nlohmann::json::exception& ex) {
    result.problem = std::string{"the value is not valid: "} + ex.what();
  }
  return result;
}

caf::error thrown(const char* what) {
  return caf::error{static_cast<std::uint8_t>(caf::exit_reason::unhandled_exception),
                    caf::atom("exit"), caf::make_message(std::string{what})};
}

} // namespace detail

caf::actor cluster::agent() const {
  return impl_ ? impl_->agent() : caf::actor{};
}

caf::actor_system* cluster::system() const {
  return impl_ ? impl_->system() : nullptr;
}

caf::strong_actor_ptr cluster::named(const key& k, const std::string& type, caf::message args,
                                     const name_options& options,
                                     std::set<std::string> interface) const {
  return impl_ ? impl_->named(k, type, args, options, interface) : nullptr;
}

std::string cluster::node_name() const {
  return impl_ ? impl_->name() : std::string{};
}

std::uint16_t cluster::port() const {
  return impl_ ? impl_->port() : std::uint16_t{0};
}

nlohmann::json cluster::status() const {
  return impl_ ? impl_->status() : nlohmann::json::object();
}

void cluster::leave() {
  if (impl_)
    impl_->leave();
}

caf::expected<cluster> join(caf::actor_system& sys, const caf::actor_system_config& cfg) {
  auto options = options_of(cfg);
  if (!options)
    return std::move(options.error());
  return join(sys, *options);
}

caf::expected<cluster> join(caf::actor_system& sys, const node_options& options) {
  auto node = detail::join_node(sys, options);
  if (!node)
    return std::move(node.error());
  return cluster{std::move(*node)};
}

} // namespace paxtor
