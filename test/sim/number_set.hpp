#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace paxtor::sim {

/// Numbers as people write them: `3,7-9`.
class number_set {
public:
  /// Adds what `text` names. Returns false, having added nothing, if it is no such list or names
  /// more than a million numbers.
  [[nodiscard]] bool add(std::string_view text);

  void insert(std::uint64_t number) { numbers_.insert(number); }
  void erase(std::uint64_t number) { numbers_.erase(number); }

  [[nodiscard]] bool contains(std::uint64_t number) const {
    return !numbers_.empty() && numbers_.contains(number);
  }
  [[nodiscard]] bool empty() const { return numbers_.empty(); }
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }
  [[nodiscard]] const std::set<std::uint64_t>& numbers() const { return numbers_; }

  /// As short as it goes; empty if nothing is in it.
  [[nodiscard]] std::string text() const;

  bool operator==(const number_set&) const = default;

private:
  std::set<std::uint64_t> numbers_;
};

} // namespace paxtor::sim
