#pragma once

/// \file
/// Who votes, as the `members` commands ask, show and change it.

#include <chrono>
#include <optional>

#include <nlohmann/json.hpp>

#include "tools/query.hpp"

namespace paxtor::tools {

/// Asks once. On failure complains and sets `status`.
[[nodiscard]] std::optional<nlohmann::json> ask_voters(client& node,
                                                       const detail::voters_request& wish,
                                                       std::chrono::milliseconds patience,
                                                       int& status);

/// A table of the answer's voters and standbys.
void print_voters(const nlohmann::json& answer);

/// Asks until it is done, refused, or `patience` is over, and says on stderr what it waits for.
/// Returns the exit status.
[[nodiscard]] int change_voters(client& node, const detail::voters_request& wish,
                                std::chrono::milliseconds patience, bool json);

} // namespace paxtor::tools
