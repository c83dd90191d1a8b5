#pragma once

/// \file
/// How text looks on a terminal: colours only where a person sees them (a tty, no NO_COLOR, TERM
/// not dumb).

#include <string>
#include <string_view>

namespace paxtor::tools {

class style {
public:
  /// For output to the file descriptor `fd`.
  explicit style(int fd);

  [[nodiscard]] bool colour() const { return colour_; }

  [[nodiscard]] std::string bold(std::string_view text) const { return wrap("1", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return wrap("2", text); }
  [[nodiscard]] std::string red(std::string_view text) const { return wrap("31", text); }
  [[nodiscard]] std::string green(std::string_view text) const { return wrap("32", text); }
  [[nodiscard]] std::string yellow(std::string_view text) const { return wrap("33", text); }
  /// One of ten colours that differ from their neighbours.
  [[nodiscard]] std::string hue(int number, std::string_view text) const;

private:
  [[nodiscard]] std::string wrap(std::string_view code, std::string_view text) const;

  bool colour_ = false;
};

} // namespace paxtor::tools
