#include "libpaxtor/storage/sqlite_store.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/storage/sqlite_tables.hpp"

namespace paxtor::storage {

namespace {

/// SQLite's default, which `max_page_count` counts in.
constexpr std::uint64_t page_bytes = 4096;

/// The file beside the database is cut to this when it starts anew.
constexpr std::uint64_t log_bytes_kept = std::uint64_t{64} << 20;

/// The log's size from the start: it is moved over at 1000 pages, each with a header of 24 bytes,
/// and the append that reaches that may be larger.
constexpr std::uint64_t log_bytes_ready = 1100 * (page_bytes + 24);

/// Parts of former snapshots that go for each new part that is written: so they never add up.
constexpr std::uint64_t stale_parts_per_part = 2;

} // namespace

struct sqlite_store::database {
  std::optional<sqlite_tables> tables;
  /// Why there is none, or why it may not be used any more.
  std::string problem;
  bool writable = false;

  /// A snapshot of which some parts are written.
  struct staging {
    slot upto;
    blob image;
    std::uint64_t first = 0;
    std::uint64_t parts = 0;
    std::size_t bytes = 0;
  };
  std::optional<staging> staged;

  void open(const std::string& file, voter_id fresh, access how, std::uint64_t max_bytes);
  void mark_open(bool open);
  void make(voter_id fresh);
  /// After this nothing is taken any more (I51).
  [[nodiscard]] result fail(const db_error& error);

  // One per write.
  void carry_out(const paxos::write_promise& what);
  void carry_out(const paxos::write_accepted& what);
  void carry_out(const paxos::write_truncate& what);
  void carry_out(const paxos::write_snapshot& what);
  void carry_out(const paxos::write_formation& what);

  [[nodiscard]] bool put_part(const paxos::write_snapshot& what);
  void fill(const paxos::recovered& what);

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
    // Before anything is written: another program's file stays as it is.
    tables.emplace(file, how == access::read ? sqlite_tables::access::read
                                             : sqlite_tables::access::write);
    if (!tables->blank())
      tables->check_log(log_there);
    if (how == access::read)
      return;
    tables->db().keep_log(true);
    if (how == access::make && !tables->blank() && !tables->at_home())
      throw db_error(file
                     + ": is a copy (or was restored from one), and the voter that it was copied "
                       "from may run elsewhere, or may have promised more since: a voter that is "
                       "there twice, or forgets, must not vote. Move the directory away; the node "
                       "then comes back as a new voter. If all voters are lost: paxtor store "
                       "force-new-cluster --help");
    auto& db = tables->db();
    db.execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
               "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
               "PRAGMA journal_size_limit="
               + std::to_string(log_bytes_kept)
               + "; PRAGMA max_page_count=" + std::to_string(max_bytes / page_bytes));
    // L5: one that lost its id, and perhaps what it promised, is not made anew.
    if (tables->blank())
      make(fresh);
    mark_open(true);
    writable = true;
  } catch (const db_error& error) {
    tables.reset();
    problem = error.what();
  }
}

void sqlite_store::database::mark_open(bool open) {
  transaction all{tables->db()};
  if (tables->version() < format)
    tables->set_version();
  tables->put_fact(home_fact, encode(tables->own_number()));
  tables->put_fact(open_fact, encode(std::uint64_t{open ? 1U : 0U}));
  all.commit();
  // Into the database itself; the other file stays as large as it is until the store is closed.
  if (open) {
    tables->db().execute("PRAGMA wal_checkpoint(FULL)");
    tables->db().grow_log(log_bytes_ready);
  }
}

void sqlite_store::database::make(voter_id fresh) {
  transaction all{tables->db()};
  tables->make();
  tables->put_fact(self_fact, encode(fresh.value));
  all.commit();
}

result sqlite_store::database::fail(const db_error& error) {
  // I51: what the disk holds now is unknown, and a second try that succeeds would hide it. The
  // connection stays as it is: closed in good order it would take the log beside it away.
  problem = error.what();
  return {problem};
}

// -- append ---------------------------------------------------------------------------------------

void sqlite_store::database::carry_out(const paxos::write_promise& what) {
  tables->put_fact(promise_fact, encode(what));
}

void sqlite_store::database::carry_out(const paxos::write_accepted& what) {
  const auto& at = what.value.at;
  const auto value = what.value.value.view();
  tables->db()
    .use(
      "INSERT OR REPLACE INTO accepted(slot, round, voter, value, sum) VALUES(?1, ?2, ?3, ?4, ?5)")
    .bind(what.where.value)
    .bind(at.round)
    .bind(at.voter.value)
    .bind(value)
    .bind(checksum("accepted", key_of(what.where, at), value))
    .run();
}

void sqlite_store::database::carry_out(const paxos::write_truncate& what) {
  tables->db().use("DELETE FROM accepted WHERE slot <= ?1").bind(what.upto.value).run();
  paxos::write_truncate before;
  if (!tables->read_fact(truncated_fact, before) || before.upto < what.upto)
    tables->put_fact(truncated_fact, encode(what));
}

void sqlite_store::database::carry_out(const paxos::write_snapshot& what) {
  while (!put_part(what)) {
  }
  tables->drop_stale_parts(tables->free_part(), tables->free_part());
}

