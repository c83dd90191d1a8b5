#pragma once

/// \file
/// What every target has in common: bytes as a source of small decisions, and how it says that it
/// has found something.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

/// What libFuzzer calls, and what a replay calls: one input. A finding ends the process.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace paxtor::fuzz {

/// Inputs that got past the first check of what they are fed to: a corpus that has none of them
/// tests nothing, and its replay fails.
inline std::uint64_t taken = 0;

/// Says what must hold, and ends the process if it does not.
inline void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "paxtor-fuzz: broken: %s\n", what);
  std::abort();
}

/// Reads an input from its front. Past its end everything is zero, so every input means something.
class reader {
public:
  reader(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }

  std::uint8_t byte() {
    if (rest_.empty())
      return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }

  /// In [0, bound). REQUIRES: 0 < bound <= 256.
  std::size_t below(std::size_t bound) { return byte() % bound; }

  bool chance() { return (byte() & 1) != 0; }

  /// Small as a rule; now and then one that overflows something.
  std::uint64_t number() {
    const auto first = byte();
    switch (first) {
      case 0xff:
        return ~std::uint64_t{0};
      case 0xfe:
        return std::uint64_t{1} << 63;
      case 0xfd:
        return (std::uint64_t{1} << 32) + byte();
      case 0xfc: {
        const auto high = byte() * std::uint64_t{256};
        return high + byte();
      }
      default:
        return first % 12;
    }
  }

  /// At most `most` bytes, after a byte that says how many.
  std::string text(std::size_t most = 255) {
    const auto said = std::size_t{byte()};
    const auto size = std::min({said, most, rest_.size()});
    std::string result{rest_.substr(0, size)};
    rest_.remove_prefix(size);
    return result;
  }

  /// As `text`, with two bytes of length.
  std::string long_text() {
    const auto high = std::size_t{byte()} * 256;
    const auto low = std::size_t{byte()};
    const auto size = std::min(high + low, rest_.size());
    std::string result{rest_.substr(0, size)};
    rest_.remove_prefix(size);
    return result;
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }

private:
  std::string_view rest_;
};

} // namespace paxtor::fuzz
