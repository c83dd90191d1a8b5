#include "net/hub.hpp"

#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

#include "net/caf_compat.hpp"
#include "net/hub_actor.hpp"
#include "net/log.hpp"
#include "net/tls.hpp"

namespace paxtor::net {

caf::error check_tls(const caf::actor_system_config& cfg) {
  std::string why;
  if (!wants_tls(cfg) || make_tls_context(cfg, why))
    return {};
  return fail(errc::cannot_open, why);
}

caf::actor spawn_hub(caf::actor_system& sys, std::shared_ptr<peers> book, hub_options options) {
  tls_context tls;
  if (wants_tls(sys.config())) {
    std::string why;
    tls = make_tls_context(sys.config(), why);
    if (!tls) {
      log(level::error, why);
      return {};
    }
  }
  auto broker = sys.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  return spawn_own_thread<hub_actor>(sys, std::move(book), std::move(options), std::move(tls),
                                     std::move(broker));
}

caf::expected<std::uint16_t> listen(caf::actor_system&, const caf::actor& hub,
                                    const endpoint& where) {
  auto inside = dynamic_cast<hub_actor*>(caf::actor_cast<caf::abstract_actor*>(hub));
  if (inside == nullptr)
    return fail(errc::cannot_open, "there is no hub to listen with");
  std::string why;
  if (!inside->open_port(where, why))
    return fail(errc::cannot_open, why);
  return inside->port();
}

} // namespace paxtor::net
