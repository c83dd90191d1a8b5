#pragma once

/// \file
/// What the tests of SQLite stores share: folders of their own, writes, meddling.

#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/paxos/output.hpp"
#include "libpaxtor/storage/sqlite_store.hpp"

namespace paxtor::paxos::test {

using paxtor::storage::sqlite_store;

namespace fs = std::filesystem;

struct folder {
  folder() {
    auto text = (fs::temp_directory_path() / "paxtor-store-XXXXXX").string();
    REQUIRE(mkdtemp(text.data()) != nullptr);
    path = text;
  }
  ~folder() { fs::remove_all(path); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  [[nodiscard]] std::string file() const { return path + "/" + sqlite_store::file_name; }

  std::string path;
};

inline const configuration three{{{voter_id{7}, "a"}, {voter_id{8}, "b"}, {voter_id{9}, "c"}}};

inline write one(std::uint64_t id, write_op op) {
  return {write_id{id}, {std::move(op)}};
}

inline write_op value(std::uint64_t where, std::uint64_t round, std::string bytes) {
  return write_accepted{slot{where}, {ballot{round, voter_id{1}}, blob{std::move(bytes)}}};
}

/// Runs SQL on the file behind the store's back.
inline void meddle(const std::string& file, const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  char* why = nullptr;
  const auto code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &why);
  INFO(std::string{why != nullptr ? why : ""});
  CHECK(code == SQLITE_OK);
  sqlite3_free(why);
  sqlite3_close(db);
}

inline bool same(const recovered& x, const recovered& y) {
  auto accepted = [](const recovered& z) {
    std::string all;
    for (const auto& [where, kept] : z.accepted)
      all += to_string(where) + to_string(kept.at) + std::string{kept.value.view()} + ";";
    return all;
  };
  auto formation = [](const recovered& z) {
    return z.formation ? encode(*z.formation) : std::string{};
  };
  auto snapshot = [](const recovered& z) {
    return z.snapshot ? encode(*z.snapshot) : std::string{};
  };
  return x.promised == y.promised && x.truncated_upto == y.truncated_upto
         && accepted(x) == accepted(y) && formation(x) == formation(y)
         && snapshot(x) == snapshot(y);
}

/// Also a copy: tests make many.
inline recovered load(const std::string& path) {
  sqlite_store store{path, voter_id{999}, sqlite_store::access::adopt};
  auto x = store.load();
  REQUIRE_MESSAGE(x.outcome.ok(), x.outcome.why);
  return x.state;
}

inline std::string problem(const std::string& path) {
  sqlite_store store{path, voter_id{999}};
  const auto x = store.load();
  CHECK_FALSE(x.outcome.ok());
  return x.outcome.why;
}

} // namespace paxtor::paxos::test
