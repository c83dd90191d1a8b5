#include "libpaxtor/storage/sqlite_tables.hpp"

#include <algorithm>

#include <sys/stat.h>

#include "libpaxtor/base/digest.hpp"
#include "libpaxtor/storage/sqlite_store.hpp"

namespace paxtor::storage {

namespace {

/// "Pxtr": tells a store of ours from any other SQLite file.
constexpr std::uint64_t application = 0x50787472;

} // namespace

std::uint64_t checksum(std::string_view table, std::string_view key, std::string_view value) {
  std::string all;
  all.reserve(table.size() + key.size() + value.size() + 2);
  all += table;
  all.push_back('\0');
  all += key;
  all.push_back('\0');
  all += value;
  const auto digest = sha256(all);
  std::uint64_t result = 0;
  for (int i = 0; i < 8; ++i)
    result = result << 8 | static_cast<unsigned char>(digest[static_cast<std::size_t>(i)]);
  return result;
}

std::string key_of(slot where, const ballot& at) {
  return to_string(where) + "/" + to_string(at);
}

std::string key_of_part(slot upto, std::uint64_t nth) {
  return to_string(upto) + "/" + std::to_string(nth);
}

sqlite_tables::sqlite_tables(const std::string& file, access how)
    : db_(file, how == access::write) {
  check_kind();
}

void sqlite_tables::check_kind() {
  const auto one = [this](const char* text) {
    auto row = db_.use(text);
    return row.step() ? row.number(0) : 0;
  };
  const auto tables = one("SELECT count(*) FROM sqlite_schema");
  const auto kind = one("PRAGMA application_id");
  const auto version = one("PRAGMA user_version");
  if (tables == 0 && kind == 0)
    return;
  if (kind != application)
    throw db_error(db_.file()
                   + ": is a database of another program; give this voter a directory of its own");
  if (version > static_cast<std::uint64_t>(sqlite_store::format))
    throw db_error(db_.file() + ": was written by a newer version of paxtor (format "
                   + std::to_string(version) + ", this one reads up to "
                   + std::to_string(sqlite_store::format) + "); run that version");
  version_ = static_cast<int>(version);
}

void sqlite_tables::make() {
  db_.execute("CREATE TABLE facts(name TEXT PRIMARY KEY, value BLOB NOT NULL,"
              " sum INTEGER NOT NULL) WITHOUT ROWID;"
              "CREATE TABLE accepted(slot INTEGER PRIMARY KEY, round INTEGER NOT NULL,"
              " voter INTEGER NOT NULL, value BLOB NOT NULL, sum INTEGER NOT NULL);"
              "CREATE TABLE image(part INTEGER PRIMARY KEY, bytes BLOB NOT NULL,"
              " sum INTEGER NOT NULL);"
              "PRAGMA application_id="
              + std::to_string(application));
  set_version();
}

void sqlite_tables::set_version() {
  db_.execute("PRAGMA user_version=" + std::to_string(sqlite_store::format));
  version_ = sqlite_store::format;
}

// -- rows -----------------------------------------------------------------------------------------

void sqlite_tables::damaged(const std::string& what) const {
  throw db_error(db_.file() + ": " + what
                 + " does not match its checksum: the file is damaged, and a voter that may have "
                   "forgotten something must not vote. Move the directory away; the node then "
                   "comes back as a new voter");
}

void sqlite_tables::put_fact(std::string_view name, std::string_view value) {
  db_.use("INSERT OR REPLACE INTO facts(name, value, sum) VALUES(CAST(?1 AS TEXT), ?2, ?3)")
    .bind(name)
    .bind(value)
    .bind(checksum("facts", name, value))
    .run();
}

std::optional<std::string> sqlite_tables::fact(std::string_view name) {
  auto row = db_.use("SELECT value, sum FROM facts WHERE name = CAST(?1 AS TEXT)");
  row.bind(name);
  if (!row.step())
    return std::nullopt;
  std::string value{row.bytes(0)};
  if (row.number(1) != checksum("facts", name, value))
    damaged("'" + std::string{name} + "'");
  return value;
}

std::optional<snapshot_note> sqlite_tables::snapshot() {
  snapshot_note note;
  if (!read_fact(snapshot_fact, note))
    return std::nullopt;
  return note;
}

std::uint64_t sqlite_tables::free_part() {
  auto row = db_.use("SELECT max(part) + 1 FROM image");
  const auto above = row.step() ? row.number(0) : 0;
  // Those in force may be missing: then nobody may think that others are they.
  const auto note = snapshot();
  return note ? std::max(above, note->first + note->parts) : above;
}

void sqlite_tables::put_part(slot upto, std::uint64_t number, std::uint64_t nth,
                             std::string_view bytes) {
  db_.use("INSERT INTO image(part, bytes, sum) VALUES(?1, ?2, ?3)")
    .bind(number)
    .bind(bytes)
    .bind(checksum("image", key_of_part(upto, nth), bytes))
    .run();
}

void sqlite_tables::drop_stale_parts(std::uint64_t below, std::uint64_t most) {
  const auto note = snapshot().value_or(snapshot_note{});
  db_
    .use("DELETE FROM image WHERE part IN (SELECT part FROM image WHERE part < ?1"
         " AND (part < ?2 OR part >= ?3) ORDER BY part LIMIT ?4)")
    .bind(below)
    .bind(note.first)
    .bind(note.first + note.parts)
    .bind(most)
    .run();
}

// -- which file this is ---------------------------------------------------------------------------

void sqlite_tables::check_log(bool there) {
  std::uint64_t open = 0;
  if (!there && read_fact(open_fact, open) && open == 1)
    throw db_error(db_.file()
                   + "-wal: is missing, and holds what this voter wrote last: put it back beside "
                   + sqlite_store::file_name
                   + ". If it is lost, move the directory away: the node then comes back as a new "
                     "voter");
}

std::uint64_t sqlite_tables::own_number() const {
  struct stat about {};
  if (::stat(db_.file().c_str(), &about) != 0)
    throw db_error(db_.file() + ": the system does not tell which file it is");
  return about.st_ino;
}

bool sqlite_tables::at_home() {
  std::uint64_t home = 0;
  return !read_fact(home_fact, home) || home == own_number();
}

} // namespace paxtor::storage
