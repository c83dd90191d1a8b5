#pragma once

/// \file
/// Bytes of the registry's image (L4): numbers as LEB128, texts with their length in front. The
/// image is not a frame: it may be larger than `max_frame_bytes`, so it has a codec of its own.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace paxtor::registry {

/// Raised whenever the bytes change their meaning. Images of versions from `oldest_image` on are
/// read, newer ones are not.
inline constexpr std::uint64_t image_version = 3;
inline constexpr std::uint64_t oldest_image = 2;
/// The first version that knows of drained nodes and of singletons that move.
inline constexpr std::uint64_t image_with_drains = 3;

/// Appends to a string. Cannot fail.
class image_writer {
public:
  explicit image_writer(std::uint64_t version = image_version) : version_(version) {}

  /// Of the image that is written: what it may have, depends on it.
  [[nodiscard]] std::uint64_t version() const { return version_; }

  void number(std::uint64_t value) {
    while (value >= 0x80) {
      bytes_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    bytes_.push_back(static_cast<char>(value));
  }

  void text(std::string_view value) {
    number(value.size());
    bytes_.append(value);
  }

  template <class Strong>
  void id(Strong value) {
    number(value.value);
  }

  [[nodiscard]] std::string take() { return std::move(bytes_); }

private:
  std::uint64_t version_;
  std::string bytes_;
};

/// Reads what image_writer wrote. Whatever the bytes: after the first fault `ok()` is false and
/// every read gives zero or an empty text, so callers check once per loop.
class image_reader {
public:
  explicit image_reader(std::string_view bytes) : left_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }

  /// Of the image that is read: what it may have, depends on it.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  void version_is(std::uint64_t version) { version_ = version; }

  /// True if everything was read and nothing was wrong.
  [[nodiscard]] bool done() const { return ok_ && left_.empty(); }

  void fail() {
    ok_ = false;
    left_ = {};
  }

  [[nodiscard]] std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left_.empty())
        break;
      auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      if (shift == 63 && byte > 1)
        break;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        // One number has one form, so that equal states have equal images.
        if (byte == 0 && shift != 0)
          break;
        return value;
      }
    }
    fail();
    return 0;
  }

  /// A number that may not be over `most`.
  [[nodiscard]] std::uint64_t number_upto(std::uint64_t most) {
    auto value = number();
    if (value > most) {
      fail();
      return 0;
    }
    return value;
  }

  /// How many elements follow. Each takes a byte at least, so no count is over what is left: a
  /// lying count cannot make anybody allocate more than a small multiple of the image.
  [[nodiscard]] std::size_t count() { return static_cast<std::size_t>(number_upto(left_.size())); }

  [[nodiscard]] std::string_view text(std::size_t most) {
    auto size = number();
    if (!ok_ || size > most || size > left_.size()) {
      fail();
      return {};
    }
    auto result = left_.substr(0, static_cast<std::size_t>(size));
    left_.remove_prefix(result.size());
    return result;
  }

  template <class Strong>
  [[nodiscard]] Strong id() {
    return Strong{number()};
  }

private:
  std::string_view left_;
  std::uint64_t version_ = image_version;
  bool ok_ = true;
};

} // namespace paxtor::registry
