#pragma once

/// \file
/// Addresses as people write them.

#include <cstdint>
#include <string>

#include <caf/expected.hpp>

namespace paxtor::net {

/// host:port, or [v6]:port. A host is an address or a name.
struct endpoint {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const endpoint&) const = default;
};

/// ERRORS: errc::invalid with what to do.
[[nodiscard]] caf::expected<endpoint> parse_endpoint(const std::string& text);

[[nodiscard]] std::string to_string(const endpoint& what);

/// 127.0.0.0/8, ::1 and "localhost".
[[nodiscard]] bool is_loopback(const std::string& host);

} // namespace paxtor::net
