#pragma once

/// \file
/// The questions of the calm: can every lock be had, does every singleton answer, has every entry
/// its value?

#include <nlohmann/json.hpp>

#include "tools/client.hpp"

namespace paxtor::storm {

/// Asks all at once, and blocks until each is answered or `patience_ms` has passed. `order` and
/// the answer: see worker.hpp.
[[nodiscard]] nlohmann::json probe(tools::client& node, const nlohmann::json& order);

} // namespace paxtor::storm
