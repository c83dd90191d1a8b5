#pragma once

/// \file
/// What the rows of a store mean, and what they are checked by. Shared by the store and by whoever
/// only looks into one.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <msgpack.hpp>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/storage/sqlite_db.hpp"

namespace paxtor::storage {

// What the rows of `facts` are called.
inline constexpr std::string_view self_fact = "self";
inline constexpr std::string_view promise_fact = "promise";
inline constexpr std::string_view truncated_fact = "truncated";
inline constexpr std::string_view formation_fact = "formation";
inline constexpr std::string_view snapshot_fact = "snapshot";
inline constexpr std::string_view open_fact = "open";
inline constexpr std::string_view home_fact = "home";

/// The snapshot in force, without its image: that lies in the parts from `first` on. Parts with
/// other numbers are of a snapshot before, or of one that was never finished.
struct snapshot_note {
  slot upto;
  index last;
  paxos::configuration voters;
  std::uint64_t parts = 0;
  std::uint64_t bytes = 0;
  /// Format 1 had no such field: its parts began with 0.
  std::uint64_t first = 0;
  slot voters_since{};
  MSGPACK_DEFINE(upto, last, voters, parts, bytes, first, voters_since)
};

/// Over all that a row says, and which row it is: a row that was damaged or moved does not match.
[[nodiscard]] std::uint64_t checksum(std::string_view table, std::string_view key,
                                     std::string_view value);

/// The key of an accepted value.
[[nodiscard]] std::string key_of(slot where, const ballot& at);

/// The key of an image's part: not to be mixed with parts of another snapshot. `nth` counts from 0.
[[nodiscard]] std::string key_of_part(slot upto, std::uint64_t nth);

/// One store's file. Throws db_error, as all that works with a connection.
class sqlite_tables {
public:
  enum class access : std::uint8_t { write, read };

  /// Before anything is written it is made sure that the file is no other program's.
  sqlite_tables(const std::string& file, access how);

  [[nodiscard]] connection& db() { return db_; }

  /// True if there is nothing in it at all.
  [[nodiscard]] bool blank() const { return version_ == 0; }
  /// The format of the file; 0 if it is blank.
  [[nodiscard]] int version() const { return version_; }

  /// Makes the tables in a blank file.
  void make();
  void set_version();

  void put_fact(std::string_view name, std::string_view value);
  /// nullopt: there is none.
  [[nodiscard]] std::optional<std::string> fact(std::string_view name);
  template <class T>
  bool read_fact(std::string_view name, T& out) {
    const auto value = fact(name);
    if (!value)
      return false;
    if (!decode(*value, out))
      damaged("'" + std::string{name} + "'");
    return true;
  }

  [[nodiscard]] std::optional<snapshot_note> snapshot();

  /// The first number that no part of an image has, nor any above it.
  [[nodiscard]] std::uint64_t free_part();
  void put_part(slot upto, std::uint64_t number, std::uint64_t nth, std::string_view bytes);
  /// Removes at most `most` parts below `below` that are not of the snapshot in force.
  void drop_stale_parts(std::uint64_t below, std::uint64_t most);

  /// What was written last lies in the file beside the database until it is moved over. Who deletes
  /// it, or copies the database alone, would have a voter that forgot. `there`: it was there before
  /// this connection was opened.
  void check_log(bool there);

  /// The file's own number, as the system has it: it stays as long as the file does, and a copy has
  /// another.
  [[nodiscard]] std::uint64_t own_number() const;
  /// False if the file says that it is another: then it is a copy.
  [[nodiscard]] bool at_home();

  [[noreturn]] void damaged(const std::string& what) const;

private:
  void check_kind();

  connection db_;
  int version_ = 0;
};

} // namespace paxtor::storage
