#include "libpaxtor/storage/sqlite_db.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <sqlite3.h>

namespace paxtor::storage {

namespace {

/// Throws `text` and what to do about it.
[[noreturn]] void fail(int code, std::string text) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      text += "; free space on that disk (or raise the store's bound), then start again";
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      text += "; another process has it open: stop that one first";
      break;
    case SQLITE_IOERR:
      text +=
        "; the disk refused to read or write: look at the system's log before it is used again";
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      text += "; the file is damaged, or is no store of paxtor: this voter cannot go on with it";
      break;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      text += "; does the directory exist, and may this user write there?";
      break;
    default:
      break;
  }
  throw db_error(text);
}

[[noreturn]] void fail(sqlite3* db, const std::string& file) {
  const auto code = db != nullptr ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
  std::string text = file + ": " + (db != nullptr ? sqlite3_errmsg(db) : "out of memory");
  if (const int number = db != nullptr ? sqlite3_system_errno(db) : 0; number != 0)
    text += " (errno " + std::to_string(number) + ")";
  fail(code, std::move(text));
}

} // namespace

// -- statements -----------------------------------------------------------------------------------

statement::statement(sqlite3* db, sqlite3_stmt* raw, const std::string& file)
    : db_(db), raw_(raw), file_(file) {}

statement::~statement() {
  sqlite3_reset(raw_);
  sqlite3_clear_bindings(raw_);
}

statement& statement::bind(std::uint64_t number) {
  if (sqlite3_bind_int64(raw_, next_++, static_cast<sqlite3_int64>(number)) != SQLITE_OK)
    fail(db_, file_);
  return *this;
}

statement& statement::bind(std::string_view bytes) {
  // A null pointer would be NULL, not an empty blob.
  const auto* data = bytes.data() != nullptr ? bytes.data() : "";
  if (sqlite3_bind_blob64(raw_, next_++, data, bytes.size(), SQLITE_STATIC) != SQLITE_OK)
    fail(db_, file_);
  return *this;
}

bool statement::step() {
  switch (sqlite3_step(raw_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      fail(db_, file_);
  }
}

std::uint64_t statement::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(raw_, column));
}

std::string_view statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(raw_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(raw_, column));
  return data != nullptr ? std::string_view{data, size} : std::string_view{};
}

// -- connections ----------------------------------------------------------------------------------

connection::connection(std::string file, bool writable) : file_(std::move(file)) {
  const int flags =
    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    | (writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  // A reader takes no lock: it could not, on a file that it may not write, and SQLite would put a
  // file of its own beside it. Exclusive, it keeps the log's index in memory.
  const auto* system = writable ? nullptr : "unix-none";
  try {
    if (sqlite3_open_v2(file_.c_str(), &db_, flags, system) != SQLITE_OK)
      fail(db_, file_);
    if (!writable)
      execute("PRAGMA locking_mode=EXCLUSIVE");
  } catch (...) {
    sqlite3_close(db_);
    throw;
  }
}

connection::~connection() {
  for (auto& [text, raw] : prepared_)
    sqlite3_finalize(raw);
  sqlite3_close(db_);
}

statement connection::use(const char* text) {
  auto& raw = prepared_[text];
  if (raw == nullptr
      && sqlite3_prepare_v3(db_, text, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK)
    fail(db_, file_);
  return {db_, raw, file_};
}

void connection::execute(const std::string& text) {
  if (sqlite3_exec(db_, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(db_, file_);
}

void connection::keep_log(bool keep) {
  if (sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr) != SQLITE_OK)
    fail(db_, file_);
}

void connection::grow_log(std::uint64_t bytes) {
  const auto check = [this](int code) {
    if (code != SQLITE_OK)
      fail(code, file_ + "-wal: " + sqlite3_errstr(code));
  };
  sqlite3_file* log = nullptr;
  check(sqlite3_file_control(db_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log));
  if (log == nullptr || log->pMethods == nullptr)
    return;
  sqlite3_int64 before = 0;
  check(log->pMethods->xFileSize(log, &before));
  const auto wanted = static_cast<sqlite3_int64>(bytes);
  if (before >= wanted)
    return;
  static constexpr std::array<char, 1 << 16> zeros{};
  for (auto at = before; at < wanted;) {
    const auto piece =
      static_cast<int>(std::min(wanted - at, static_cast<sqlite3_int64>(zeros.size())));
    const auto code = log->pMethods->xWrite(log, zeros.data(), piece, at);
    if ((code & 0xff) == SQLITE_FULL) {
      check(log->pMethods->xTruncate(log, before));
      return;
    }
    check(code);
    at += piece;
  }
  check(log->pMethods->xSync(log, SQLITE_SYNC_NORMAL));
}

transaction::transaction(connection& db) : db_(db) {
  db_.run("BEGIN IMMEDIATE");
}

transaction::~transaction() {
  if (!open_)
    return;
  try {
    db_.run("ROLLBACK");
  } catch (const db_error&) {
    // SQLite has rolled back by itself; whatever it was, the caller knows of the first error.
  }
}

void transaction::commit() {
  db_.run("COMMIT");
  open_ = false;
}

} // namespace paxtor::storage
