#include "net/modules.hpp"

#include <cstddef>

#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>

namespace paxtor::net {

void load_middleman(caf::actor_system_config& cfg) {
  cfg.set("middleman.workers", std::size_t{0});
  cfg.load<caf::io::middleman>();
}

} // namespace paxtor::net
