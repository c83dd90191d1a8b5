// Snapshots in parts, files of an older format, copies, and what is put in place of a store.

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "libpaxtor/storage/sqlite_inspect.hpp"
#include "libpaxtor/storage/sqlite_tables.hpp"
#include "test/unit/store_help.hpp"

namespace paxtor::paxos::test {

namespace {

/// A snapshot's note as format 1 had it.
struct old_note {
  slot upto;
  index last;
  configuration voters;
  std::uint64_t parts = 1;
  std::uint64_t bytes = 5;
  MSGPACK_DEFINE(upto, last, voters, parts, bytes)
};

} // namespace

TEST_CASE("a store of format 1 is read, and is of this format from then on") {
  folder f;
  {
    sqlite_store store{f.path, voter_id{7}};
    REQUIRE(
      store.append({one(1, write_snapshot{slot{8}, index{80}, three, blob{std::string{"image"}}})})
        .ok());
  }
  // Without the last field of the snapshot's note, and without the file's own number.
  const auto note = encode(old_note{slot{8}, index{80}, three});
  std::string hex;
  for (const unsigned char c : note)
    for (const auto digit : {c >> 4, c & 15})
      hex += "0123456789abcdef"[digit];
  meddle(f.file(), "UPDATE facts SET value = x'" + hex + "', sum = "
                     + std::to_string(static_cast<std::int64_t>(
                       paxtor::storage::checksum("facts", "snapshot", note)))
                     + " WHERE name = 'snapshot'; DELETE FROM facts WHERE name = 'home';"
                       "PRAGMA user_version=1");
  CHECK(load(f.path).snapshot->image.view() == "image");
  CHECK(paxtor::storage::inspect(f.path).format == sqlite_store::format);
  CHECK(load(f.path).snapshot->last == index{80});
}

TEST_CASE(
  "I52: a snapshot in parts is in force with its last part, and others are written between") {
  folder f;
  const auto part = sqlite_store::image_part_bytes;
  const write_snapshot first{slot{1}, index{1}, three, blob{std::string(part * 2 + 7, 'a')}};
  const write_snapshot second{slot{2}, index{2}, three, blob{std::string(part * 3, 'b')}};
  sqlite_store store{f.path, voter_id{7}};
  REQUIRE(store.append({one(1, first)}).ok());
  for (int i = 0; i < 3; ++i) {
    CHECK(store.load().state.snapshot->upto == slot{1});
    const auto done = store.write_part(second);
    REQUIRE_MESSAGE(done.outcome.ok(), done.outcome.why);
    CHECK(done.whole == (i == 2));
    REQUIRE(store.append({one(2, value(10 + i, 1, "between"))}).ok());
  }
  auto x = store.load().state;
  REQUIRE(x.snapshot);
  CHECK(x.snapshot->upto == slot{2});
  CHECK(x.snapshot->image == second.image);
  CHECK(x.accepted.size() == 3);
  // Another one begins anew, and an empty one is whole at once.
  const write_snapshot third{slot{3}, index{3}, three, blob{std::string(part * 2, 'c')}};
  CHECK_FALSE(store.write_part(third).whole);
  CHECK(store.write_part({slot{4}, index{4}, three, {}}).whole);
  x = store.load().state;
  CHECK(x.snapshot->upto == slot{4});
  CHECK(x.snapshot->image.empty());
}

TEST_CASE(
  "I52: a crash in the middle of a snapshot leaves the one before, and parts never add up") {
  const auto part = sqlite_store::image_part_bytes;
  folder f;
  auto store = std::make_unique<sqlite_store>(f.path, voter_id{7});
  std::uint64_t upto = 1;
  const auto image = [&](std::uint64_t n) {
    return write_snapshot{slot{n}, index{n}, three,
                          blob{std::string(part * 4 + n, static_cast<char>('a' + n))}};
  };
  REQUIRE(store->append({one(1, image(upto))}).ok());
  for (int crash = 0; crash < 6; ++crash) {
    for (int i = 0; i <= crash % 4; ++i)
      REQUIRE_FALSE(store->write_part(image(upto + 1)).whole);
    // As a crash leaves it.
    folder next;
    for (const auto* file : {"", "-wal"})
      fs::copy_file(f.file() + file, next.file() + file);
    std::swap(f.path, next.path);
    store = std::make_unique<sqlite_store>(f.path, voter_id{7}, sqlite_store::access::adopt);
    auto found = store->load();
    REQUIRE_MESSAGE(found.outcome.ok(), found.outcome.why);
    CHECK(found.state.snapshot->upto == slot{upto});
    CHECK(found.state.snapshot->image == image(upto).image);
    ++upto;
    const auto whole = image(upto);
    while (!store->write_part(whole).whole) {
    }
    CHECK(store->load().state.snapshot->image == whole.image);
  }
  store.reset();
  const auto found = paxtor::storage::inspect(f.path);
  CHECK(found.damages.empty());
  CHECK(found.stale_parts <= 10);
  CHECK(found.file_bytes < part * 20);
}

TEST_CASE("a copy is refused, a directory that was moved is not") {
  folder f;
  {
    sqlite_store store{f.path, voter_id{7}};
    REQUIRE(store.append({one(1, write_promise{{3, voter_id{1}}})}).ok());
  }
  folder copy;
  fs::copy_file(f.file(), copy.file());
  CHECK(problem(copy.path).find("is a copy") != std::string::npos);
  CHECK(problem(copy.path).find(copy.file()) != std::string::npos);
  CHECK(paxtor::storage::inspect(copy.path).copied);
  CHECK_FALSE(paxtor::storage::inspect(f.path).copied);
  // The refusal changed nothing: it is still refused, and the original still is not.
  CHECK(problem(copy.path).find("is a copy") != std::string::npos);
  fs::rename(f.path, f.path + "-moved");
  f.path += "-moved";
  sqlite_store store{f.path, voter_id{8}};
  CHECK(store.load().state.promised.round == 3);
}

TEST_CASE("what is put in place of a store is all that there is") {
  folder f;
  recovered other;
  other.self = voter_id{77};
  other.promised = {9, voter_id{7}};
  other.formation = write_formation{cluster_id{5}, three, true};
  other.truncated_upto = slot{40};
  other.snapshot = write_snapshot{slot{40}, index{400}, three, blob{std::string{"all"}}};
  {
    sqlite_store store{f.path, voter_id{7}};
    REQUIRE(store
              .append({one(1, write_promise{{3, voter_id{1}}}), one(2, value(50, 1, "gone")),
                       one(3, write_snapshot{slot{1}, index{1}, {}, blob{std::string{"old"}}})})
              .ok());
    REQUIRE(store.replace(other).ok());
  }
  auto x = load(f.path);
  CHECK(x.self == voter_id{77});
  CHECK(same(x, other));
}

} // namespace paxtor::paxos::test
