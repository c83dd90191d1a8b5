#include "net/guardian/link.hpp"

namespace paxtor::guardian {

namespace {

std::string little_endian(std::uint64_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i)
    result += static_cast<char>((value >> (8 * i)) & 0xff);
  return result;
}

std::uint64_t from_little_endian(std::string_view bytes) {
  std::uint64_t result = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    result = (result << 8) | static_cast<unsigned char>(bytes[i]);
  return result;
}

} // namespace

std::string words_of(std::string_view preamble, std::uint64_t id) {
  return std::string{preamble} + little_endian(id, 8);
}

std::uint64_t id_in(std::string_view words) {
  return from_little_endian(words.substr(words.size() - 8));
}

std::string framed(std::string_view frame) {
  auto result = little_endian(frame.size(), 4);
  result += frame;
  return result;
}

auto frame_reader::next(std::string& frame) -> outcome {
  constexpr std::size_t head = 4;
  if (held_.size() < head)
    return outcome::none;
  const auto size = from_little_endian(std::string_view{held_}.substr(0, head));
  if (size > max_link_frame)
    return outcome::too_long;
  if (held_.size() < head + size)
    return outcome::none;
  frame = held_.substr(head, size);
  held_.erase(0, head + size);
  return outcome::frame;
}

} // namespace paxtor::guardian
