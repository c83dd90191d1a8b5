#include "tools/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace paxtor::tools {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text, std::string& why) {
  const auto end = std::find_if_not(text.begin(), text.end(),
                                    [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  const auto number = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  auto unit = text.substr(number.size());
  while (!unit.empty() && unit.front() == ' ')
    unit.remove_prefix(1);
  double value = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
  double ms = 0;
  if (unit.empty() || unit == "s")
    ms = 1000;
  else if (unit == "ms")
    ms = 1;
  else if (unit == "min" || unit == "m")
    ms = 60'000;
  else if (unit == "h")
    ms = 3'600'000;
  const bool good = !number.empty() && read.ec == std::errc{}
                    && read.ptr == number.data() + number.size() && ms > 0 && value * ms <= 1e12;
  if (!good) {
    why = "'" + std::string{text} + "' is not a time: write 500ms, 3s, 2min or 1h";
    return std::nullopt;
  }
  return std::chrono::milliseconds{std::llround(value * ms)};
}

std::string show_micros(double number) {
  return show_duration(std::chrono::microseconds{static_cast<std::int64_t>(number)});
}

std::string show_duration(std::chrono::microseconds time) {
  const auto us = static_cast<double>(time.count());
  char text[32];
  if (us < 1e3)
    std::snprintf(text, sizeof text, "%.0f us", us);
  else if (us < 1e4)
    std::snprintf(text, sizeof text, "%.2f ms", us / 1e3);
  else if (us < 1e6)
    std::snprintf(text, sizeof text, "%.0f ms", us / 1e3);
  else if (us < 12e7)
    std::snprintf(text, sizeof text, "%.1f s", us / 1e6);
  else
    std::snprintf(text, sizeof text, "%.0f min", us / 6e7);
  return text;
}

namespace {

std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

} // namespace

std::string nearest(std::string_view typed, const std::vector<std::string>& known) {
  std::string best;
  auto least = std::max<std::size_t>(2, typed.size() / 2);
  for (const auto& candidate : known) {
    const auto distance = edits(typed, candidate);
    if (distance < least || (distance == least && best.empty())) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(at), text.size());
    if (end > 0)
      parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string join_text(const std::vector<std::string>& parts, std::string_view between) {
  std::string result;
  for (const auto& part : parts) {
    if (!result.empty())
      result += between;
    result += part;
  }
  return result;
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033') {
      while (i < text.size() && text[i] != 'm')
        ++i;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++count;
    }
  }
  return count;
}

std::string pad(std::string text, std::size_t width, bool right) {
  const auto have = columns(text);
  if (have < width) {
    if (right)
      text.insert(0, width - have, ' ');
    else
      text.append(width - have, ' ');
  }
  return text;
}

} // namespace paxtor::tools
