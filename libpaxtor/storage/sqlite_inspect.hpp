#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::storage {

/// What a SQLite store holds, for people.
struct inspection {
  /// Not empty: there is no store that could be read, and nothing else here means anything.
  std::string why;

  int format = 0;
  std::optional<voter_id> self;
  std::optional<paxos::write_formation> formation;
  ballot promised;
  slot truncated_upto;

  // Accepted values.
  slot first;
  slot last;
  std::uint64_t slots = 0;
  std::uint64_t slot_bytes = 0;

  /// Its image is left out.
  std::optional<paxos::write_snapshot> snapshot;
  std::uint64_t snapshot_bytes = 0;
  /// Parts of former or unfinished snapshots, which the next snapshot removes.
  std::uint64_t stale_parts = 0;

  std::uint64_t file_bytes = 0;
  /// The log beside the file: what was written last.
  std::uint64_t log_bytes = 0;
  /// The process that had it open closed it; else it was killed, or the machine stopped.
  bool closed = false;
  /// It was copied or restored from another place: a node refuses it.
  bool copied = false;

  /// Everything that is damaged, one line each; at most `max_damages`.
  std::vector<std::string> damages;

  static constexpr std::size_t max_damages = 100;
};

/// Reads all of the store in `directory` and checks it, row by row; changes nothing, makes no file.
/// What a killed voter had written last lies in the log beside the file, and is read from there.
/// REQUIRES: nobody has it open (the data directory's lock).
[[nodiscard]] inspection inspect(const std::string& directory);

} // namespace paxtor::storage
