#pragma once

/// \file
/// What the owner of a lock gets, and what other answers of the cluster look like.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>
#include <nlohmann/json.hpp>

namespace paxtor {

namespace detail {

/// The node's lease, as the session agent publishes it: read by any thread without a lock.
class lease_view;

} // namespace detail

/// Proof that the actor that asked owns the keys until it exits. There is no unlock: the owner's
/// end is the release.
class grant {
public:
  grant() = default;
  grant(std::uint64_t token, std::vector<std::string> keys,
        std::shared_ptr<const detail::lease_view> lease, std::uint64_t session, bool strict);

  /// The fencing token: larger than that of every earlier owner of these keys. Store it with what
  /// you write, and refuse writes with a smaller one: the only defence against a process that was
  /// frozen and thawed.
  [[nodiscard]] std::uint64_t token() const { return token_; }

  /// The keys, canonical JSON.
  [[nodiscard]] const std::vector<std::string>& keys() const { return keys_; }

  /// False once the node's session has been fenced: the owner is being stopped. A read of a local
  /// clock. A strict owner's stays true until its node leaves: silence takes nothing from it, only
  /// its end does.
  [[nodiscard]] bool valid() const;

  /// How long valid() stays true if the cluster is not heard from again: until then work may go on
  /// unasked. Zero once it is false; nanoseconds::max() for a strict owner.
  [[nodiscard]] std::chrono::nanoseconds time_left() const;

private:
  std::uint64_t token_ = 0;
  std::vector<std::string> keys_;
  std::shared_ptr<const detail::lease_view> lease_;
  std::uint64_t session_ = 0;
  bool strict_ = false;
};

/// Where a singleton lives.
struct whereabouts {
  std::string node; ///< the node's name
  std::uint64_t node_id = 0;
  std::string endpoint; ///< host:port, or empty
  std::string type;     ///< the actor type
  std::uint64_t token = 0;
};

/// An answer that is JSON: get, list, put (the value), why, members.
struct document {
  nlohmann::json value;
  /// get: false if there is no such entry (`value` is null).
  bool found = true;
};

} // namespace paxtor

// Answers travel between actors of one process only, never over the wire.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::grant)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::whereabouts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::document)
