// A store's file with any rows in it, also with rows whose checksums are right: it is loaded, or
// refused with one line; whoever only looks finds whatever a load does.

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>

#include <unistd.h>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/storage/sqlite_inspect.hpp"
#include "libpaxtor/storage/sqlite_store.hpp"
#include "libpaxtor/storage/sqlite_tables.hpp"
#include "test/fuzz/making.hpp"

namespace paxtor::fuzz {

namespace {

using namespace paxtor::storage;
namespace fs = std::filesystem;

/// A directory in memory where there is one, gone with the process.
class place {
public:
  place() {
    std::string name = fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path().string();
    name += "/paxtor-fuzz-XXXXXX";
    fuzz::require(::mkdtemp(name.data()) != nullptr, "a directory can be made");
    directory = name;
    {
      sqlite_tables tables{file(), sqlite_tables::access::write};
      tables.make();
    }
    std::ifstream in{file(), std::ios::binary};
    empty.assign(std::istreambuf_iterator<char>{in}, {});
  }
  place(const place&) = delete;
  place& operator=(const place&) = delete;
  ~place() {
    std::error_code ignored;
    fs::remove_all(directory, ignored);
  }

  [[nodiscard]] std::string file() const { return directory + "/" + sqlite_store::file_name; }

  void fill(std::string_view bytes) const {
    std::ofstream out{file(), std::ios::binary | std::ios::trunc};
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  std::string directory;
  /// A store's tables without a row.
  std::string empty;
};

std::string make_fact(std::size_t which, fuzz::reader& in) {
  switch (which) {
    case 0:
      return encode(in.number());
    case 1:
      return encode(paxos::write_promise{fuzz::make_ballot(in)});
    case 2:
      return encode(paxos::write_truncate{slot{in.number()}});
    case 3: {
      paxos::write_formation what{cluster_id{in.number()}, {}, false};
      what.voters = fuzz::make_voters(in);
      what.formed = in.chance();
      return encode(what);
    }
    case 4: {
      snapshot_note what;
      what.upto = slot{in.number()};
      what.last = index{in.number()};
      what.voters = fuzz::make_voters(in);
      what.parts = in.number();
      what.bytes = in.number();
      what.first = in.number();
      return encode(what);
    }
    default:
      return in.text();
  }
}

/// One row, in half of the cases with the checksum that it should have.
void add_row(sqlite_tables& tables, fuzz::reader& in) {
  static constexpr std::array<std::string_view, 7> facts{
    self_fact, promise_fact, truncated_fact, formation_fact, snapshot_fact, open_fact, home_fact};
  switch (in.below(4)) {
    case 0: {
      const auto which = in.below(facts.size());
      tables.put_fact(facts[which], make_fact(in.below(8) == 0 ? in.below(7) : which, in));
      return;
    }
    case 1: {
      const slot where{in.number()};
      const auto at = fuzz::make_ballot(in);
      const auto value = fuzz::make_value(in);
      const auto sum =
        in.chance() ? checksum("accepted", key_of(where, at), value.view()) : in.number();
      tables.db()
        .use("INSERT OR REPLACE INTO accepted VALUES(?1, ?2, ?3, ?4, ?5)")
        .bind(where.value)
        .bind(at.round)
        .bind(at.voter.value)
        .bind(value.view())
        .bind(sum)
        .run();
      return;
    }
    case 2: {
      const slot upto{in.number()};
      const auto number = in.number();
      const auto nth = in.number();
      tables.put_part(upto, number, nth, in.text());
      return;
    }
    default:
      // A column of another type than it should have.
      tables.db().run(in.chance() ? "UPDATE facts SET value = 17"
                                  : "UPDATE accepted SET value = 'text', voter = -1.5");
      return;
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const place here;
  fuzz::reader in{data, size};
  if (in.below(8) == 0) {
    here.fill(in.rest());
  } else {
    here.fill(here.empty);
    try {
      sqlite_tables tables{here.file(), sqlite_tables::access::write};
      tables.db().execute("PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY");
      tables.put_fact(self_fact, encode(std::uint64_t{1}));
      transaction all{tables.db()};
      for (int row = 0; row < 16 && !in.done(); ++row)
        add_row(tables, in);
      all.commit();
    } catch (const db_error&) {
      // Two rows with one key: SQLite itself refuses them.
    }
  }
  sqlite_store store{here.directory, voter_id{1}, sqlite_store::access::read};
  const auto found = store.load();
  const auto& why = found.outcome.why;
  fuzz::require(why.find('\n') == std::string::npos, "what is refused is refused with one line");
  const auto seen = inspect(here.directory);
  // The inspector also looks at what a load does not need.
  if (seen.why.empty() && seen.damages.empty())
    fuzz::require(found.outcome.ok(), "what is sound to whoever looks can be loaded");
  if (found.outcome.ok()) {
    ++fuzz::taken;
    fuzz::require(seen.why.empty(), "what loads can be looked at");
    fuzz::require(seen.slots == found.state.accepted.size(), "both count the same slots");
  }
  return 0;
}

} // namespace paxtor::fuzz
