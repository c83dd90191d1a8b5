#pragma once

/// \file
/// Versions of the wire: README.md, "Versions", has the rules. A build reads a range of them, two
/// as a rule, so that nodes are upgraded one by one. All that differs between two builds is in
/// versions.cpp.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <msgpack.hpp>

namespace paxtor::cluster {

/// The versions of frames that a build reads. It writes any of them too.
struct version_range {
  std::uint8_t min = 1;
  std::uint8_t max = 1;

  bool operator==(const version_range&) const = default;
  [[nodiscard]] constexpr bool contains(std::uint8_t version) const {
    return min <= version && version <= max;
  }
  MSGPACK_DEFINE(min, max)
};

/// This build's.
[[nodiscard]] version_range own_versions();

/// Whether two builds have a version in common.
[[nodiscard]] constexpr bool meet(version_range x, version_range y) {
  return std::max(x.min, y.min) <= std::min(x.max, y.max);
}

/// The highest version that this build writes and one that reads `theirs` understands; the lowest
/// of our own if there is none.
[[nodiscard]] inline std::uint8_t version_for(version_range theirs) {
  const auto own = own_versions();
  return std::max(own.min, std::min(own.max, theirs.max));
}

/// Adds to a frame what its version has behind the struct. REQUIRES: own_versions() has it.
void finish_frame(std::uint8_t version, std::size_t header_bytes, std::string& frame);

/// Takes that away again. False: it is not there, or is not right. REQUIRES: as above.
[[nodiscard]] bool open_frame(std::uint8_t version, std::string_view& body);

} // namespace paxtor::cluster
