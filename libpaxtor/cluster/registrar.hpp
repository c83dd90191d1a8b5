#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/cluster/lease_keeper.hpp"
#include "libpaxtor/cluster/messages.hpp"
#include "libpaxtor/paxos/output.hpp"
#include "libpaxtor/registry/machine.hpp"

namespace paxtor::cluster {

struct registrar_output {
  /// Answers and effects, gathered per node.
  std::vector<to_node> send;
  /// For the lease keeper; at most one per turn.
  std::vector<applied_note> notes;
};

/// The registry at work: applies decided entries, sends answers and effects while its voter leads,
/// answers reads, makes and installs images. It sits beside the learner, in the same actor.
///
/// I22 the image of a snapshot that the log installs can be read. (Going on without it would apply
///     entries to a state that no other replica has.)
class registrar {
public:
  /// Reads that wait for their slot; one more is dropped, and its node asks again.
  static constexpr std::size_t max_reads_waiting = 65536;
  /// Answers of one message, so that it stays far below the bound of a frame.
  static constexpr std::size_t max_answer_bytes = std::size_t{1} << 20;
  /// Effects of one message, likewise; more are told as a sync in parts.
  static constexpr std::size_t max_effect_bytes = std::size_t{1} << 20;

  /// `effect_bytes`: smaller ones let the simulator see many parts.
  explicit registrar(std::size_t effect_bytes = max_effect_bytes);

  /// Whether this voter leads: only then are answers and effects sent (they are true anywhere; this
  /// saves messages).
  void lead(bool leading);

  void install(const paxos::write_snapshot& snapshot);
  void apply(const std::vector<paxos::decided_entry>& entries);

  void read(ready_read what);
  void sync(const watermark_note& note);

  /// Of all that is applied. O(registry), on the caller's thread; what a voter stores is made by
  /// `make_image`.
  [[nodiscard]] blob image() const;
  /// The last entry that is applied.
  [[nodiscard]] index last() const { return last_; }
  [[nodiscard]] registrar_output take_output();
  [[nodiscard]] const registry::machine& machine() const;

  /// Entries that could not be read, and reads that were dropped.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  /// The first decided entry that this build cannot read. A leader proposes nothing that it cannot
  /// read, so a newer one did: from here on this state may differ from that of others, and its
  /// voter must stop (README.md, "Versions").
  [[nodiscard]] std::optional<index> unreadable() const { return unreadable_; }

private:
  void cannot_read(const paxos::decided_entry& entry);
  void gather(registry::outcome&& result);
  void send_sync(session_id session, index watermark);
  void note_progress(slot upto, index last);
  void answer_reads();
  void answer(const ready_read& what);

  std::size_t effect_bytes_;
  registry::machine machine_;
  bool leading_ = false;
  slot applied_;
  index last_;
  std::multimap<slot, ready_read> reads_;
  /// Answers of this turn, per node and session, in order.
  std::map<std::pair<node_id, session_id>, std::vector<registry::answer>> answers_;
  registrar_output out_;
  std::uint64_t dropped_ = 0;
  std::optional<index> unreadable_;
};

} // namespace paxtor::cluster
