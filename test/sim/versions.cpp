#include "test/sim/versions.hpp"

namespace paxtor::sim {

verdict versions::answered(const std::string& what, const std::string& state, index oldest,
                           index newest, const std::string& before_all) {
  ++checked_;
  const auto& all = all_[what];
  // The version that was in force at `oldest`, then each later one.
  auto next = std::upper_bound(all.begin(), all.end(), oldest,
                               [](index x, const auto& version) { return x < version.first; });
  auto since = next == all.begin() ? index{} : std::prev(next)->first;
  const auto* now = next == all.begin() ? &before_all : &std::prev(next)->second;
  const auto first = *now;
  for (;; ++next) {
    if (*now == state) {
      auto& seen = seen_[what];
      seen = std::max(seen, since);
      return {};
    }
    if (next == all.end() || next->first > newest)
      break;
    since = next->first;
    now = &next->second;
  }
  return wrong("linearizable", what + " was answered as '" + state + "'; it was '" + first
                                 + "' at index " + to_string(oldest)
                                 + ", the oldest that the answer may tell, and is '" + *now
                                 + "' now");
}

} // namespace paxtor::sim
