#include "actors/snapshot_actor.hpp"

#include <exception>

#include "libpaxtor/cluster/replay.hpp"
#include "net/caf_compat.hpp"
#include "net/hub.hpp"
#include "net/log.hpp"

namespace paxtor::actors {

caf::behavior snapshot_actor::make_behavior() {
  set_exception_handler(
    [](std::exception_ptr& problem) -> caf::error { net::die("paxtor.snapshots", problem); });
  set_error_handler([](caf::error&) {});
  // Its thread is no nicer than the others: on a busy machine it would fall behind for ever, since
  // the longer a snapshot takes the longer is the log that the next one must go through.
  return {
    [this](const snapshot_order& order) {
      auto image = cluster::make_image(*order.task, [this] { return net::mailbox_drained(this); });
      if (image)
        send(caf::actor_cast<caf::actor>(current_sender()),
             snapshot_image{order.task->upto, std::move(*image)});
    },
    [this](net::stop_atom) { quit(); },
  };
}

} // namespace paxtor::actors
