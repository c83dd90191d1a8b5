#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/storage/store.hpp"

namespace paxtor::storage {

/// A store in one SQLite file, WAL, `synchronous=FULL`: what `append` wrote survives the process
/// and a loss of power. Writes of one `append` are one transaction, so one sync. Every row carries
/// a checksum over all that it says: a voter never votes on state it cannot trust.
///
/// The caller sees to it that one process uses a directory at a time (its data directory's lock);
/// SQLite's own lock is the second line. A file that is a copy is refused: two voters with one id,
/// or one that forgot what it promised since, would break the promise.
///
/// I51 after a call that failed every later one fails.
/// I52 a snapshot that is written in parts is the one in force only with its last part; until then
///     `load` gives the one before, whole.
class sqlite_store : public store {
public:
  /// Raised when the file changes its meaning. A file of a newer one is refused.
  static constexpr int format = 2;
  /// The file's name in its directory.
  static constexpr const char* file_name = "voter.db";
  /// A snapshot's image lies in rows of this size.
  static constexpr std::size_t image_part_bytes = std::size_t{1} << 20;

  /// Bytes of the file; more are refused, and the voter stops with a reason.
  static constexpr std::uint64_t default_max_bytes = std::uint64_t{64} << 30;

  enum class access : std::uint8_t {
    make,  ///< a directory without a store gets a blank one
    read,  ///< no file is made or changed; nobody else may write meanwhile
    adopt, ///< as make, and also a copy: whoever says so knows that it is to be the only one
  };

  /// `fresh` becomes the voter's id if the store is blank (L5): random, made with the store. If the
  /// store cannot be opened, `load` says why.
  sqlite_store(const std::string& directory, voter_id fresh, access how = access::make,
               std::uint64_t max_bytes = default_max_bytes);
  ~sqlite_store() override;

  /// ERRORS: what is wrong with which file, and what to do: not a store, of a newer version, in
  /// use, damaged (which row).
  [[nodiscard]] loaded load() override;

  /// ERRORS: which file, what the system says; then the voter stops.
  [[nodiscard]] result append(const std::vector<paxos::write>& writes) override;

  /// One part of `image_part_bytes`, in a transaction of its own; parts of former snapshots go
  /// along the way. What a crash leaves of one that was not finished goes with the next one.
  [[nodiscard]] part_written write_part(const paxos::write_snapshot& what) override;

  /// Puts `state` in place of all that the store holds, in one transaction: also the voter's id.
  /// For a voter that is not running.
  [[nodiscard]] result replace(const paxos::recovered& state);

  [[nodiscard]] const std::string& describe() const override { return describe_; }
  [[nodiscard]] bool volatile_store() const override { return false; }

private:
  struct database;

  template <class Body>
  [[nodiscard]] result as_a_whole(Body body);

  std::unique_ptr<database> db_;
  std::string describe_;
};

} // namespace paxtor::storage
