#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/storage/memory_store.hpp"
#include "test/unit/store_help.hpp"

namespace paxtor::paxos::test {

using paxtor::storage::memory_store;

TEST_CASE("L5: a blank store keeps the voter id that it was made with") {
  folder f;
  {
    sqlite_store store{f.path, voter_id{0xfedcba9876543210}};
    auto x = store.load();
    REQUIRE(x.outcome.ok());
    CHECK(x.state.self == voter_id{0xfedcba9876543210});
    CHECK(x.state.blank());
    CHECK_FALSE(store.volatile_store());
    CHECK(store.describe().find(f.file()) != std::string::npos);
  }
  CHECK(load(f.path).self == voter_id{0xfedcba9876543210});
}

TEST_CASE("I23: what was appended is given back after the store was opened again") {
  folder f;
  const ballot high{3, voter_id{0xffffffffffffffff}};
  {
    sqlite_store store{f.path, voter_id{7}};
    REQUIRE(store
              .append({one(1, write_formation{cluster_id{9}, {{{voter_id{7}, "a"}}}, true}),
                       one(2, write_promise{high}), one(3, value(1, 1, "old")),
                       one(4, value(2, 3, std::string("t\0o", 3))), one(5, value(1, 3, "")),
                       one(6, value(9, 3, std::string(3 << 20, 'x')))})
              .ok());
  }
  auto x = load(f.path);
  CHECK(x.self == voter_id{7});
  CHECK(x.promised == high);
  REQUIRE(x.formation);
  CHECK(x.formation->cluster == cluster_id{9});
  CHECK(x.formation->formed);
  REQUIRE(x.accepted.size() == 3);
  CHECK(x.accepted.at(slot{1}).value.view().empty());
  CHECK(x.accepted.at(slot{1}).at.round == 3);
  CHECK(x.accepted.at(slot{2}).value.view() == std::string_view("t\0o", 3));
  CHECK(x.accepted.at(slot{9}).value.size() == 3u << 20);
}

TEST_CASE("L4: snapshots of several parts replace each other, truncation drops what they cover") {
  folder f;
  std::string image;
  for (int i = 0; image.size() < sqlite_store::image_part_bytes * 5 / 2; ++i)
    image += std::to_string(i) + ",";
  {
    sqlite_store store{f.path, voter_id{7}};
    for (std::uint64_t i = 1; i <= 10; ++i)
      REQUIRE(store.append({one(i, value(i, 1, "0123456789"))}).ok());
    REQUIRE(store.append({one(11, write_snapshot{slot{8}, index{80}, {}, blob{image}})}).ok());
    REQUIRE(store.append({one(12, write_truncate{slot{8}})}).ok());
    // One that is older than what is truncated changes nothing.
    REQUIRE(store.append({one(13, write_truncate{slot{3}})}).ok());
  }
  auto x = load(f.path);
  CHECK(x.accepted.begin()->first == slot{9});
  CHECK(x.truncated_upto == slot{8});
  REQUIRE(x.snapshot);
  CHECK(x.snapshot->image.view() == image);
  CHECK(x.snapshot->last == paxtor::index{80});
  {
    sqlite_store store{f.path, voter_id{7}};
    REQUIRE(
      store.append({one(1, write_snapshot{slot{10}, index{90}, {}, blob{std::string{"i"}}})}).ok());
  }
  CHECK(load(f.path).snapshot->image.view() == "i");
}

TEST_CASE("random writes, reopened at random: as the memory store has it") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    folder f;
    generator random{seed};
    memory_store model{voter_id{7}};
    auto store = std::make_unique<sqlite_store>(f.path, voter_id{7});
    std::uint64_t id = 0;
    for (int step = 0; step < 60; ++step) {
      std::vector<write> writes;
      for (auto n = random.between(1, 5); n > 0; --n) {
        auto at = random.between(1, 30);
        switch (random.below(12)) {
          case 0:
            writes.push_back(one(++id, write_promise{{random.below(50), voter_id{random.next()}}}));
            break;
          case 1:
            writes.push_back(one(++id, write_truncate{slot{random.below(10)}}));
            break;
          case 2:
            writes.push_back(one(
              ++id,
              write_snapshot{slot{at}, index{at}, {}, blob{std::string(random.below(5000), 's')}}));
            break;
          case 3:
            writes.push_back(
              one(++id, write_formation{cluster_id{random.next()}, {}, random.chance(50)}));
            break;
          default:
            writes.push_back(one(++id, value(at, random.below(9), std::string(at, 'v'))));
        }
      }
      REQUIRE(model.append(writes).ok());
      REQUIRE(store->append(writes).ok());
      if (random.chance(20)) {
        store.reset();
        store = std::make_unique<sqlite_store>(f.path, voter_id{8});
        CHECK(same(store->load().state, model.load().state));
      }
    }
  }
}

TEST_CASE("a row that does not match its checksum stops the voter, with the file and the row") {
  const std::pair<const char*, const char*> damages[] = {
    {"UPDATE accepted SET value = x'00' WHERE slot = 2", "slot 2"},
    {"UPDATE accepted SET round = 7 WHERE slot = 2", "slot 2"},
    {"UPDATE accepted SET slot = 5 WHERE slot = 2", "slot 5"},
    {"UPDATE facts SET value = x'00' WHERE name = 'promise'", "promise"},
    {"UPDATE facts SET value = x'00' WHERE name = 'self'", "self"},
    {"UPDATE image SET bytes = x'00' WHERE part = 0", "snapshot"},
    {"DELETE FROM image", "snapshot"},
    {"DELETE FROM facts WHERE name = 'self'", "no store of a voter"}};
  for (const auto& [sql, named] : damages) {
    CAPTURE(sql);
    folder f;
    {
      sqlite_store store{f.path, voter_id{7}};
      REQUIRE(store
                .append({one(1, write_promise{{3, voter_id{1}}}), one(2, value(1, 1, "one")),
                         one(3, value(2, 1, "two")),
                         one(4, write_snapshot{slot{1}, index{1}, {}, blob{std::string{"i"}}})})
                .ok());
    }
    meddle(f.file(), sql);
    // A store without its id is not made anew: it would vote without what it promised.
    sqlite_store store{f.path, voter_id{999}, sqlite_store::access::read};
    const auto x = store.load();
    REQUIRE_FALSE(x.outcome.ok());
    CHECK(x.outcome.why.find(f.file()) != std::string::npos);
    CHECK(x.outcome.why.find(named) != std::string::npos);
  }
}

