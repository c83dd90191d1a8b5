// A configuration file, whatever is in it: entries with the line of each, or one line that says
// what is wrong and where.

#include "test/fuzz/fuzz.hpp"
#include "tools/config_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paxtor;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  std::vector<tools::config_entry> entries;
  std::string why;
  if (!tools::parse_config("f.json", text, entries, why)) {
    fuzz::require(why.starts_with("f.json") && why.find('\n') == std::string::npos,
                  "a complaint is one line that names the file");
    return 0;
  }
  ++fuzz::taken;
  for (const auto& entry : entries)
    fuzz::require(entry.origin.starts_with("f.json:"), "every entry says where it stands");
  return 0;
}
