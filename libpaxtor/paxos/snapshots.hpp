#pragma once

/// \file
/// Both ends of a snapshot's way to a learner that is behind the log (L4). Chunks are asked for one
/// by one, so the log streams on while a snapshot is served, and a lost chunk is asked for again.
/// Owned by a learner.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::paxos {

/// The sender's end: the newest durable snapshot, and the one before it for whoever is in the
/// middle of it.
class snapshot_source {
public:
  /// A newer snapshot is durable.
  void publish(write_snapshot image);

  [[nodiscard]] const std::optional<write_snapshot>& newest() const { return newest_; }

  /// The newest snapshot's last slot; 0 if there is none.
  [[nodiscard]] slot upto() const { return newest_ ? newest_->upto : slot{}; }

  /// The chunk that was asked for; the newest snapshot's first if that snapshot is gone. Nothing if
  /// there is no snapshot, or the offset lies outside.
  [[nodiscard]] std::optional<snapshot_chunk> chunk(time_point now, const learn_snapshot& asked,
                                                    std::size_t chunk_bytes);

  /// Drops the older snapshot when nobody has asked for it for `patience`.
  void tick(time_point now, duration patience);

private:
  std::optional<write_snapshot> newest_;
  std::optional<write_snapshot> older_;
  time_point older_asked_at_{};
};

/// The receiver's end: one transfer from one sender. Chunks of another sender's snapshot are never
/// mixed in.
class snapshot_sink {
public:
  /// REQUIRES: `first` is well formed (see `acceptable`) and at offset 0.
  snapshot_sink(voter_id source, const snapshot_chunk& first);

  /// True for a chunk that can be part of a snapshot, by its numbers.
  [[nodiscard]] static bool acceptable(const snapshot_chunk& part);

  /// True if the chunk belongs to this transfer.
  [[nodiscard]] bool matches(voter_id from, const snapshot_chunk& part) const;

  /// Appends the chunk if it is the next one; returns false for a repeated or an early one.
  bool add(const snapshot_chunk& part);

  [[nodiscard]] bool complete() const { return image_.size() == total_; }
  [[nodiscard]] learn_snapshot next() const { return {upto_, image_.size()}; }
  [[nodiscard]] voter_id source() const { return source_; }
  [[nodiscard]] slot upto() const { return upto_; }

  /// Counts a chunk that did not come in time; true when the source should be given up.
  [[nodiscard]] bool give_up() { return ++lost_ > most_lost; }

  /// REQUIRES: complete().
  [[nodiscard]] write_snapshot take();

private:
  /// Questions in a row without an answer, after which another peer is asked from the start.
  static constexpr int most_lost = 5;

  voter_id source_;
  slot upto_;
  index last_;
  configuration voters_;
  slot voters_since_;
  std::uint64_t total_ = 0;
  std::string image_;
  int lost_ = 0;
};

} // namespace paxtor::paxos
