#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "test/sim/finding.hpp"

namespace paxtor::sim {

/// What each thing was like after which entry of the log, and what questions were answered: answers
/// are linearizable. One tells the state after some entry that is not older than what was known
/// when the question was asked, not older than what was answered before it was asked, and not newer
/// than what is decided.
class versions {
public:
  /// The state of `what` after entry `at`. REQUIRES: in the order of the log.
  void changed(index at, const std::string& what, std::string state) {
    auto& all = all_[what];
    if (all.empty() || all.back().second != state)
      all.emplace_back(at, std::move(state));
  }

  /// Entries up to here took effect, and somebody was told.
  void told(index upto) { told_ = std::max(told_, upto); }

  /// A question about `what` is asked now: how old the answer may be.
  [[nodiscard]] index asked(const std::string& what) const {
    auto seen = seen_.find(what);
    return seen == seen_.end() ? told_ : std::max(told_, seen->second);
  }

  /// The question was answered with `state`. `oldest`: what asked() said. `newest`: the last entry
  /// that is decided by now. `before_all`: the state before the first change.
  [[nodiscard]] verdict answered(const std::string& what, const std::string& state, index oldest,
                                 index newest, const std::string& before_all);

  [[nodiscard]] std::uint64_t checked() const { return checked_; }

private:
  index told_;
  std::map<std::string, std::vector<std::pair<index, std::string>>> all_;
  /// The oldest entry after which the last answer was true.
  std::map<std::string, index> seen_;
  std::uint64_t checked_ = 0;
};

} // namespace paxtor::sim
