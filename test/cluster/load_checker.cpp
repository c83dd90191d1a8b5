#include "test/cluster/load_checker.hpp"

#include <sstream>

namespace paxtor::test {

void load_checker::read(const std::vector<std::string>& lines) {
  for (const auto& line : lines) {
    if (line.empty())
      continue;
    std::istringstream words{line};
    std::string what;
    std::string key;
    words >> what >> key;
    if (what == "put") {
      std::string value;
      words >> value;
      const auto [known, fresh] = entries_.emplace(key, value);
      if (!words || (!fresh && known->second != value))
        problems_.push_back("entry " + key + " was told to be '" + value + "' and '" + known->second
                            + "'");
      continue;
    }
    std::uint64_t token = 0;
    std::int64_t when = 0;
    words >> token >> when;
    if (!words || (what != "begin" && what != "end")) {
      problems_.push_back("not a line of a load: " + line);
    } else if (what == "begin") {
      if (!owners_[key].emplace(token, tenure{token, when, {}}).second)
        problems_.push_back(key + ": two owners with token " + std::to_string(token));
    } else if (const auto found = owners_[key].find(token);
               found == owners_[key].end() || found->second.end_ns) {
      problems_.push_back(key + ": an end without a beginning, token " + std::to_string(token));
    } else {
      found->second.end_ns = when;
    }
  }
}

std::size_t load_checker::tenures() const {
  std::size_t result = 0;
  for (const auto& [key, owners] : owners_)
    result += owners.size();
  return result;
}

std::vector<std::string> load_checker::problems() const {
  auto result = problems_;
  for (const auto& [key, owners] : owners_) {
    const tenure* before = nullptr;
    // In the order of the tokens, each must have ended before the next one began.
    for (const auto& [token, one] : owners) {
      const auto who = key + ", token " + std::to_string(token);
      if (!one.end_ns)
        result.push_back(who + ": has no end");
      else if (*one.end_ns < one.begin_ns)
        result.push_back(who + ": ended before it began");
      if (before != nullptr && before->end_ns && *before->end_ns > one.begin_ns)
        result.push_back(who + ": began " + std::to_string(*before->end_ns - one.begin_ns)
                         + " ns before the end of the one with token "
                         + std::to_string(before->token));
      before = &one;
    }
  }
  return result;
}

} // namespace paxtor::test
