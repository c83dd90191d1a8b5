#include "libpaxtor/storage/sqlite_store.hpp"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/base/digest.hpp"
#include "libpaxtor/storage/sqlite_db.hpp"

namespace paxtor::storage {

namespace {

/// "Pxtr": tells a store of ours from any other SQLite file.
constexpr std::uint64_t application = 0x50787472;

/// SQLite's default, which `max_page_count` counts in.
constexpr std::uint64_t page_bytes = 4096;

// What the rows of `facts` are called.
constexpr std::string_view self_fact = "self";
constexpr std::string_view promise_fact = "promise";
constexpr std::string_view truncated_fact = "truncated";
constexpr std::string_view formation_fact = "formation";
constexpr std::string_view snapshot_fact = "snapshot";
constexpr std::string_view open_fact = "open";

/// A snapshot without its image, which lies in parts.
struct snapshot_note {
  slot upto;
  index last;
  paxos::configuration voters;
  std::uint64_t parts = 0;
  std::uint64_t bytes = 0;
  MSGPACK_DEFINE(upto, last, voters, parts, bytes)
};

/// Over all that a row says, and which row it is: a row that was damaged or moved does not match.
std::uint64_t checksum(std::string_view table, std::string_view key, std::string_view value) {
  std::string all{table};
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

/// The key of an image's part: not to be mixed with parts of another snapshot.
std::string key_of(slot upto, std::uint64_t part) {
  return to_string(upto) + "/" + std::to_string(part);
}

} // namespace

struct sqlite_store::database {
  std::optional<connection> db;
  /// Why there is none.
  std::string problem;
  bool writable = false;

  void open(const std::string& file, voter_id fresh, access how, std::uint64_t max_bytes);
  /// True if the file is blank.
  [[nodiscard]] bool check_kind();
  /// What was written last lies in the file beside the database until it is moved over. Who deletes
  /// it, or copies the database alone, would have a voter that forgot.
  void check_log(bool there);
  void mark_open(bool open);
  void make(voter_id fresh);

  void put_fact(std::string_view name, std::string_view value);
  [[nodiscard]] std::optional<std::string> fact(std::string_view name);
  template <class T>
  bool read_fact(std::string_view name, T& out);
  [[noreturn]] void damaged(const std::string& what);

  // One per write.
  void carry_out(const paxos::write_promise& what);
  void carry_out(const paxos::write_accepted& what);
  void carry_out(const paxos::write_truncate& what);
  void carry_out(const paxos::write_snapshot& what);
  void carry_out(const paxos::write_formation& what);

