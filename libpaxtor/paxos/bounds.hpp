#pragma once

/// \file
/// What the log takes from peers at most. Anything beyond is counted and dropped, so that no number
/// in a message, however large, makes memory grow or a loop run long.

#include <cstddef>
#include <cstdint>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/config.hpp"

namespace paxtor::paxos {

/// Slots ahead of what is decided that an acceptor accepts and a learner keeps; also the most slots
/// that a leader has in flight, whatever limits::slots_in_flight says. A follower further behind
/// catches up by `learn`.
inline constexpr std::uint64_t max_slots_ahead = 4096;

/// Slots that an acceptor holds above its truncation. At the bound it accepts no more until a
/// snapshot lets it truncate: the log stalls rather than fill the memory. Snapshots come at
/// limits::snapshot_entries, far below.
inline constexpr std::uint64_t max_slots_held = std::uint64_t{1} << 20;

/// How far a ballot's round may lie above the highest known. Rounds grow by one per campaign.
inline constexpr std::uint64_t max_round_jump = std::uint64_t{1} << 32;

/// Voters of one configuration. A `configure` entry with more, or none, or with an id twice,
/// changes nothing.
inline constexpr std::size_t max_voters = 64;

/// Bytes of one entry. `propose` refuses a longer one; a batch that holds one still fits a frame.
inline constexpr std::size_t max_entry_bytes = std::size_t{4} << 20;

/// Bytes of entries that wait for a slot; a proposal beyond is refused, as beyond
/// limits::entries_waiting.
inline constexpr std::size_t max_waiting_bytes = std::size_t{256} << 20;

/// Parts of a promise that are told at a time: as many as are under way on a link.
inline constexpr std::uint32_t promise_parts_at_once = 4;

/// Replies that an acceptor holds back until a write is durable. Beyond it replies are dropped, as
/// if lost.
inline constexpr std::size_t max_replies_held = 65536;

/// Parts of one voter's promise.
inline constexpr std::uint32_t max_promise_parts = std::uint32_t{1} << 20;

/// Slots in one answer to `learn`; its bytes are bounded by limits::chunk_bytes.
inline constexpr std::size_t max_slots_learned = 1024;

/// Bytes of a snapshot that is taken from a peer.
inline constexpr std::uint64_t max_snapshot_bytes = std::uint64_t{4} << 30;

/// True for a ballot that somebody can lead, not absurdly far above what is known.
[[nodiscard]] constexpr bool plausible(const ballot& at, const ballot& known) {
  return at.valid() && at.voter.valid()
         && (at.round <= known.round || at.round - known.round <= max_round_jump);
}

/// True for a configuration that can decide: 1 to max_voters members, no id twice, no id zero.
[[nodiscard]] bool usable(const configuration& voters);

} // namespace paxtor::paxos
