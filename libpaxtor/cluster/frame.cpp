#include "libpaxtor/cluster/frame.hpp"

#include <utility>

namespace paxtor::cluster {

namespace {

constexpr std::size_t header_bytes = 4;

constexpr std::string_view magic = "PX";

/// Decodes `body` as alternative number `which`, if there is such a one.
template <std::size_t... Is>
bool decode_alternative(std::size_t which, std::string_view body, frame& out,
                        std::index_sequence<Is...>) {
  return ((which == Is && decode(body, out.template emplace<Is>())) || ...);
}

// What msgpack lets through but no sender of ours makes. One overload per frame, no catch-all.
bool sane(const hello_frame&) {
  return true;
}

bool sane(const refuse_frame&) {
  return true;
}

bool sane(const formation_frame&) {
  return true;
}

bool sane(const paxos_frame& what) {
  // Local messages never cross the wire, and an enum arrives as any integer.
  return what.to_role <= paxos::role::learner && !paxos::is_local(what.what);
}

bool sane(const node_frame&) {
  return true;
}

bool sane(const voter_frame&) {
  return true;
}

} // namespace

std::string encode_frame(const frame& what) {
  std::string result{magic};
  result.push_back(static_cast<char>(frame_version));
  result.push_back(static_cast<char>(what.index()));
  std::visit([&result](const auto& body) { result += encode(body); }, what);
  return result;
}

frame_error decode_frame(std::string_view bytes, frame& out) {
  if (bytes.size() > max_frame_bytes)
    return frame_error::too_large;
  if (bytes.substr(0, magic.size()) != magic)
    return frame_error::not_ours;
  if (bytes.size() < header_bytes)
    return frame_error::malformed;
  if (static_cast<std::uint8_t>(bytes[2]) != frame_version)
    return frame_error::other_version;
  auto which = static_cast<std::uint8_t>(bytes[3]);
  if (!decode_alternative(which, bytes.substr(header_bytes), out,
                          std::make_index_sequence<std::variant_size_v<frame>>{}))
    return frame_error::malformed;
  if (!std::visit([](const auto& body) { return sane(body); }, out))
    return frame_error::malformed;
  return frame_error::none;
}

std::string_view to_string(frame_error what) {
  switch (what) {
    case frame_error::none:
      return "none";
    case frame_error::too_large:
      return "the frame is larger than the bound";
    case frame_error::not_ours:
      return "not a frame of paxtor";
    case frame_error::other_version:
      return "a frame of another version of paxtor";
    case frame_error::malformed:
      return "the frame is malformed";
  }
  return "unknown";
}

} // namespace paxtor::cluster
