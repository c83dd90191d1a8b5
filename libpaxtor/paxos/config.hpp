#pragma once

/// \file
/// Who votes, and the protocol's times and bounds.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <msgpack.hpp>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/time.hpp"

namespace paxtor::paxos {

/// One voter: its store's id, and the operator's name of the node it runs on.
struct member {
  voter_id id;
  std::string name;
  /// HOST:PORT where others reach it; empty: where their settings say that a voter of its name is.
  std::string address{};

  auto operator<=>(const member&) const = default;
  MSGPACK_DEFINE(id, name, address)
};

/// The voters of a range of slots, ordered by name. A majority is counted over `members` alone.
struct configuration {
  std::vector<member> members;

  bool operator==(const configuration&) const = default;

  [[nodiscard]] std::size_t majority() const { return members.size() / 2 + 1; }

  [[nodiscard]] bool contains(voter_id id) const {
    return std::any_of(members.begin(), members.end(),
                       [id](const member& m) { return m.id == id; });
  }

  MSGPACK_DEFINE(members)
};

/// "a, b, c", for people.
[[nodiscard]] inline std::string names_of(const configuration& voters) {
  std::string result;
  for (const auto& who : voters.members)
    result += (result.empty() ? "" : ", ") + who.name;
  return result;
}

/// Times and bounds of the log. All voters of a cluster must use the same times.
struct timing {
  duration tick = std::chrono::milliseconds{25};
  duration heartbeat = std::chrono::milliseconds{75};
  duration election_min = std::chrono::milliseconds{250};
  duration election_max = std::chrono::milliseconds{500};
};

struct limits {
  /// Entries in one batch; more wait for the next slot.
  std::size_t batch_entries = 1024;
  /// Bytes in one batch, unless a single entry is larger.
  std::size_t batch_bytes = std::size_t{1} << 20;
  /// Slots proposed and not yet decided; further proposals gather into the next batch.
  std::size_t slots_in_flight = 16;
  /// The same while a new leader proposes again what phase 1 recovered, as long as they have less
  /// than batch_bytes: after a restart of all voters that is all since the last snapshot, a slot
  /// for each command if they came one by one, and clients wait for all of it.
  std::size_t slots_recovering = 1024;
  /// So many slots in a row, at least, that the promises show as decided are not proposed again.
  /// The followers ask for them later, so a few are cheaper proposed.
  std::size_t slots_known_decided = 256;
  /// Entries that wait for a slot; a proposal beyond is refused (`propose` returns false).
  std::size_t entries_waiting = 65536;
  /// Decided slots that are kept below a snapshot, so that a replica slightly behind needs no
  /// snapshot.
  std::size_t slots_kept = 1024;
  /// A snapshot is asked for after this many entries, or bytes, whichever comes first.
  std::size_t snapshot_entries = 100'000;
  std::size_t snapshot_bytes = std::size_t{64} << 20;
  /// Bytes of accepted values in one part of a promise, unless a single value is larger. Small, for
  /// a candidate goes on while parts come, each within an election timeout after the one before.
  std::size_t promise_bytes = std::size_t{64} << 10;
  /// Bytes in one snapshot chunk.
  std::size_t chunk_bytes = std::size_t{256} << 10;
};

} // namespace paxtor::paxos
