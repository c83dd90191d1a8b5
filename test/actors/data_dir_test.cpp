#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <paxtor/error.hpp>

#include "actors/data_dir.hpp"

using namespace paxtor;
using paxtor::actors::data_dir;
using paxtor::actors::node_life;

namespace {

namespace fs = std::filesystem;

struct folder {
  folder() {
    auto text = (fs::temp_directory_path() / "paxtor-data-XXXXXX").string();
    REQUIRE(mkdtemp(text.data()) != nullptr);
    path = text;
  }
  ~folder() { fs::remove_all(path); }

  [[nodiscard]] std::string data() const { return (path / "data").string(); }

  fs::path path;
};

node_life life(std::uint64_t node, const std::string& secret = "sixteen bytes ok") {
  return {node_id{node}, secret, "a"};
}

std::unique_ptr<data_dir> open(const std::string& path) {
  auto result = data_dir::open(path, "a");
  REQUIRE(result);
  return std::move(*result);
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream{path} << text;
}

} // namespace

TEST_CASE("a data directory tells the next process which lives have ended") {
  folder f;
  CHECK(open(f.data())->ended().empty());
  {
    auto dir = open(f.data());
    CHECK_FALSE(dir->begin(life(7, std::string("\0\xff raw bytes 16", 15) + "x")));
    CHECK(dir->ended().empty());
  }
  {
    auto dir = open(f.data());
    REQUIRE(dir->ended().size() == 1);
    CHECK(dir->ended()[0].node == node_id{7});
    CHECK(dir->ended()[0].secret == std::string("\0\xff raw bytes 16", 15) + "x");
    CHECK_FALSE(dir->begin(life(8)));
  }
  // Nobody certified either: the next one can still do both.
  auto dir = open(f.data());
  REQUIRE(dir->ended().size() == 2);
  dir->forget(node_id{7});
  CHECK_FALSE(dir->begin(life(9)));
  dir->forget(node_id{9}); // it left in good order
  dir.reset();
  dir = open(f.data());
  REQUIRE(dir->ended().size() == 1);
  CHECK(dir->ended()[0].node == node_id{8});
}

TEST_CASE("a data directory is one process's at a time, and the error says whose") {
  folder f;
  auto first = open(f.data());
  auto second = data_dir::open(f.data(), "b");
  REQUIRE_FALSE(second);
  CHECK(second.error() == errc::cannot_open);
  CHECK(describe(second.error()).find("process " + std::to_string(getpid())) != std::string::npos);
  first.reset();
  CHECK(data_dir::open(f.data(), "b"));
}

TEST_CASE("the lock goes with the process, however that ends, and not before") {
  folder f;
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const auto child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto dir = data_dir::open(f.data(), "a");
    const bool good = dir && !(*dir)->begin({node_id{7}, "sixteen bytes ok", "a"});
    (void)!write(ready[1], good ? "1" : "0", 1);
    pause();
    _exit(0);
  }
  char answer = 0;
  REQUIRE(read(ready[0], &answer, 1) == 1);
  REQUIRE(answer == '1');
  CHECK_FALSE(data_dir::open(f.data(), "a"));
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, nullptr, 0) == child);
  auto dir = open(f.data());
  REQUIRE(dir->ended().size() == 1);
  CHECK(dir->ended()[0].node == node_id{7});
  close(ready[0]);
  close(ready[1]);
}

TEST_CASE("I41: a copy of a data directory, or one with a new lock file, proves nothing") {
  folder f;
  {
    auto dir = open(f.data());
    CHECK_FALSE(dir->begin(life(7)));
  }
  const auto copy = (f.path / "copy").string();
  fs::copy(f.data(), copy);
  auto copied = open(copy);
  CHECK(copied->ended().empty());
  CHECK(copied->forgotten().find("copied") != std::string::npos);
  // Once it has begun a life of its own, that one counts.
  CHECK_FALSE(copied->begin(life(8)));
  copied.reset();
  copied = open(copy);
  REQUIRE(copied->ended().size() == 1);
  CHECK(copied->ended()[0].node == node_id{8});

  auto original = open(f.data());
  CHECK(original->ended().size() == 1);
  // Somebody removes the lock file of a running node: the next process gets a lock, not the lock.
  // (Another file is made first, so that the inode is not used again at once.)
  write_file(f.data() + "/other", "x");
  fs::remove(f.data() + "/lock");
  write_file(f.data() + "/another", "x");
  auto thief = open(f.data());
  CHECK(thief->ended().empty());
  CHECK_FALSE(thief->forgotten().empty());
}

TEST_CASE("a damaged file, or one of a newer version, is said and not used") {
  folder f;
  (void)open(f.data());
  for (const char* text :
       {"", "nonsense", "{}", "[]", R"({"format":1,"lives":[{}]})",
        R"({"format":1,"lives":[{"node":"7","secret":"xyz"}]})", R"({"format":2,"lives":[]})"}) {
    write_file(f.data() + "/lives.json", text);
    auto dir = data_dir::open(f.data(), "a");
    REQUIRE_FALSE(dir);
    CHECK(describe(dir.error()).find("lives.json") != std::string::npos);
    CHECK(describe(dir.error()).find("move it away") != std::string::npos);
  }
  fs::remove(f.data() + "/lives.json");
  CHECK(data_dir::open(f.data(), "a"));
}

TEST_CASE("a data directory that cannot be made says why") {
  folder f;
  write_file((f.path / "file").string(), "x");
  auto dir = data_dir::open((f.path / "file" / "data").string(), "a");
  REQUIRE_FALSE(dir);
  CHECK(describe(dir.error()).find("cannot be made") != std::string::npos);
}

TEST_CASE("many lives that nobody certified stay bounded") {
  folder f;
  for (std::uint64_t i = 1; i <= 40; ++i) {
    auto dir = open(f.data());
    CHECK(dir->ended().size() <= actors::max_lives_kept);
    CHECK_FALSE(dir->begin(life(i)));
  }
  auto dir = open(f.data());
  CHECK(dir->ended().size() == actors::max_lives_kept);
  CHECK(dir->ended().back().node == node_id{40});
}
