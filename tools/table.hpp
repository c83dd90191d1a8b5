#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace paxtor::tools {

/// Columns of text for people: a dim heading, columns two spaces apart.
class table {
public:
  /// A heading that starts with '>' is of a column that is aligned to the right.
  explicit table(std::vector<std::string> headings);

  /// REQUIRES: as many cells as headings.
  void add(std::vector<std::string> cells);

  [[nodiscard]] bool empty() const { return rows_.empty(); }

  void print(std::ostream& out) const;

private:
  std::vector<std::string> headings_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

} // namespace paxtor::tools