bool sqlite_store::database::put_part(const paxos::write_snapshot& what) {
  const auto bytes = what.image.view();
  if (!staged || staged->upto != what.upto || staged->image.view().data() != bytes.data())
    staged = staging{what.upto, what.image, tables->free_part(), 0, 0};
  auto& now = *staged;
  tables->drop_stale_parts(now.first, stale_parts_per_part);
  if (now.bytes < bytes.size()) {
    const auto part = bytes.substr(now.bytes, image_part_bytes);
    tables->put_part(what.upto, now.first + now.parts, now.parts, part);
    ++now.parts;
    now.bytes += part.size();
  }
  if (now.bytes < bytes.size())
    return false;
  // From here on it is the one in force, and the parts of the one before are stale.
  tables->put_fact(snapshot_fact, encode(snapshot_note{what.upto, what.last, what.voters, now.parts,
                                                       now.bytes, now.first, what.voters_since}));
  staged.reset();
  return true;
}

void sqlite_store::database::carry_out(const paxos::write_formation& what) {
  tables->put_fact(formation_fact, encode(what));
}

void sqlite_store::database::fill(const paxos::recovered& what) {
  auto& db = tables->db();
  db.run("DELETE FROM accepted");
  db.run("DELETE FROM image");
  db.run("DELETE FROM facts");
  tables->put_fact(home_fact, encode(tables->own_number()));
  tables->put_fact(open_fact, encode(std::uint64_t{1}));
  tables->put_fact(self_fact, encode(what.self.value));
  carry_out(paxos::write_promise{what.promised});
  if (what.formation)
    carry_out(*what.formation);
  for (const auto& [where, value] : what.accepted)
    carry_out(paxos::write_accepted{where, value});
  if (what.snapshot)
    carry_out(*what.snapshot);
  if (what.truncated_upto.valid())
    carry_out(paxos::write_truncate{what.truncated_upto});
}

// -- load -----------------------------------------------------------------------------------------

void sqlite_store::database::load_accepted(paxos::recovered& out) {
  auto row = tables->db().use("SELECT slot, round, voter, value, sum FROM accepted ORDER BY slot");
  while (row.step()) {
    const slot where{row.number(0)};
    const ballot at{row.number(1), voter_id{row.number(2)}};
    const auto value = row.bytes(3);
    if (row.number(4) != checksum("accepted", key_of(where, at), value))
      tables->damaged("slot " + to_string(where));
    out.accepted.emplace(where, paxos::accepted_value{at, blob{std::string{value}}});
  }
}

void sqlite_store::database::load_snapshot(paxos::recovered& out) {
  auto note = tables->snapshot();
  if (!note)
    return;
  std::string image;
  // What the note says is checked below; no more room is made for it than the file can fill.
  std::error_code none;
  const auto file_bytes = std::filesystem::file_size(tables->db().file(), none);
  image.reserve(none ? 0 : std::min<std::uint64_t>(note->bytes, file_bytes));
  std::uint64_t parts = 0;
  auto row = tables->db().use(
    "SELECT part, bytes, sum FROM image WHERE part >= ?1 AND part < ?2 ORDER BY part");
  row.bind(note->first).bind(note->first + note->parts);
  while (row.step()) {
    const auto bytes = row.bytes(1);
    if (row.number(0) != note->first + parts
        || row.number(2) != checksum("image", key_of_part(note->upto, parts), bytes))
      tables->damaged("part " + std::to_string(parts) + " of the snapshot");
    image += bytes;
    ++parts;
  }
  if (parts != note->parts || image.size() != note->bytes)
    tables->damaged("the snapshot's size");
  out.snapshot = paxos::write_snapshot{note->upto, note->last, std::move(note->voters),
                                       blob{std::move(image)}, note->voters_since};
}

paxos::recovered sqlite_store::database::load() {
  paxos::recovered out;
  if (!tables->read_fact(self_fact, out.self.value))
    throw db_error(tables->db().file()
                   + ": is no store of a voter, or one that was never finished; move it "
                     "away");
  paxos::write_formation formation;
  if (tables->read_fact(formation_fact, formation))
    out.formation = std::move(formation);
  paxos::write_promise promise;
  if (tables->read_fact(promise_fact, promise))
    out.promised = promise.promised;
  paxos::write_truncate truncated;
  if (tables->read_fact(truncated_fact, truncated))
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
  if (!db_->problem.empty() || !db_->writable)
    return;
  try {
    db_->mark_open(false);
    db_->tables->db().keep_log(false);
  } catch (const db_error&) {
    // Then the next one wants to see the other file, which is still there.
  }
}

loaded sqlite_store::load() {
  if (!db_->problem.empty())
    return {{db_->problem}, {}};
  try {
    return {result{}, db_->load()};
  } catch (const db_error& error) {
    return {db_->fail(error), {}};
  }
}

template <class Body>
result sqlite_store::as_a_whole(Body body) {
  if (!db_->problem.empty())
    return {db_->problem};
  try {
    transaction all{db_->tables->db()};
    body();
    all.commit();
    return {};
  } catch (const db_error& error) {
    return db_->fail(error);
  }
}

result sqlite_store::append(const std::vector<paxos::write>& writes) {
  return as_a_whole([&] {
    for (const auto& write : writes)
      for (const auto& op : write.ops)
        std::visit([this](const auto& what) { db_->carry_out(what); }, op);
  });
}

part_written sqlite_store::write_part(const paxos::write_snapshot& what) {
  bool whole = false;
  auto outcome = as_a_whole([&] { whole = db_->put_part(what); });
  return {std::move(outcome), whole};
}

result sqlite_store::replace(const paxos::recovered& state) {
  return as_a_whole([&] { db_->fill(state); });
}

} // namespace paxtor::storage
