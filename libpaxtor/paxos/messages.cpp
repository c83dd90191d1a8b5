#include "libpaxtor/paxos/messages.hpp"

#include "libpaxtor/paxos/visit.hpp"

namespace paxtor::paxos {

bool is_local(const message& what) {
  return std::visit(
    overloaded{
      [](const prevote_request&) { return false; }, [](const prevote_reply&) { return false; },
      [](const prepare&) { return false; },         [](const promise&) { return false; },
      [](const rejected&) { return false; },        [](const accept&) { return false; },
      [](const accepted&) { return false; },        [](const heartbeat&) { return false; },
      [](const heartbeat_reply&) { return false; }, [](const learn&) { return false; },
      [](const learned_values&) { return false; },  [](const snapshot_chunk&) { return false; },
      [](const learn_snapshot&) { return false; },  [](const proposed&) { return true; },
      [](const accepted_here&) { return true; },    [](const observed&) { return true; },
      [](const advanced&) { return true; },         [](const truncate&) { return true; },
      [](const already_decided&) { return true; },
    },
    what);
}

} // namespace paxtor::paxos
