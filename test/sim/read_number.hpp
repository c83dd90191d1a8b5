#pragma once

#include <charconv>
#include <string_view>
#include <system_error>

namespace paxtor::sim {

/// Reads all of `text` as one number. Returns false if it is none, or does not fit.
template <class Number>
[[nodiscard]] bool read_number(std::string_view text, Number& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

} // namespace paxtor::sim
