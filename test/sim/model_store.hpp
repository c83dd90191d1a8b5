#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::sim {

/// What a crash may leave of the writes that were handed over and are not durable yet.
enum class crash_order : std::uint8_t {
  /// As SQLite's WAL: the transaction in flight is there as a whole or not at all (torn is not at
  /// all), and nothing of what waited behind it.
  as_synced,
  /// Each write is there or not, whatever became of those before it. No store of ours does that;
  /// the protocol rests on `persisted` alone (L1), so it must stand it.
  any,
};

/// A voter's store: writes become durable some time after they were handed over, each as a whole,
/// and one sync may cover many.
class model_store {
public:
  /// Told of each write that becomes durable, as it does.
  using witness = std::function<void(const paxos::write& what)>;

  model_store(voter_id self, witness see) : see_(std::move(see)) { durable_.self = self; }

  void append(paxos::write what) { waiting_.push_back(std::move(what)); }

  [[nodiscard]] bool idle() const { return waiting_.empty(); }

  /// A sync of at most `most` of the oldest writes begins. REQUIRES: !idle(), none is under way.
  void begin_sync(std::size_t most);

  /// The sync that is under way is done: what it covers is durable. Returns the id of the last
  /// write. REQUIRES: one is under way.
  write_id complete_sync();

  /// The process died, or the disk refused: what was not durable is kept or lost, without anybody
  /// being told.
  void crash(generator& random, crash_order order);

  /// What the next life starts from.
  [[nodiscard]] const paxos::recovered& read() const { return durable_; }

private:
  void apply(const paxos::write& what);

  paxos::recovered durable_;
  std::deque<paxos::write> waiting_;
  /// Of those that wait, the oldest that the sync under way covers.
  std::size_t syncing_ = 0;
  witness see_;
};

} // namespace paxtor::sim
