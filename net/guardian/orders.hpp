#pragma once

/// \file
/// What a node and its guardian tell each other, over a socketpair of whole packets (JSON). Never
/// by argument or environment: others on the host can read those, and a secret is among it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "net/guardian/tls.hpp"

namespace paxtor::guardian {

/// The descriptor that a guardian finds its end of the socketpair at.
inline constexpr int order_fd = 3;
/// The most bytes of one packet, either way.
inline constexpr std::size_t max_packet = std::size_t{64} << 10;
/// The most descriptors that an end has to wait for.
inline constexpr std::size_t max_awaited = 16;

/// A voter as a guardian reaches it: an address in numbers, for a resolver can hang, and a guardian
/// has no time for that.
struct voter_address {
  std::string name;
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const voter_address&) const = default;
};

/// Node -> guardian. The first one comes with descriptors (SCM_RIGHTS): the pidfd of the node's
/// process, then those that its end has to wait for. A later one without descriptors brings
/// other addresses.
struct ward_order {
  std::string node_name;
  node_id node;
  std::string secret;
  std::vector<voter_address> voters;
  tls_files tls;
};

/// Node -> guardian: the session was closed in good order; nothing is to be reported.
inline constexpr std::string_view bye = R"({"bye":true})";

/// Guardian -> node.
struct report {
  /// Links to voters, and how many there should be.
  std::size_t linked = 0;
  std::size_t voters = 0;
  /// One line for the node's log; may be empty.
  std::string line;
  bool warn = false;
};

[[nodiscard]] std::string encode(const ward_order& what);
[[nodiscard]] std::string encode(const report& what);
/// Total: false if the bytes are no such packet.
[[nodiscard]] bool decode(std::string_view bytes, ward_order& out);
[[nodiscard]] bool decode(std::string_view bytes, report& out);

} // namespace paxtor::guardian
