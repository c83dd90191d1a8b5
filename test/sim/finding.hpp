#pragma once

/// \file
/// What a run can end with. The exit code of `paxtor-sim` is the kind of its first finding.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace paxtor::sim {

enum class finding_kind : std::uint8_t {
  wrong = 1,   ///< safety: a promise of the protocol was broken
  stuck = 2,   ///< liveness: all faults ended and something made no progress
  crashed = 3, ///< a broken invariant of our own, or an exception
};

struct finding {
  finding_kind kind = finding_kind::wrong;
  /// Which checker, such as "one holder".
  std::string rule;
  /// One line that names who, what and when.
  std::string what;
};

/// What a checker says of one step: nothing, or what is wrong.
using verdict = std::optional<finding>;

[[nodiscard]] inline verdict wrong(std::string_view rule, std::string what) {
  return finding{finding_kind::wrong, std::string{rule}, std::move(what)};
}

[[nodiscard]] inline std::string_view to_string(finding_kind kind) {
  switch (kind) {
    case finding_kind::wrong:
      return "wrong";
    case finding_kind::stuck:
      return "stuck";
    case finding_kind::crashed:
      return "crashed";
  }
  return "?";
}

} // namespace paxtor::sim
