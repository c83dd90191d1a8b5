// Disks that fail, fill, and lose power, under the SQLite store.

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "libpaxtor/storage/memory_store.hpp"
#include "libpaxtor/storage/sqlite_inspect.hpp"
#include "test/unit/faulty_vfs.hpp"
#include "test/unit/store_help.hpp"

namespace paxtor::paxos::test {

using paxtor::storage::memory_store;
using paxtor::test::faulty_vfs;

namespace {

write_snapshot snapshot_of(std::uint64_t upto, std::size_t bytes) {
  return {slot{upto}, index{upto}, three,
          blob{std::string(bytes, static_cast<char>('a' + upto % 26))}, slot{upto / 2}};
}

} // namespace

TEST_CASE(
  "I51: a sync, a write that fails, a full disk: the file and the cause, and nothing after") {
  struct kind {
    faulty_vfs::fault what;
    const char* says;
  };
  for (const auto& [what, says] : {kind{faulty_vfs::fault::sync, "the disk refused"},
                                   kind{faulty_vfs::fault::write, "the disk refused"},
                                   kind{faulty_vfs::fault::full, "free space on that disk"}}) {
    // In the append itself, and later, where the log is moved over.
    for (std::uint64_t after = 0; after < 12; ++after) {
      CAPTURE(says);
      CAPTURE(after);
      folder f;
      faulty_vfs disk;
      memory_store model{voter_id{7}};
      memory_store ahead{voter_id{7}};
      {
        sqlite_store store{f.path, voter_id{7}};
        REQUIRE(store.load().outcome.ok());
        disk.fail(what, after);
        std::string why;
        for (std::uint64_t i = 1; i <= 400 && why.empty(); ++i) {
          const std::vector<write> writes{one(2 * i, write_promise{{i, voter_id{1}}}),
                                          one(2 * i + 1, value(i, i, std::string(20000, 'x')))};
          REQUIRE(ahead.append(writes).ok());
          why = store.append(writes).why;
          if (why.empty())
            REQUIRE(model.append(writes).ok());
        }
        REQUIRE(disk.failed());
        CHECK(why.find(f.file()) == 0);
        CHECK(why.find(says) != std::string::npos);
        // The disk is well again, and that helps nobody: who knows what it holds.
        disk.fail(faulty_vfs::fault::none);
        CHECK(store.append({one(9000, write_promise{{9000, voter_id{1}}})}).why == why);
        CHECK(store.write_part(snapshot_of(1, 10)).outcome.why == why);
        CHECK(store.load().outcome.why == why);
      }
      // Started again: all that was said to be durable, and at most what was under way.
      const auto found = load(f.path);
      CHECK((same(found, model.load().state) || same(found, ahead.load().state)));
      CHECK(found.promised.round < 9000);
    }
  }
}

TEST_CASE("a disk that cannot be read: the voter does not start") {
  for (std::uint64_t after = 0; after < 40; ++after) {
    CAPTURE(after);
    folder f;
    {
      sqlite_store store{f.path, voter_id{7}};
      std::vector<write> writes{one(1, write_promise{{3, voter_id{1}}})};
      for (std::uint64_t i = 1; i <= 20; ++i)
        writes.push_back(one(1 + i, value(i, 3, std::string(10000, 'x'))));
      REQUIRE(store.append(writes).ok());
    }
    faulty_vfs disk;
    disk.fail(faulty_vfs::fault::read, after);
    sqlite_store store{f.path, voter_id{999}};
    const auto x = store.load();
    if (!disk.failed()) {
      // It was read with fewer.
      CHECK(x.outcome.ok());
      CHECK(after > 5);
      break;
    }
    REQUIRE_FALSE(x.outcome.ok());
    CHECK(x.outcome.why.find(f.file()) == 0);
    CHECK_FALSE(store.append({one(1, write_promise{{9, voter_id{1}}})}).ok());
  }
}

TEST_CASE(
  "a disk that fails or fills while a store is opened: it opens, or says why, and is whole") {
  for (const auto what :
       {faulty_vfs::fault::sync, faulty_vfs::fault::write, faulty_vfs::fault::full}) {
    std::uint64_t opened = 0;
    std::uint64_t refused = 0;
    for (std::uint64_t after = 0;; ++after) {
      CAPTURE(after);
      folder f;
      faulty_vfs disk;
      disk.fail(what, after);
      {
        sqlite_store store{f.path, voter_id{7}};
        const auto x = store.load();
        if (!disk.failed())
          break;
        opened += x.outcome.ok() ? 1 : 0;
        refused += x.outcome.ok() ? 0 : 1;
        if (!x.outcome.ok())
          CHECK(x.outcome.why.find(f.file()) == 0);
        disk.fail(faulty_vfs::fault::none);
      }
      sqlite_store store{f.path, voter_id{7}};
      const auto again = store.load();
      REQUIRE_MESSAGE(again.outcome.ok(), again.outcome.why);
      CHECK(again.state.self == voter_id{7});
      CHECK(store.append({one(1, write_promise{{3, voter_id{1}}})}).ok());
    }
    CHECK(refused > 0);
    // Without room the file that appends go to starts small.
    CHECK((opened > 0) == (what == faulty_vfs::fault::full));
  }
}

TEST_CASE("L1, I23: the power goes at any write or sync: what was said to be durable is there") {
  std::uint64_t cuts = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    generator random{seed};
    folder f;
    folder after;
    faulty_vfs disk;
    auto store = std::make_unique<sqlite_store>(f.path, voter_id{7});
    REQUIRE(store->load().outcome.ok());
    // What is durable, and what may be: the write that is under way when the power goes.
    memory_store durable{voter_id{7}};
    memory_store under_way{voter_id{7}};
    recovered at_least;
    recovered at_most;
    bool cut = false;
    disk.cut_at(random.below(seed % 3 == 0 ? 40 : 1500), [&] {
      cut = true;
      at_least = durable.load().state;
      at_most = under_way.load().state;
      disk.power_cut(after.path, random);
    });
    std::uint64_t id = 0;
    std::uint64_t upto = 0;
    while (!cut) {
      std::vector<write> writes;
      for (auto n = random.between(1, 4); n > 0; --n) {
        ++id;
        if (random.chance(20))
          writes.push_back(one(id, write_promise{{id, voter_id{1}}}));
        else if (random.chance(10))
          writes.push_back(one(id, write_truncate{slot{random.below(20)}}));
        else
          writes.push_back(
            one(id, value(random.between(1, 40), id, std::string(random.below(9000), 'v'))));
      }
      if (random.chance(15)) {
        const auto image = snapshot_of(++upto, random.below(3 << 20));
        REQUIRE(under_way.append({one(1, image)}).ok());
        for (bool whole = false; !whole;) {
          const auto part = store->write_part(image);
          REQUIRE_MESSAGE(part.outcome.ok(), part.outcome.why);
          whole = part.whole;
        }
        REQUIRE(durable.append({one(1, image)}).ok());
      }
      REQUIRE(under_way.append(writes).ok());
      REQUIRE(store->append(writes).ok());
      REQUIRE(durable.append(writes).ok());
    }
    ++cuts;
    store.reset();
    const auto found = load(after.path);
    CHECK(found.self == voter_id{7});
    CHECK((same(found, at_least) || same(found, at_most)));
    const auto looked = paxtor::storage::inspect(after.path);
    CHECK_MESSAGE(looked.damages.empty(), looked.damages.front());
  }
  CHECK(cuts == 150);
}

} // namespace paxtor::paxos::test
