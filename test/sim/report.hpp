#pragma once

#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

#include "test/sim/stats.hpp"
#include "test/sim/world.hpp"

namespace paxtor::sim {

/// What a finding looks like to a person who has to act on it: what, when, with which knobs, the
/// end of the story, and how to see it again.
[[nodiscard]] std::string explain(const run_result& what, const std::string& program);

[[nodiscard]] nlohmann::json to_json(const run_result& what);
[[nodiscard]] nlohmann::json to_json(const stats& what);
void add(stats& to, const stats& what);
[[nodiscard]] bool from_json(const nlohmann::json& text, stats& out);

/// For how long the clusters of these runs have been at work, in years.
[[nodiscard]] double simulated_years(const stats& all);
/// The same in words.
[[nodiscard]] std::string simulated(const stats& all);

/// The last lines of a run: what was counted, and how fast.
[[nodiscard]] std::string summary(const stats& all, std::size_t findings, double seconds);

} // namespace paxtor::sim
