#include "tools/style.hpp"

#include <cstdlib>

#include <unistd.h>

namespace paxtor::tools {

style::style(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  // https://no-color.org: present and not empty.
  colour_ = isatty(fd) != 0 && (no_color == nullptr || *no_color == '\0')
            && (term == nullptr || std::string_view{term} != "dumb");
}

std::string style::wrap(std::string_view code, std::string_view text) const {
  if (!colour_)
    return std::string{text};
  std::string result = "\033[";
  result += code;
  result += 'm';
  result += text;
  result += "\033[0m";
  return result;
}

std::string style::hue(int number, std::string_view text) const {
  static constexpr const char* codes[] = {"36", "33", "35", "32", "34",
                                          "31", "96", "93", "95", "92"};
  return wrap(codes[static_cast<unsigned>(number) % 10], text);
}

} // namespace paxtor::tools
