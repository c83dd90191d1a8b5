#pragma once

/// \file
/// SQLite as the store uses it: statements that are prepared once, errors as exceptions that never
/// leave this folder.

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace paxtor::storage {

/// What SQLite, or the system behind it, refused: one line, with what to do.
class db_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// A statement that is bound and stepped; reset at its end, so that it can be used again.
class statement {
public:
  statement(sqlite3* db, sqlite3_stmt* raw, const std::string& file);
  ~statement();
  statement(const statement&) = delete;
  statement& operator=(const statement&) = delete;

  /// The next parameter. Numbers are kept as the 64 bits they are.
  statement& bind(std::uint64_t number);
  /// REQUIRES: `bytes` lives until the end of the statement.
  statement& bind(std::string_view bytes);

  /// True: there is a row. False: done. Throws db_error.
  bool step();
  void run() { (void)step(); }

  [[nodiscard]] std::uint64_t number(int column) const;
  /// Lives until the next step.
  [[nodiscard]] std::string_view bytes(int column) const;

private:
  sqlite3* db_;
  sqlite3_stmt* raw_;
  const std::string& file_;
  int next_ = 1;
};

class connection {
public:
  /// Opens the file; `writable` makes it if there is none. If it is not, nothing is made or changed
  /// also in the directory, and what lies in the log beside it is read all the same: nobody else
  /// may have it open. Throws db_error.
  connection(std::string file, bool writable);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// REQUIRES: `text` is a literal: the statement is prepared once for it.
  [[nodiscard]] statement use(const char* text);
  void run(const char* text) { use(text).run(); }

  /// Several statements, or a pragma, that are not worth keeping.
  void execute(const std::string& text);

  /// Whether the log beside the file stays when this is closed, or is moved over and removed.
  void keep_log(bool keep);

  /// Makes the log beside the file at least so large: zeros behind what is in it, which no reader
  /// takes for content. To sync what was written over is half the work of syncing a file that has
  /// grown. On a disk that has no room it stays as it is. REQUIRES: something was committed.
  /// Throws db_error.
  void grow_log(std::uint64_t bytes);

  [[nodiscard]] const std::string& file() const { return file_; }

private:
  std::string file_;
  sqlite3* db_ = nullptr;
  std::map<const char*, sqlite3_stmt*> prepared_;
};

/// All of it or nothing: rolls back at its end unless `commit` was called.
class transaction {
public:
  explicit transaction(connection& db);
  ~transaction();
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  /// Durable when it returns (L1). Throws db_error: then nothing may be assumed.
  void commit();

private:
  connection& db_;
  bool open_ = true;
};

} // namespace paxtor::storage
