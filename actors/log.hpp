#pragma once

/// \file
/// What a node says on stderr: one line per event, first what happened in words, then its facts as
/// key=value. A program that registers an spdlog logger named "paxtor" before it joins gets the
/// lines there instead.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace paxtor::actors {

enum class severity : std::uint8_t { trace, debug, info, warn, error, off };

/// False unless `text` is one of trace, debug, info, warn, error, off.
[[nodiscard]] bool parse(std::string_view text, severity& out);

/// Sets what is logged by all nodes of this process.
void set_level(severity least);

[[nodiscard]] bool enabled(severity level);

/// A fact of a line. Values with spaces are quoted.
struct fact {
  std::string_view key;
  std::string value;

  fact(std::string_view name, std::string text) : key(name), value(std::move(text)) {}
  fact(std::string_view name, std::string_view text) : key(name), value(text) {}
  fact(std::string_view name, const char* text) : key(name), value(text) {}
  template <std::integral T>
  fact(std::string_view name, T number) : key(name), value(std::to_string(number)) {}
};

/// A node's voice: every line carries its name.
class logger {
public:
  explicit logger(std::string node) : node_(std::move(node)) {}

  void debug(std::string_view what, std::initializer_list<fact> facts = {}) const {
    write(severity::debug, what, facts);
  }
  void info(std::string_view what, std::initializer_list<fact> facts = {}) const {
    write(severity::info, what, facts);
  }
  void warn(std::string_view what, std::initializer_list<fact> facts = {}) const {
    write(severity::warn, what, facts);
  }
  void error(std::string_view what, std::initializer_list<fact> facts = {}) const {
    write(severity::error, what, facts);
  }

private:
  void write(severity level, std::string_view what, std::initializer_list<fact> facts) const;

  std::string node_;
};

} // namespace paxtor::actors
