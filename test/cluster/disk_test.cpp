// Disks that fail, fill up, are damaged or copied: the voter stops and says why, the others go on.

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/mount.h>

#include "test/cluster/kept_nodes.hpp"

using namespace paxtor::test;

namespace {

namespace fs = std::filesystem;

/// The others decide, and grant locks.
void check_others(const kept_nodes& nodes, const std::string& key) {
  CHECK(nodes.run("put", {"cfg", key, "1"}).status == 0);
  CHECK(nodes.run("lock", {key, "--", "true"}).status == 0);
}

/// Writes go on until this node has ended.
void keep_writing(kept_nodes& nodes, const std::string& until_gone) {
  int n = 0;
  CHECK(eventually(60s, [&] {
    (void)nodes.run("put", {"cfg", "w" + std::to_string(++n), "1"});
    return !nodes.running[until_gone]->running();
  }));
}

/// A small disk on a directory, unmounted at the end.
struct small_disk {
  small_disk(std::string where, const std::string& size) : path(std::move(where)) {
    fs::create_directories(path);
    mounted = mount("tmpfs", path.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
    why = mounted ? "" : std::strerror(errno);
  }
  ~small_disk() {
    if (mounted)
      umount2(path.c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  std::string path;
  bool mounted = false;
  std::string why;
};

} // namespace

TEST_CASE("disk: it fills up, its voter stops with the file and the cause, the others go on") {
  const scratch place;
  const small_disk disk{place.file("small"), "8m"};
  if (!disk.mounted) {
    // Not silently: it is listed as a warning, and by its message.
    WARN_MESSAGE(disk.mounted, ("skipped: a tmpfs cannot be mounted: " + disk.why));
    return;
  }
  kept_nodes nodes{{}, "node", {{"a", disk.path + "/a"}}};
  REQUIRE(nodes.run("put", {"cfg", "k", "1"}).status == 0);
  {
    std::ofstream filler{disk.path + "/filler", std::ios::binary};
    const std::string page(4096, 'x');
    while (filler.write(page.data(), static_cast<long>(page.size())).flush()) {
    }
  }
  keep_writing(nodes, "a");
  const auto said = nodes.running["a"]->read_errors(5s);
  CHECK(contains(said, disk.path + "/a/voter.db"));
  CHECK(contains(said, "free space on that disk"));
  CHECK(contains(said, "stopping this process"));
  check_others(nodes, "others");
  // Full as it is it does not start either; with space it is the voter that it was.
  nodes.begin("a");
  CHECK(nodes.running["a"]->wait(20s).value_or(0) != 0);
  fs::remove(disk.path + "/filler");
  nodes.begin("a");
  nodes.wait_ready("a");
  nodes.running["b"]->kill_now();
  check_others(nodes, "again");
}

TEST_CASE("disk: a sync fails, its voter stops with the file and the cause, the others go on") {
  const scratch place;
  kept_nodes nodes;
  nodes.running["a"]->signal(SIGTERM);
  REQUIRE(nodes.running["a"]->wait(10s) == 0);
  const auto bad = place.file("bad");
  nodes.begin("a", {}, {"LD_PRELOAD=" PAXTOR_FAILING_DISK, "PAXTOR_TEST_BAD_DISK=" + bad});
  nodes.wait_ready("a");
  (void)place.write("bad", "");
  keep_writing(nodes, "a");
  const auto said = nodes.running["a"]->read_errors(5s);
  CHECK(contains(said, nodes.dir("a") + "/voter.db"));
  CHECK(contains(said, "the disk refused"));
  CHECK(contains(said, "stopping this process"));
  check_others(nodes, "others");
  // The disk is well again: what it had said to be durable is there, and it votes.
  nodes.begin("a");
  nodes.wait_ready("a");
  nodes.running["b"]->kill_now();
  check_others(nodes, "again");
}

TEST_CASE("disk: a damaged row, a torn file: the voter does not start, the others go on") {
  kept_nodes nodes;
  REQUIRE(nodes.run("put", {"cfg", "k", "1"}).status == 0);
  nodes.running["a"]->signal(SIGTERM);
  REQUIRE(nodes.running["a"]->wait(10s) == 0);
  const auto file = nodes.dir("a") + "/voter.db";
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  CHECK(
    sqlite3_exec(db, "UPDATE accepted SET value = x'00' WHERE slot = 2", nullptr, nullptr, nullptr)
    == SQLITE_OK);
  sqlite3_close(db);
  const auto start = [&] {
    return nodes.mark.run(
      nodes.args("node", {"--name", "a", "--data-dir", nodes.dir("a"), "--join-timeout", "5s"}));
  };
  auto again = start();
  CHECK(again.status == 69);
  CHECK(contains(again.err, file + ": slot 2 does not match its checksum"));
  check_others(nodes, "one");
  fs::resize_file(file, fs::file_size(file) / 2);
  again = start();
  CHECK(again.status == 69);
  CHECK(contains(again.err, file));
  check_others(nodes, "two");
}

TEST_CASE("disk: a copy of a data directory is refused, whether the original runs or not") {
  kept_nodes nodes;
  REQUIRE(nodes.run("put", {"cfg", "k", "1"}).status == 0);
  nodes.running["a"]->kill_now();
  const auto copy = nodes.files.file("copy");
  fs::copy(nodes.dir("a"), copy);
  const auto start_copy = [&](const std::string& name) {
    return nodes.mark.run(
      nodes.args("node", {"--name", name, "--data-dir", copy, "--join-timeout", "5s"}));
  };
  auto second = start_copy("a");
  CHECK(second.status == 69);
  CHECK(contains(second.err, copy + "/voter.db: is a copy"));
  nodes.begin("a");
  nodes.wait_ready("a");
  second = start_copy("a");
  CHECK(second.status == 69);
  CHECK(contains(second.err, "is a copy"));
  // The original votes as before.
  nodes.running["b"]->kill_now();
  check_others(nodes, "others");
}