  void load_accepted(paxos::recovered& out);
  void load_snapshot(paxos::recovered& out);
  [[nodiscard]] paxos::recovered load();
};

// -- open -----------------------------------------------------------------------------------------

void sqlite_store::database::open(const std::string& file, voter_id fresh, access how,
                                  std::uint64_t max_bytes) {
  try {
    std::error_code none;
    const auto log = std::filesystem::file_size(file + "-wal", none);
    const bool log_there = !none && log > 0;
    db.emplace(file, how == access::make);
    // Before anything is written: another program's file stays as it is.
    const auto blank = check_kind();
    if (!blank)
      check_log(log_there);
    if (how == access::read)
      return;
    db->execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON");
    db->execute("PRAGMA max_page_count=" + std::to_string(max_bytes / page_bytes));
    // L5: one that lost its id, and perhaps what it promised, is not made anew.
    if (blank)
      make(fresh);
    mark_open(true);
    writable = true;
  } catch (const db_error& error) {
    db.reset();
    problem = error.what();
  }
}

bool sqlite_store::database::check_kind() {
  const auto one = [this](const char* text) {
    auto row = db->use(text);
    return row.step() ? row.number(0) : 0;
  };
  const auto tables = one("SELECT count(*) FROM sqlite_schema");
  const auto kind = one("PRAGMA application_id");
  const auto version = one("PRAGMA user_version");
  if (tables == 0 && kind == 0)
    return true;
  if (kind != application)
    throw db_error(db->file()
                   + ": is a database of another program; give this voter a directory "
                     "of its own");
  if (version > static_cast<std::uint64_t>(format))
    throw db_error(db->file() + ": was written by a newer version of paxtor (format "
                   + std::to_string(version) + ", this one reads up to " + std::to_string(format)
                   + "); run that version");
  return false;
}

void sqlite_store::database::check_log(bool there) {
  std::uint64_t open = 0;
  if (!there && read_fact(open_fact, open) && open == 1)
    throw db_error(db->file()
                   + "-wal: is missing, and holds what this voter wrote last: put it back "
                     "beside "
                   + file_name
                   + ". If it is lost, move the directory away: the node then comes back as a new "
                     "voter");
}

void sqlite_store::database::mark_open(bool open) {
  put_fact(open_fact, encode(std::uint64_t{open ? 1U : 0U}));
  // Into the database itself; the other file stays as large as it is until the store is closed.
  if (open)
    db->execute("PRAGMA wal_checkpoint(FULL)");
}

void sqlite_store::database::make(voter_id fresh) {
  transaction all{*db};
  db->execute("CREATE TABLE facts(name TEXT PRIMARY KEY, value BLOB NOT NULL,"
              " sum INTEGER NOT NULL) WITHOUT ROWID;"
              "CREATE TABLE accepted(slot INTEGER PRIMARY KEY, round INTEGER NOT NULL,"
              " voter INTEGER NOT NULL, value BLOB NOT NULL, sum INTEGER NOT NULL);"
              "CREATE TABLE image(part INTEGER PRIMARY KEY, bytes BLOB NOT NULL,"
              " sum INTEGER NOT NULL);"
              "PRAGMA application_id="
              + std::to_string(application) + "; PRAGMA user_version=" + std::to_string(format));
  put_fact(self_fact, encode(fresh.value));
  all.commit();
}

// -- rows -----------------------------------------------------------------------------------------

void sqlite_store::database::damaged(const std::string& what) {
  throw db_error(db->file() + ": " + what
                 + " does not match its checksum: the file is damaged, and a voter that may have "
                   "forgotten something must not vote. Move the directory away; the node then "
                   "comes back as a new voter");
}

void sqlite_store::database::put_fact(std::string_view name, std::string_view value) {
  db->use("INSERT OR REPLACE INTO facts(name, value, sum) VALUES(CAST(?1 AS TEXT), ?2, ?3)")
    .bind(name)
    .bind(value)
    .bind(checksum("facts", name, value))
    .run();
}

std::optional<std::string> sqlite_store::database::fact(std::string_view name) {
  auto row = db->use("SELECT value, sum FROM facts WHERE name = CAST(?1 AS TEXT)");
  row.bind(name);
  if (!row.step())
    return std::nullopt;
  std::string value{row.bytes(0)};
  if (row.number(1) != checksum("facts", name, value))
    damaged("'" + std::string{name} + "'");
  return value;
}

template <class T>
bool sqlite_store::database::read_fact(std::string_view name, T& out) {
  const auto value = fact(name);
  if (!value)
    return false;
  if (!decode(*value, out))
    damaged("'" + std::string{name} + "'");
  return true;
}

// -- append ---------------------------------------------------------------------------------------

void sqlite_store::database::carry_out(const paxos::write_promise& what) {
  put_fact(promise_fact, encode(what));
}

void sqlite_store::database::carry_out(const paxos::write_accepted& what) {
  const auto& at = what.value.at;
  const auto value = what.value.value.view();
  db->use(
      "INSERT OR REPLACE INTO accepted(slot, round, voter, value, sum) VALUES(?1, ?2, ?3, ?4, ?5)")
    .bind(what.where.value)
    .bind(at.round)
    .bind(at.voter.value)
    .bind(value)
    .bind(checksum("accepted", key_of(what.where, at), value))
    .run();
}

void sqlite_store::database::carry_out(const paxos::write_truncate& what) {
  db->use("DELETE FROM accepted WHERE slot <= ?1").bind(what.upto.value).run();
  paxos::write_truncate before;
  if (!read_fact(truncated_fact, before) || before.upto < what.upto)
    put_fact(truncated_fact, encode(what));
}

void sqlite_store::database::carry_out(const paxos::write_snapshot& what) {
  db->run("DELETE FROM image");
  const auto bytes = what.image.view();
  snapshot_note note{what.upto, what.last, what.voters, 0, bytes.size()};
  for (std::size_t at = 0; at < bytes.size(); at += image_part_bytes) {
    const auto part = bytes.substr(at, image_part_bytes);
    db->use("INSERT INTO image(part, bytes, sum) VALUES(?1, ?2, ?3)")
      .bind(note.parts)
      .bind(part)
      .bind(checksum("image", key_of(what.upto, note.parts), part))
      .run();
    ++note.parts;
  }
  put_fact(snapshot_fact, encode(note));
}

void sqlite_store::database::carry_out(const paxos::write_formation& what) {
  put_fact(formation_fact, encode(what));
}

// -- load -----------------------------------------------------------------------------------------

void sqlite_store::database::load_accepted(paxos::recovered& out) {
  auto row = db->use("SELECT slot, round, voter, value, sum FROM accepted ORDER BY slot");
  while (row.step()) {
    const slot where{row.number(0)};
    const ballot at{row.number(1), voter_id{row.number(2)}};
    const auto value = row.bytes(3);
    if (row.number(4) != checksum("accepted", key_of(where, at), value))
      damaged("slot " + to_string(where));
    out.accepted.emplace(where, paxos::accepted_value{at, blob{std::string{value}}});
  }
}

void sqlite_store::database::load_snapshot(paxos::recovered& out) {
  snapshot_note note;
  if (!read_fact(snapshot_fact, note))
    return;
  std::string image;
  image.reserve(note.bytes);
  std::uint64_t parts = 0;
  auto row = db->use("SELECT part, bytes, sum FROM image ORDER BY part");
  while (row.step()) {
    const auto bytes = row.bytes(1);
    if (row.number(0) != parts
        || row.number(2) != checksum("image", key_of(note.upto, parts), bytes))
      damaged("part " + std::to_string(row.number(0)) + " of the snapshot");
    image += bytes;
    ++parts;
  }
  if (parts != note.parts || image.size() != note.bytes)
    damaged("the snapshot's size");
  out.snapshot =
    paxos::write_snapshot{note.upto, note.last, std::move(note.voters), blob{std::move(image)}};
}

paxos::recovered sqlite_store::database::load() {
  paxos::recovered out;
  if (!read_fact(self_fact, out.self.value))
    throw db_error(db->file()
                   + ": is no store of a voter, or one that was never finished; move it "
                     "away");
  paxos::write_formation formation;
  if (read_fact(formation_fact, formation))
    out.formation = std::move(formation);
  paxos::write_promise promise;
  if (read_fact(promise_fact, promise))
    out.promised = promise.promised;
  paxos::write_truncate truncated;
  if (read_fact(truncated_fact, truncated))
    out.truncated_upto = truncated.upto;
  load_accepted(out);
  load_snapshot(out);
  return out;
}

// -- the store ------------------------------------------------------------------------------------

sqlite_store::sqlite_store(const std::string& directory, voter_id fresh, access how,
                           std::uint64_t max_bytes)
    : db_(std::make_unique<database>()) {
  const auto file = directory + "/" + file_name;
  describe_ = "sqlite " + file;
  db_->open(file, fresh, how, max_bytes);
}

sqlite_store::~sqlite_store() {
  if (!db_->db || !db_->writable)
    return;
  try {
    db_->mark_open(false);
  } catch (const db_error&) {
    // Then the next one wants to see the other file, which is still there.
  }
}

loaded sqlite_store::load() {
  if (!db_->db)
    return {{db_->problem}, {}};
  try {
    return {result{}, db_->load()};
  } catch (const db_error& error) {
    return {{error.what()}, {}};
  }
}

result sqlite_store::append(const std::vector<paxos::write>& writes) {
  if (!db_->db)
    return {db_->problem};
  try {
    transaction all{*db_->db};
    for (const auto& write : writes)
      for (const auto& op : write.ops)
        std::visit([this](const auto& what) { db_->carry_out(what); }, op);
    all.commit();
    return {};
  } catch (const db_error& error) {
    return {error.what()};
  }
}

} // namespace paxtor::storage
