#include "test/sim/seed_source.hpp"

#include <fstream>
#include <sstream>

#include "test/sim/read_number.hpp"

namespace paxtor::sim {

namespace {

constexpr std::uint64_t most_seeds = 100'000'000;

} // namespace

bool seed_source::add_range(std::string_view text) {
  const auto dash = text.find('-');
  std::uint64_t first = 0;
  if (!read_number(text.substr(0, dash), first))
    return false;
  auto last = first;
  if (dash != std::string_view::npos && !read_number(text.substr(dash + 1), last))
    return false;
  if (last < first || last - first >= most_seeds)
    return false;
  for (auto seed = first; seed <= last; ++seed)
    listed_.push_back(seed);
  return true;
}

bool seed_source::add_file(const std::string& path) {
  std::ifstream in{path};
  if (!in)
    return false;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words{line};
    std::uint64_t seed = 0;
    if (!line.empty() && line[0] != '#' && words >> seed)
      listed_.push_back(seed);
  }
  return true;
}

} // namespace paxtor::sim
