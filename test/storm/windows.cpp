#include "test/storm/windows.hpp"

#include <algorithm>

namespace paxtor::storm {

namespace {

constexpr boot_time window{std::chrono::seconds{1}};

/// There was a majority all the time.
bool majority_throughout(const history& all, boot_time from, boot_time until) {
  auto next = all.majority.upper_bound(from);
  if (next == all.majority.begin() || !std::prev(next)->second)
    return false;
  for (; next != all.majority.end() && next->first < until; ++next)
    if (!next->second)
      return false;
  return true;
}

} // namespace

availability measure(const history& all, boot_time settle) {
  availability result;
  std::vector<boot_time> grants;
  for (const auto& one : all.owners) {
    if (one.token == 0)
      continue;
    grants.push_back(one.begin);
    result.longest_wait = std::max(result.longest_wait, one.waited);
  }
  std::sort(grants.begin(), grants.end());
  for (const auto& unrest : all.unrest) {
    auto last = unrest.from;
    auto grant = std::lower_bound(grants.begin(), grants.end(), unrest.from);
    for (auto from = unrest.from; from + window <= unrest.until; from += window) {
      bool any = false;
      for (; grant != grants.end() && *grant < from + window; ++grant) {
        any = true;
        result.longest_gap = std::max(result.longest_gap, *grant - last);
        last = *grant;
      }
      const bool should = majority_throughout(all, from - settle, from + window);
      ++result.windows;
      result.granted += any ? 1 : 0;
      result.should += should ? 1 : 0;
      result.should_granted += should && any ? 1 : 0;
    }
    result.longest_gap = std::max(result.longest_gap, unrest.until - last);
  }
  return result;
}

} // namespace paxtor::storm
