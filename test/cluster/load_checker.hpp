#pragma once

/// \file
/// What clients under load wrote down (tools/steady_load.hpp), put together and checked.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace paxtor::test {

/// One owner of a key, on the clock that all processes of the machine share.
struct tenure {
  std::uint64_t token = 0;
  std::int64_t begin_ns = 0;
  std::optional<std::int64_t> end_ns;
};

class load_checker {
public:
  /// The lines of one client.
  void read(const std::vector<std::string>& lines);

  /// Every broken promise as a line: two owners of a key at once, tokens that do not grow in true
  /// time, a line that cannot be read, an owner without an end, an entry that was told to have two
  /// values.
  [[nodiscard]] std::vector<std::string> problems() const;

  /// What was acknowledged.
  [[nodiscard]] const std::map<std::string, std::string>& entries() const { return entries_; }
  [[nodiscard]] std::size_t tenures() const;

private:
  std::map<std::string, std::map<std::uint64_t, tenure>> owners_;
  std::map<std::string, std::string> entries_;
  std::vector<std::string> problems_;
};

} // namespace paxtor::test
