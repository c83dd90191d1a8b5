#include "tools/table.hpp"

#include <algorithm>
#include <ostream>

#include <unistd.h>

#include "tools/style.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

table::table(std::vector<std::string> headings) : headings_(std::move(headings)) {
  for (auto& heading : headings_) {
    right_.push_back(heading.starts_with('>'));
    if (right_.back())
      heading.erase(0, 1);
  }
}

void table::add(std::vector<std::string> cells) {
  cells.resize(headings_.size());
  rows_.push_back(std::move(cells));
}

void table::print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < headings_.size(); ++i) {
    auto width = columns(headings_[i]);
    for (const auto& row : rows_)
      width = std::max(width, columns(row[i]));
    widths.push_back(width);
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0)
        text += "  ";
      text += pad(cells[i], widths[i], right_[i]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  out << style{STDOUT_FILENO}.dim(line(headings_)) << '\n';
  for (const auto& row : rows_)
    out << line(row) << '\n';
}

} // namespace paxtor::tools
