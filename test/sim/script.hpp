#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/base/term.hpp"
#include "libpaxtor/registry/commands.hpp"
#include "test/sim/knobs.hpp"
#include "test/sim/true_time.hpp"

namespace paxtor::sim {

/// One thing that an actor does.
struct step {
  enum class kind : std::uint8_t { acquire, work, put, ask } what = kind::work;
  std::vector<term> keys; ///< acquire: sorted, distinct. put, ask: one
  registry::acquire_mode mode = registry::acquire_mode::wait;
  registry::ownership ownership = registry::ownership::bounded;
  std::optional<duration> deadline;
  duration time{};    ///< work
  bool owned = false; ///< put; ask about an entry
  enum class subject : std::uint8_t { entry, lock, name } about = subject::entry; ///< ask
};

using script = std::vector<step>;

/// Draws what a new actor will do.
[[nodiscard]] script draw_script(generator& random, const knobs& how);

/// Values under these buckets: with an owner they are erased at its end, so only the others stay
/// for ever.
inline constexpr const char* kept_bucket = "kept";
inline constexpr const char* owned_bucket = "owned";

[[nodiscard]] term lock_key(std::uint64_t number);
[[nodiscard]] term singleton_name(std::uint64_t number);

/// How the singleton of this name is made: the same wherever it is asked for.
[[nodiscard]] registry::singleton_spec spec_of(std::uint64_t number);

} // namespace paxtor::sim
