#pragma once

#include <memory>
#include <vector>

#include "actors/role_messages.hpp"
#include "libpaxtor/paxos/output.hpp"
#include "net/peers.hpp"

namespace paxtor::actors {

/// Where a role's messages leave: to other voters as frames, to own roles as local messages. May be
/// used by any thread, while it is not changed.
class outbox {
public:
  outbox() = default;
  outbox(voter_id self, cluster_id cluster, colleagues own, std::shared_ptr<net::peers> book);

  /// To other voters as one frame each, encoded once; to own roles as a local message.
  void send(std::vector<paxos::outgoing> all) const;

private:
  [[nodiscard]] const caf::actor& own(paxos::role role) const;

  voter_id self_;
  cluster_id cluster_;
  colleagues own_;
  std::shared_ptr<net::peers> book_;
};

} // namespace paxtor::actors
