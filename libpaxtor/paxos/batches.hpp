#pragma once

/// \file
/// Entries to the value of a slot and back. A batch is encoded while it fills: each entry is packed
/// once, when it is proposed, straight into the bytes that every voter will be sent.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/paxos/messages.hpp"

namespace paxtor::paxos {

/// The bytes of a batch of these entries.
[[nodiscard]] batch make_batch(const std::vector<entry>& entries);

/// The entries of a batch; false if the bytes are none (a decided value of that kind counts as
/// empty, on every replica alike).
[[nodiscard]] bool entries_of(const batch& value, std::vector<entry>& out);

/// The voters that a `configure` entry names, if it is one and they are usable.
[[nodiscard]] std::optional<configuration> configuration_of(const entry& what);

/// The voters from the next slot on, if this value changes them: its last usable `configure`.
[[nodiscard]] std::optional<configuration> configuration_after(const batch& value);

/// Entries that wait for a slot, already packed into batches. Bounded by limits::entries_waiting.
/// Owned by a pipeline; lives for one reign.
class batch_queue {
public:
  /// A batch that is ready to be proposed.
  struct ready {
    batch value;
    /// Set if the batch ends with a `configure`: nothing may be proposed beyond it until it is
    /// decided (I7).
    std::optional<configuration> changes;
  };

  explicit batch_queue(const limits& bounds) : bounds_(bounds) {}

  /// Packs the entry behind the others. Returns false if too many wait, the entry is too long, or
  /// it is a `configure` without usable voters.
  [[nodiscard]] bool add(const entry& what);

  [[nodiscard]] bool empty() const { return open_.empty(); }
  [[nodiscard]] std::size_t entries() const { return entries_; }

  /// The oldest batch. REQUIRES: !empty().
  [[nodiscard]] ready take();

private:
  struct filling {
    std::string bytes;
    std::uint32_t count = 0;
    std::optional<configuration> changes;
  };

  limits bounds_;
  std::deque<filling> open_;
  std::size_t entries_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace paxtor::paxos
