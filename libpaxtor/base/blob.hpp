#pragma once

/// \file
/// Immutable bytes that are encoded once and shared by whoever keeps them (acceptor, learner, the
/// frames to every voter). Copying a blob copies a pointer. Safe to share between threads.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace paxtor {

class blob {
public:
  blob() = default;

  explicit blob(std::string bytes)
      : bytes_(std::make_shared<const std::string>(std::move(bytes))) {}

  [[nodiscard]] std::string_view view() const {
    return bytes_ ? std::string_view{*bytes_} : std::string_view{};
  }

  [[nodiscard]] std::size_t size() const { return bytes_ ? bytes_->size() : 0; }

  [[nodiscard]] bool empty() const { return size() == 0; }

  friend bool operator==(const blob& x, const blob& y) {
    return x.bytes_ == y.bytes_ || x.view() == y.view();
  }

  template <class Packer>
  void msgpack_pack(Packer& pk) const {
    pk.pack_bin(static_cast<std::uint32_t>(size()));
    pk.pack_bin_body(view().data(), static_cast<std::uint32_t>(size()));
  }

  template <class Object>
  void msgpack_unpack(Object obj) {
    // A bin object; converting anything else throws msgpack::type_error, which decode() catches.
    std::string bytes = obj;
    *this = blob{std::move(bytes)};
  }

private:
  std::shared_ptr<const std::string> bytes_;
};

} // namespace paxtor
