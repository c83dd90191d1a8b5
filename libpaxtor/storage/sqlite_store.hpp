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
/// SQLite's own lock is the second line.
class sqlite_store : public store {
public:
  /// Raised when the file changes its meaning. A file of a newer one is refused.
  static constexpr int format = 1;
  /// The file's name in its directory.
  static constexpr const char* file_name = "voter.db";
  /// A snapshot's image lies in rows of this size.
  static constexpr std::size_t image_part_bytes = std::size_t{1} << 20;

  /// Bytes of the file; more are refused, and the voter stops with a reason.
  static constexpr std::uint64_t default_max_bytes = std::uint64_t{64} << 30;

  enum class access : std::uint8_t {
    make, ///< a directory without a store gets a blank one
    read, ///< for inspection: no file is made or changed
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

  [[nodiscard]] const std::string& describe() const override { return describe_; }
  [[nodiscard]] bool volatile_store() const override { return false; }

private:
  struct database;

  std::unique_ptr<database> db_;
  std::string describe_;
};

} // namespace paxtor::storage
