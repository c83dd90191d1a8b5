#pragma once

/// \file
/// Structs and variants to bytes and back, by msgpack: a struct lists its fields once, with
/// `MSGPACK_DEFINE(a, b)`. Every decode is bounded and total: whatever the bytes, it returns false
/// instead of throwing, and allocates for at most `max_frame_elements` elements, and never for more
/// than there are bytes of input.
/// A field may be added at the end of a struct: msgpack ignores surplus fields and defaults missing
/// ones.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <msgpack.hpp>

namespace paxtor::detail {

template <class Variant, std::size_t... Is>
bool convert_alternative(std::size_t which, const msgpack::object& body, Variant& out,
                         std::index_sequence<Is...>) {
  return ((which == Is && (body.convert(out.template emplace<Is>()), true)) || ...);
}

} // namespace paxtor::detail

// A variant is [number of the alternative, the alternative], also as a field. Alternatives are only
// ever added at the end; one that this version does not know fails to decode.
namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {
  namespace adaptor {

  template <class... Ts>
  struct pack<std::variant<Ts...>> {
    template <class Stream>
    msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& pk,
                                        const std::variant<Ts...>& value) const {
      pk.pack_array(2);
      pk.pack(static_cast<std::uint64_t>(value.index()));
      std::visit([&pk](const auto& alternative) { pk.pack(alternative); }, value);
      return pk;
    }
  };

  template <class... Ts>
  struct convert<std::variant<Ts...>> {
    const msgpack::object& operator()(const msgpack::object& obj, std::variant<Ts...>& out) const {
      if (obj.type != msgpack::type::ARRAY || obj.via.array.size != 2)
        throw msgpack::type_error();
      auto which = obj.via.array.ptr[0].template as<std::uint64_t>();
      if (!paxtor::detail::convert_alternative(which, obj.via.array.ptr[1], out,
                                               std::index_sequence_for<Ts...>{}))
        throw msgpack::type_error();
      return obj;
    }
  };

  } // namespace adaptor
}
} // namespace msgpack

namespace paxtor {

/// The largest encoded value that is ever decoded: one frame. Snapshots travel in chunks below it.
inline constexpr std::size_t max_frame_bytes = std::size_t{8} << 20;

/// The deepest nesting in a frame. Our messages need less than ten levels.
inline constexpr std::size_t max_frame_depth = 24;

/// The most elements (numbers, texts, arrays, .. at all levels together) in one frame; one with
/// more is not decoded. An element takes some 24 bytes while it is read, and up to a few hundred
/// where it becomes a struct. Our largest message, a part of a promise, has a third of it.
inline constexpr std::size_t max_frame_elements = std::size_t{1} << 20;

/// The bytes of one struct.
template <class T>
[[nodiscard]] std::string encode(const T& value) {
  // msgpack calls write() on any stream; appending to a string avoids sbuffer's copy.
  struct sink {
    std::string bytes;
    void write(const char* data, std::size_t size) { bytes.append(data, size); }
  } out;
  msgpack::packer<sink> packer{out};
  packer.pack(value);
  return std::move(out.bytes);
}

namespace detail {

/// Walks over a value without allocating for it, and stops where it claims more than it may. The
/// bounds that msgpack takes are per array: arrays in arrays would multiply them.
class frame_budget : public msgpack::null_visitor {
public:
  explicit frame_budget(std::size_t input_bytes)
      // Each element takes a byte at least, so one that claims more than there are is a lie.
      : left_(std::min(input_bytes, max_frame_elements)) {}

  bool start_array(std::uint32_t count) { return enter(count); }
  bool start_map(std::uint32_t count) { return enter(std::uint64_t{count} * 2); }
  bool end_array() { return leave(); }
  bool end_map() { return leave(); }

private:
  bool enter(std::uint64_t count) {
    if (count > left_ || ++depth_ > max_frame_depth)
      return false;
    left_ -= count;
    return true;
  }

  bool leave() {
    --depth_;
    return true;
  }

  std::uint64_t left_;
  std::size_t depth_ = 0;
};

/// True if `bytes` begin with one whole value within the bounds.
[[nodiscard]] inline bool within_budget(std::string_view bytes) {
  frame_budget budget{bytes.size()};
  std::size_t offset = 0;
  return msgpack::parse(bytes.data(), bytes.size(), offset, budget);
}

} // namespace detail

/// Reads one struct. Returns false, with `out` unspecified, unless `bytes` is exactly one value of
/// that shape.
template <class T>
[[nodiscard]] bool decode(std::string_view bytes, T& out) {
  if (bytes.empty() || bytes.size() > max_frame_bytes)
    return false;
  try {
    if (!detail::within_budget(bytes))
      return false;
    std::size_t offset = 0;
    // Strings and blobs are converted (copied) before the handle goes, so they may refer to the
    // input.
    auto by_reference = [](msgpack::type::object_type, std::size_t, void*) { return true; };
    auto handle = msgpack::unpack(bytes.data(), bytes.size(), offset, by_reference);
    if (offset != bytes.size())
      return false;
    handle.get().convert(out);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

} // namespace paxtor
