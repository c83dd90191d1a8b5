#pragma once

/// \file
/// SHA-256 (OpenSSL's), for what one side may know and the other only compare.

#include <cstddef>
#include <string>
#include <string_view>

namespace paxtor {

inline constexpr std::size_t digest_bytes = 32;

/// The SHA-256 of `bytes`: 32 raw bytes.
[[nodiscard]] std::string sha256(std::string_view bytes);

} // namespace paxtor
