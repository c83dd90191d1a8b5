#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "test/sim/finding.hpp"

namespace paxtor::sim {

/// Put-once agreement: whoever puts under a key without an owner is answered the same value, one
/// that somebody put; and a question asked after such an answer sees it (queries are linearizable).
class put_checker {
public:
  void offered(const std::string& key, const std::string& value) { offered_[key].insert(value); }

  /// A put of `key` was answered with `value`.
  [[nodiscard]] verdict stored(const std::string& key, const std::string& value);

  /// True if a value of `key` is known by now: a question that starts now must see it.
  [[nodiscard]] bool known(const std::string& key) const { return chosen_.contains(key); }

  /// A question was answered: `found` tells if there was a value; `must_exist` is what known() said
  /// when it was asked.
  [[nodiscard]] verdict answered(const std::string& key, bool found, const std::string& value,
                                 bool must_exist);

  /// At the end every registry must hold each value that was answered.
  [[nodiscard]] const std::map<std::string, std::string>& answered_values() const {
    return chosen_;
  }

  [[nodiscard]] std::uint64_t checked() const { return checked_; }

private:
  [[nodiscard]] verdict agree(const std::string& key, const std::string& value);

  std::map<std::string, std::set<std::string>> offered_;
  std::map<std::string, std::string> chosen_;
  std::uint64_t checked_ = 0;
};

} // namespace paxtor::sim
