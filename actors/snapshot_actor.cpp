#include "actors/snapshot_actor.hpp"

#include <exception>

#include <sys/resource.h>
#include <unistd.h>

#include "libpaxtor/cluster/replay.hpp"
#include "net/caf_compat.hpp"
#include "net/hub.hpp"
#include "net/log.hpp"

namespace paxtor::actors {

namespace {

/// How much nicer this thread is than the rest: on a busy machine it takes what they leave.
constexpr int niceness = 10;

} // namespace

caf::behavior snapshot_actor::make_behavior() {
  set_exception_handler([](std::exception_ptr& problem) -> caf::error {
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& e) {
      net::die("paxtor.snapshots", e.what());
    } catch (...) {
      net::die("paxtor.snapshots", "an exception without a name");
    }
  });
  set_error_handler([](caf::error&) {});
  // Linux keeps a niceness per thread. If it is refused, a snapshot costs the others more.
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness);
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
