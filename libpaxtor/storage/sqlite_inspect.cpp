#include "libpaxtor/storage/sqlite_inspect.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "libpaxtor/storage/sqlite_store.hpp"
#include "libpaxtor/storage/sqlite_tables.hpp"

namespace paxtor::storage {

namespace {

std::uint64_t size_of(const std::string& file) {
  std::error_code none;
  const auto bytes = std::filesystem::file_size(file, none);
  return none ? 0 : bytes;
}

/// Goes on where the store itself would stop: at each fault it notes it and looks at the next.
class inspector {
public:
  explicit inspector(sqlite_tables& tables) : tables_(tables) {}

  [[nodiscard]] inspection look() {
    out_.format = tables_.version();
    look_at_facts();
    part("the accepted values", [this] { look_at_accepted(); });
    part("the snapshot", [this] { look_at_image(); });
    part("the file", [this] { look_at_pages(); });
    return std::move(out_);
  }

private:
  void note(std::string what) {
    if (out_.damages.size() < inspection::max_damages)
      out_.damages.push_back(std::move(what));
  }

  /// What SQLite itself cannot read.
  template <class Body>
  void part(const std::string& name, Body body) {
    try {
      body();
    } catch (const db_error& error) {
      note(name + ": " + error.what());
    }
  }

  template <class T>
  [[nodiscard]] std::optional<T> fact(std::string_view name) {
    std::optional<T> result;
    part("fact " + std::string{name}, [&] {
      T value;
      if (tables_.read_fact(name, value))
        result = std::move(value);
    });
    return result;
  }

  void look_at_facts() {
    if (auto self = fact<std::uint64_t>(self_fact))
      out_.self = voter_id{*self};
    else
      note("the voter's id is missing");
    out_.formation = fact<paxos::write_formation>(formation_fact);
    out_.promised =
      fact<paxos::write_promise>(promise_fact).value_or(paxos::write_promise{}).promised;
    out_.truncated_upto =
      fact<paxos::write_truncate>(truncated_fact).value_or(paxos::write_truncate{}).upto;
    out_.closed = fact<std::uint64_t>(open_fact).value_or(0) == 0;
    part("fact home", [this] { out_.copied = !tables_.at_home(); });
    note_ = fact<snapshot_note>(snapshot_fact);
    if (note_) {
      out_.snapshot = paxos::write_snapshot{note_->upto, note_->last, note_->voters, {}};
      out_.snapshot_bytes = note_->bytes;
    }
  }

  void look_at_accepted() {
    auto row =
      tables_.db().use("SELECT slot, round, voter, value, sum FROM accepted ORDER BY slot");
    while (row.step()) {
      const slot where{row.number(0)};
      const ballot at{row.number(1), voter_id{row.number(2)}};
      if (row.number(4) != checksum("accepted", key_of(where, at), row.bytes(3)))
        note("slot " + to_string(where) + " does not match its checksum");
      if (out_.slots++ == 0)
        out_.first = where;
      out_.last = where;
      out_.slot_bytes += row.bytes(3).size();
    }
  }

  void look_at_image() {
    const auto where = note_.value_or(snapshot_note{});
    std::uint64_t parts = 0;
    std::uint64_t bytes = 0;
    auto row = tables_.db().use("SELECT part, bytes, sum FROM image ORDER BY part");
    while (row.step()) {
      const auto number = row.number(0);
      if (!note_ || number < where.first || number >= where.first + where.parts) {
        ++out_.stale_parts;
        continue;
      }
      const auto nth = number - where.first;
      if (row.number(2) != checksum("image", key_of_part(where.upto, nth), row.bytes(1)))
        note("part " + std::to_string(nth) + " of the snapshot does not match its checksum");
      ++parts;
      bytes += row.bytes(1).size();
    }
    if (parts != where.parts || bytes != where.bytes)
      note("the snapshot has " + std::to_string(parts) + " parts and " + std::to_string(bytes)
           + " bytes, and should have " + std::to_string(where.parts) + " and "
           + std::to_string(where.bytes));
  }

  /// SQLite's own pages.
  void look_at_pages() {
    auto row = tables_.db().use("PRAGMA quick_check(20)");
    while (row.step()) {
      const std::string line{row.bytes(0)};
      if (line != "ok")
        note("SQLite: " + line);
    }
  }

  sqlite_tables& tables_;
  std::optional<snapshot_note> note_;
  inspection out_;
};

} // namespace

inspection inspect(const std::string& directory) {
  const auto file = directory + "/" + sqlite_store::file_name;
  const auto log = size_of(file + "-wal");
  inspection result;
  try {
    sqlite_tables tables{file, sqlite_tables::access::read};
    if (tables.blank())
      throw db_error(file + ": is blank: no voter was ever started with it");
    result = inspector{tables}.look();
    try {
      tables.check_log(log > 0);
    } catch (const db_error& error) {
      result.damages.emplace_back(error.what());
    }
  } catch (const db_error& error) {
    result.why = error.what();
  }
  result.file_bytes = size_of(file);
  result.log_bytes = log;
  return result;
}

} // namespace paxtor::storage