TEST_CASE("a torn file, another program's and a newer version's are refused and left alone") {
  folder f;
  {
    sqlite_store store{f.path, voter_id{7}};
    std::vector<write> many;
    for (std::uint64_t i = 1; i <= 50; ++i)
      many.push_back(one(i, value(i, 1, std::string(2000, 'x'))));
    REQUIRE(store.append(many).ok());
  }
  const auto whole = fs::file_size(f.file());
  fs::resize_file(f.file(), whole / 2);
  CHECK(problem(f.path).find("damaged") != std::string::npos);
  std::ofstream{f.file()} << "this is no database at all, but long enough to look at";
  CHECK(problem(f.path).find("damaged") != std::string::npos);
  fs::remove(f.file());
  meddle(f.file(), "CREATE TABLE theirs(x); INSERT INTO theirs VALUES(1)");
  CHECK(problem(f.path).find("another program") != std::string::npos);
  meddle(f.file(), "DELETE FROM theirs WHERE x = 2");
  fs::remove(f.file());
  { sqlite_store store{f.path, voter_id{7}}; }
  meddle(f.file(), "PRAGMA user_version=3");
  CHECK(problem(f.path).find("newer version") != std::string::npos);
}

TEST_CASE("the file that holds what was written last is missed") {
  folder f;
  folder crashed;
  {
    sqlite_store store{f.path, voter_id{7}};
    REQUIRE(store.append({one(1, write_promise{{3, voter_id{1}}})}).ok());
  }
  // Closed in good order there is none.
  CHECK_FALSE(fs::exists(f.file() + "-wal"));
  {
    sqlite_store store{f.path, voter_id{7}};
    REQUIRE(store.append({one(1, write_promise{{4, voter_id{1}}})}).ok());
    // As a crash leaves it.
    for (const auto* part : {"", "-wal"})
      fs::copy_file(f.file() + part, crashed.file() + part);
  }
  CHECK(load(f.path).promised.round == 4);
  folder copied;
  fs::copy_file(crashed.file(), copied.file());
  CHECK(problem(copied.path).find("voter.db-wal: is missing") != std::string::npos);
  fs::copy_file(crashed.file() + "-wal", copied.file() + "-wal",
                fs::copy_options::overwrite_existing);
  CHECK(load(copied.path).promised.round == 4);
  CHECK(load(crashed.path).promised.round == 4);
}

TEST_CASE("the file that appends go to has its size from the start") {
  folder f;
  const auto size = [&] { return fs::file_size(f.file() + "-wal"); };
  std::uintmax_t at_first = 0;
  for (int life = 0; life < 2; ++life) {
    sqlite_store store{f.path, voter_id{7}};
    REQUIRE(store.load().outcome.ok());
    at_first = size();
    CHECK(at_first > 1000 * 4096);
    // Many times over.
    for (std::uint64_t i = 1; i <= 3000; ++i)
      REQUIRE(store.append({one(i, value(i % 50 + 1, i, std::string(100, 'x')))}).ok());
    CHECK(size() == at_first);
  }
  {
    sqlite_store store{f.path, voter_id{7}};
    REQUIRE(store.append({one(1, write_promise{{9, voter_id{1}}})}).ok());
    folder crashed;
    for (const auto* part : {"", "-wal"})
      fs::copy_file(f.file() + part, crashed.file() + part);
    // The zeros behind what was written last are no content.
    CHECK(load(crashed.path).promised.round == 9);
  }
}

TEST_CASE("a directory that is not there, and a store that is open, say so") {
  folder f;
  CHECK(problem(f.path + "/none").find("does the directory exist") != std::string::npos);
  sqlite_store store{f.path, voter_id{7}};
  REQUIRE(store.load().outcome.ok());
  CHECK(problem(f.path).find("another process has it open") != std::string::npos);
  REQUIRE(store.append({one(1, value(1, 1, "x"))}).ok());
  sqlite_store blank{f.path + "/none", voter_id{7}, sqlite_store::access::read};
  CHECK_FALSE(blank.load().outcome.ok());
  CHECK_FALSE(blank.append({one(1, value(1, 1, "x"))}).ok());
}

TEST_CASE("a store that is full fails the append, and what was durable stays") {
  folder f;
  {
    sqlite_store store{f.path, voter_id{7}};
    REQUIRE(store.append({one(1, value(1, 1, "kept"))}).ok());
  }
  // The store's own bound, which SQLite treats as a disk's.
  {
    sqlite_store store{f.path, voter_id{7}, sqlite_store::access::make, 256 << 10};
    auto full = store.append({one(2, value(2, 1, std::string(1 << 20, 'x')))});
    REQUIRE_FALSE(full.ok());
    CHECK(full.why.find("free space") != std::string::npos);
  }
  auto x = load(f.path);
  CHECK(x.accepted.size() == 1);
  CHECK(x.accepted.at(slot{1}).value.view() == "kept");
}

} // namespace paxtor::paxos::test
