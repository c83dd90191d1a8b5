#pragma once

/// \file
/// What is said on a voter's port before anything else, and how frames stand on a guardian's link.
///
///   caller: preamble, 8 bytes id      voter: one byte
///   a node's link: CAF's from here    a guardian's: length (u32, little-endian), frame; both ways

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace paxtor::guardian {

/// A port scanner, a browser or a node of another version of the wire says neither.
inline constexpr std::string_view node_preamble = "PAXTOR\x01\n";
inline constexpr std::string_view guardian_preamble = "PAXTOR\x01g";
static_assert(node_preamble.size() == guardian_preamble.size());
inline constexpr std::size_t words_bytes = node_preamble.size() + 8;

/// The voter's answer.
inline constexpr char welcome = '+';
inline constexpr char ourselves = '='; ///< the caller is this very node
inline constexpr char no_voter = '-';  ///< guardians are for voters

/// Preamble and id, as the caller says them.
[[nodiscard]] std::string words_of(std::string_view preamble, std::uint64_t id);
/// The id in such words. REQUIRES: words_bytes of them.
[[nodiscard]] std::uint64_t id_in(std::string_view words);

/// The most that one frame of a guardian's link may have: a certificate is well below a KiB.
inline constexpr std::size_t max_link_frame = std::size_t{64} << 10;

/// With its length before it.
[[nodiscard]] std::string framed(std::string_view frame);

/// Takes bytes as they come, gives whole frames. Bounded: what is longer than max_link_frame is
/// never kept.
class frame_reader {
public:
  enum class outcome : std::uint8_t { none, frame, too_long };

  void add(std::string_view bytes) { held_.append(bytes); }
  [[nodiscard]] outcome next(std::string& frame);
  /// Bytes that were not taken yet.
  [[nodiscard]] std::size_t size() const { return held_.size(); }

private:
  std::string held_;
};

} // namespace paxtor::guardian
