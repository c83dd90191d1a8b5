#pragma once

/// \file
/// Strong types for everything that is counted or named in the protocol. Two different ids never
/// compare, convert or mix; `.value` is for codecs and logs only.

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace paxtor {

/// An integer that only compares with its own kind. `Tag` is never defined.
template <class Tag>
struct strong {
  std::uint64_t value = 0;

  constexpr strong() = default;
  constexpr explicit strong(std::uint64_t init) : value(init) {}

  constexpr auto operator<=>(const strong&) const = default;

  /// The successor. REQUIRES: value is not the largest integer (never reached in practice).
  [[nodiscard]] constexpr strong next() const { return strong{value + 1}; }

  /// True unless this is the zero value, which every id uses for "none".
  [[nodiscard]] constexpr bool valid() const { return value != 0; }

  template <class Packer>
  void msgpack_pack(Packer& pk) const {
    pk.pack(value);
  }

  template <class Object>
  void msgpack_unpack(Object obj) {
    const std::uint64_t number = obj;
    value = number;
  }
};

template <class Tag>
[[nodiscard]] std::string to_string(strong<Tag> x) {
  return std::to_string(x.value);
}

/// Names a voter's store: random, made with the store, gone with the store.
using voter_id = strong<struct voter_id_tag>;

/// Names a node's incarnation: random and new at every start of the process.
using node_id = strong<struct node_id_tag>;

/// Names one formed cluster: what all initial voters agreed on.
using cluster_id = strong<struct cluster_id_tag>;

/// A position in the log; its value is a batch of entries. The first slot is 1; 0 means "before the
/// log".
using slot = strong<struct slot_tag>;

/// The number of an entry counted over all batches: strictly growing, the same on every replica.
/// First is 1.
using index = strong<struct index_tag>;

/// A node's stay in the cluster: the index of its `open_session` entry.
using session_id = strong<struct session_id_tag>;

/// The index of the entry that granted a lock or started a singleton. Grows per key by
/// construction.
using token = strong<struct token_tag>;

/// An actor on its node. Unique within one node incarnation, never reused there.
using local_actor_id = strong<struct local_actor_id_tag>;

/// Numbers the commands of one session, from 1.
using seq = strong<struct seq_tag>;

/// Numbers one replica's writes to its own store, from 1.
using write_id = strong<struct write_id_tag>;

/// (round, voter), ordered by round first. Unique because a voter uses a round at most once.
struct ballot {
  std::uint64_t round = 0;
  voter_id voter;

  constexpr auto operator<=>(const ballot&) const = default;

  /// True unless this is the zero ballot, which nobody ever leads.
  [[nodiscard]] constexpr bool valid() const { return round != 0; }

  template <class Packer>
  void msgpack_pack(Packer& pk) const {
    pk.pack_array(2);
    pk.pack(round);
    pk.pack(voter.value);
  }

  template <class Object>
  void msgpack_unpack(Object obj) {
    const std::array<std::uint64_t, 2> parts = obj;
    round = parts[0];
    voter = voter_id{parts[1]};
  }
};

[[nodiscard]] inline std::string to_string(const ballot& x) {
  return std::to_string(x.round) + "." + std::to_string(x.voter.value);
}

/// Who holds or waits: an actor of a session. Ordered, so that it can be a key.
struct owner_id {
  session_id session;
  local_actor_id actor;

  constexpr auto operator<=>(const owner_id&) const = default;

  template <class Packer>
  void msgpack_pack(Packer& pk) const {
    pk.pack_array(2);
    pk.pack(session.value);
    pk.pack(actor.value);
  }

  template <class Object>
  void msgpack_unpack(Object obj) {
    const std::array<std::uint64_t, 2> parts = obj;
    session = session_id{parts[0]};
    actor = local_actor_id{parts[1]};
  }
};

[[nodiscard]] inline std::string to_string(const owner_id& x) {
  return std::to_string(x.session.value) + "/" + std::to_string(x.actor.value);
}

} // namespace paxtor

template <class Tag>
struct std::hash<paxtor::strong<Tag>> {
  std::size_t operator()(paxtor::strong<Tag> x) const noexcept {
    return std::hash<std::uint64_t>{}(x.value);
  }
};
