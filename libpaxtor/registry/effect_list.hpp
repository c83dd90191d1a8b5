#pragma once

/// \file
/// The effects of one command on their way to `outcome`.

#include <utility>
#include <vector>

#include "libpaxtor/registry/effects.hpp"

namespace paxtor::registry {

/// Collects in the order in which things happened; `machine` sorts by session, one effects_for
/// each.
struct effect_list {
  std::vector<std::pair<session_id, effect>> all;

  void add(session_id to, effect what) { all.emplace_back(to, std::move(what)); }
};

} // namespace paxtor::registry
