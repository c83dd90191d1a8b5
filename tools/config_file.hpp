#pragma once

/// \file
/// A JSON config file, read so that every complaint names the file, the line and the key.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace paxtor::tools {

/// An entry of the file's one object.
struct config_entry {
  std::string key;
  nlohmann::json value;
  /// "paxtor.json:4": for errors.
  std::string origin;
};

/// The entries of `text` in the file's order. Returns false and sets `why` (one line with file,
/// line and column) if the text is not JSON, not an object, or names a key twice.
[[nodiscard]] bool parse_config(const std::string& file, std::string_view text,
                                std::vector<config_entry>& out, std::string& why);

/// The same from a file; also fails if it cannot be read.
[[nodiscard]] bool read_config(const std::string& file, std::vector<config_entry>& out,
                               std::string& why);

} // namespace paxtor::tools
