#pragma once

/// \file
/// Small things about text: durations as people type them, suggestions for typos, lists.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paxtor::tools {

/// "500ms", "3s", "1.5s", "2min", "1h"; a plain number is seconds. Sets `why` if it is none of
/// these.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text,
                                                                      std::string& why);

/// "350 ms", "3.2 s", "4 min": for people.
[[nodiscard]] std::string show_duration(std::chrono::microseconds time);

/// The same of a number of microseconds, as JSON has it.
[[nodiscard]] std::string show_micros(double number);

/// The entry of `known` that `typed` was probably meant to be; empty if none is near.
[[nodiscard]] std::string nearest(std::string_view typed, const std::vector<std::string>& known);

[[nodiscard]] std::vector<std::string> split(std::string_view text, char at);
[[nodiscard]] std::string join_text(const std::vector<std::string>& parts,
                                    std::string_view between);

/// Columns that UTF-8 `text` takes in a terminal, escape sequences left out.
[[nodiscard]] std::size_t columns(std::string_view text);

/// `text` with spaces up to `width` columns.
[[nodiscard]] std::string pad(std::string text, std::size_t width, bool right = false);

} // namespace paxtor::tools
