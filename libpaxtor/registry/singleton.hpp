#pragma once

/// \file
/// What is known of one running (or starting) singleton. Owned by `names`; sessions refer to it.

#include <cstdint>
#include <map>
#include <set>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/term.hpp"
#include "libpaxtor/registry/commands.hpp"

namespace paxtor::registry {

struct singleton {
  singleton_spec spec;
  /// Where it was placed. Always an open session.
  session_id host;
  /// The entry that placed it there.
  token grant;
  /// Not valid() while it is being started.
  local_actor_id actor;
  /// The entry with which it began to move off its node, which is drained; not valid(): it stays.
  index moving;
  /// Where it goes: an open session that is not drained and keeps room for it. Not valid() while it
  /// moves: that session has ended; where it goes is decided anew when it ends.
  session_id next;
  /// Restarts by policy in a row, see `names::max_restarts`.
  std::uint32_t restarts = 0;
  /// Open sessions that resolved the name and did not forget it.
  std::set<session_id> watchers;
};

using name_map = std::map<term, singleton>;
using name_it = name_map::iterator;

/// Orders references to names by the name, never by address: replicas must agree on every order.
struct by_name {
  bool operator()(const name_it& x, const name_it& y) const { return x->first < y->first; }
};

} // namespace paxtor::registry
