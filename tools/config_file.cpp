#include "tools/config_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace paxtor::tools {

namespace {

/// "FILE:LINE:COLUMN" of a byte offset.
std::string position(const std::string& file, std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const auto before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto start = before.rfind('\n');
  const auto column = offset - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

/// Where the token that ends at `end` starts, if it is a string: parsers complain about its end.
std::size_t start_of_token(std::string_view text, std::size_t end) {
  if (end >= text.size() || end == 0 || text[end] != '"')
    return end;
  const auto quote = text.rfind('"', end - 1);
  return quote == std::string_view::npos
             || text.substr(quote, end - quote).find('\n') != std::string_view::npos
           ? end
           : quote;
}

struct key_place {
  std::string key;
  std::size_t line = 1;
};

/// The keys of the outermost object with their lines. REQUIRES: `text` is valid JSON, and an
/// object.
std::vector<key_place> places_of_keys(std::string_view text) {
  std::vector<key_place> result;
  std::size_t line = 1;
  int depth = 0;
  bool want_key = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      ++line;
    } else if (c == '{' || c == '[') {
      ++depth;
      want_key = depth == 1;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ',') {
      want_key = depth == 1;
    } else if (c == '"') {
      const auto start = i++;
      while (i < text.size() && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
      if (depth == 1 && want_key) {
        const auto raw = text.substr(start, i + 1 - start);
        result.push_back({nlohmann::json::parse(raw).get<std::string>(), line});
        want_key = false;
      }
    }
  }
  return result;
}

/// nlohmann's "[json.exception...] parse error at line 1, column 2: TEXT": only TEXT.
std::string reason_of(const std::string& what) {
  const auto bracket = what.find("] ");
  auto text = bracket == std::string::npos ? what : what.substr(bracket + 2);
  const auto colon = text.find(": ");
  if (text.starts_with("parse error") && colon != std::string::npos)
    text = text.substr(colon + 2);
  return text;
}

} // namespace

bool parse_config(const std::string& file, std::string_view text, std::vector<config_entry>& out,
                  std::string& why) {
  // The parser takes a zero byte for the end of the text, and would ignore all behind it.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    why = position(file, text, zero) + ": not JSON: a zero byte; is this a text file?";
    return false;
  }
  nlohmann::json value;
  try {
    value = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& err) {
    why = position(file, text, start_of_token(text, err.byte > 0 ? err.byte - 1 : 0))
          + ": not JSON: " + reason_of(err.what());
    return false;
  } catch (const nlohmann::json::exception& err) {
    // A number that is too large: the error has no place, but quotes the number.
    const auto reason = reason_of(err.what());
    const auto open = reason.find('\'');
    const auto close = reason.rfind('\'');
    const auto found =
      open < close ? text.find(reason.substr(open + 1, close - open - 1)) : std::string_view::npos;
    why =
      position(file, text, found == std::string_view::npos ? 0 : found) + ": not JSON: " + reason;
    return false;
  }
  if (!value.is_object()) {
    why = file + ":1: want one JSON object, as {\"name\": \"a\"}";
    return false;
  }
  std::map<std::string, std::size_t> seen;
  for (const auto& place : places_of_keys(text)) {
    const auto [first, fresh] = seen.emplace(place.key, place.line);
    if (!fresh) {
      why = file + ":" + std::to_string(place.line) + ": \"" + place.key
            + "\" is there twice (first in line " + std::to_string(first->second) + "): keep one";
      return false;
    }
    out.push_back({place.key, value.at(place.key), file + ":" + std::to_string(place.line)});
  }
  return true;
}

bool read_config(const std::string& file, std::vector<config_entry>& out, std::string& why) {
  errno = 0;
  std::ifstream in{file, std::ios::binary};
  std::ostringstream text;
  if (in)
    text << in.rdbuf();
  if (!in || in.bad()) {
    why = "cannot read the config file " + file + ": " + std::strerror(errno != 0 ? errno : EIO);
    return false;
  }
  return parse_config(file, text.str(), out, why);
}

} // namespace paxtor::tools
