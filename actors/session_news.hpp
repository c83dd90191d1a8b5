#pragma once

#include <string>
#include <utility>
#include <vector>

#include "actors/log.hpp"
#include "libpaxtor/registry/effects.hpp"

namespace paxtor::actors {

/// What a leader's log says of sessions that ended: who, by which proof (F4), and what it freed.
/// A node that left is worth a debug line, one that died, fell silent or was released by force a
/// warning, and so is a certificate that was refused. Each is told once: by the leader in whose
/// reign it stands in the log, and not by one that applies it again.
class ends_teller {
public:
  explicit ends_teller(std::string node_name) : log_(std::move(node_name)) {}

  /// The ballot that this voter leads; not valid(): it does not.
  void lead(ballot at);

  void tell(const std::vector<registry::session_event>& events);

private:
  logger log_;
  ballot leads_;
  /// The own reign's entry is applied.
  bool telling_ = false;
};

} // namespace paxtor::actors
