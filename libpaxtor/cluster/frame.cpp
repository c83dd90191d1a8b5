#include "libpaxtor/cluster/frame.hpp"

#include <utility>

#include "libpaxtor/base/check.hpp"

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

/// Hellos and refusals are read in any version, and written as in the first.
constexpr std::uint8_t greeting_version = 1;

/// The number of a hello or of a refusal.
constexpr bool is_greeting(std::size_t which) {
  return which < 2;
}
static_assert(std::is_same_v<
                std::variant_alternative_t<0, frame>,
                hello_frame> && std::is_same_v<std::variant_alternative_t<1, frame>, refuse_frame>);

} // namespace

std::string encode_frame(const frame& what, std::uint8_t version) {
  const bool greeting = is_greeting(what.index());
  PAXTOR_CHECK("I61", greeting || own_versions().contains(version));
  std::string result{magic};
  result.push_back(static_cast<char>(greeting ? greeting_version : version));
  result.push_back(static_cast<char>(what.index()));
  std::visit([&result](const auto& body) { result += encode(body); }, what);
  if (!greeting)
    finish_frame(version, header_bytes, result);
  return result;
}

std::uint8_t version_in(std::string_view bytes) {
  return bytes.size() < header_bytes || bytes.substr(0, magic.size()) != magic
           ? std::uint8_t{0}
           : static_cast<std::uint8_t>(bytes[2]);
}

frame_error decode_frame(std::string_view bytes, frame& out) {
  if (bytes.size() > max_frame_bytes)
    return frame_error::too_large;
  if (bytes.substr(0, magic.size()) != magic)
    return frame_error::not_ours;
  if (bytes.size() < header_bytes)
    return frame_error::malformed;
  const auto version = version_in(bytes);
  const auto which = static_cast<std::uint8_t>(bytes[3]);
  auto body = bytes.substr(header_bytes);
  if (!is_greeting(which)) {
    if (!own_versions().contains(version))
      return frame_error::other_version;
    if (!open_frame(version, body))
      return frame_error::malformed;
  }
  if (!decode_alternative(which, body, out, std::make_index_sequence<std::variant_size_v<frame>>{}))
    return frame_error::malformed;
  if (!std::visit([](const auto& one) { return sane(one); }, out))
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
