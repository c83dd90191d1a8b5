#include "net/modules.hpp"

#include <cstddef>

#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>

namespace paxtor::net {

void load_middleman(caf::actor_system_config& cfg) {
#ifndef PAXTOR_CANARY_MIDDLEMAN_HAS_WORKERS
  cfg.set("middleman.workers", std::size_t{0});
#endif
  cfg.load<caf::io::middleman>();
}

} // namespace paxtor::net
