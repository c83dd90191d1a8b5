#include "test/sim/number_set.hpp"

#include <algorithm>
#include <utility>

#include "test/sim/read_number.hpp"

namespace paxtor::sim {

namespace {

constexpr std::size_t most_numbers = 1'000'000;

} // namespace

bool number_set::add(std::string_view text) {
  auto result = numbers_;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const auto dash = part.find('-');
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    if (!read_number(part.substr(0, dash), first))
      return false;
    last = first;
    if (dash != std::string_view::npos && !read_number(part.substr(dash + 1), last))
      return false;
    if (last < first || last - first >= most_numbers - result.size())
      return false;
    for (auto number = first; number <= last; ++number)
      result.insert(result.end(), number);
  }
  numbers_ = std::move(result);
  return true;
}

std::string number_set::text() const {
  std::string out;
  for (auto i = numbers_.begin(); i != numbers_.end();) {
    const auto first = *i;
    auto last = first;
    for (++i; i != numbers_.end() && *i == last + 1; ++i)
      last = *i;
    out += (out.empty() ? "" : ",") + std::to_string(first);
    if (last != first)
      out += (last == first + 1 ? "," : "-") + std::to_string(last);
  }
  return out;
}

} // namespace paxtor::sim
