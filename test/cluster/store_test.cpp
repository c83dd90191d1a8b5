// `paxtor store`: looking into a voter's directory, and a cluster of what is left.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "test/cluster/kept_nodes.hpp"

using namespace paxtor::test;

namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Every file of a directory: name, bytes and time.
std::map<std::string, std::pair<std::string, fs::file_time_type>> all_of(const std::string& dir) {
  std::map<std::string, std::pair<std::string, fs::file_time_type>> result;
  for (const auto& entry : fs::directory_iterator(dir))
    result[entry.path().filename()] = {bytes_of(entry.path()), entry.last_write_time()};
  return result;
}

void meddle(const std::string& dir, const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open((dir + "/voter.db").c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

outcome store(const kept_nodes& nodes, const words& rest) {
  words all{"store"};
  all.insert(all.end(), rest.begin(), rest.end());
  return nodes.mark.run(all);
}

} // namespace

TEST_CASE(
  "store inspect: what a killed voter and one that has ended hold, and nothing is changed") {
  kept_nodes nodes;
  REQUIRE(nodes.run("put", {"cfg", "k", "1"}).status == 0);
  for (const auto& name : nodes.names)
    nodes.running[name]->kill_now();
  const auto dir = nodes.dir("a");
  const auto before = all_of(dir);
  CHECK_FALSE(before.at("voter.db-wal").first.empty());
  const auto looked = store(nodes, {"inspect", dir, "--json"});
  REQUIRE_MESSAGE(looked.status == 0, looked.err);
  CHECK(looked.err.empty());
  const auto found = looked.json();
  CHECK(found["file"] == dir + "/voter.db");
  CHECK(found["voter"].is_number());
  CHECK(found["cluster"]["formed"] == true);
  CHECK(found["cluster"]["initial_voters"].size() == 3);
  CHECK(found["promised"]["round"].get<int>() >= 1);
  CHECK(found["log"]["first"] == 1);
  CHECK(found["log"]["last"].get<int>() >= 3);
  CHECK(found["log"]["slots"].get<int>() >= 3);
  CHECK(found["log"]["bytes"].get<int>() > 0);
  CHECK(found["log"]["truncated_upto"] == 0);
  CHECK(found["snapshot"].is_null());
  CHECK(found["closed"] == false);
  CHECK(found["copied"] == false);
  CHECK(found["wal_bytes"] == before.at("voter.db-wal").first.size());
  CHECK(found["damages"].empty());
  // All voters agree on the cluster and differ in their ids.
  const auto other = store(nodes, {"inspect", nodes.dir("b"), "--json"}).json();
  CHECK(other["cluster"] == found["cluster"]);
  CHECK(other["voter"] != found["voter"]);
  const auto table = store(nodes, {"inspect", dir});
  CHECK(table.status == 0);
  CHECK(contains(table.out, found["cluster"]["id"].dump()));
  CHECK(contains(table.out, "was killed"));
  CHECK(contains(table.out, "(a)"));
  CHECK(all_of(dir) == before);
  // And the voters start as if nobody had looked.
  for (const auto& name : nodes.names)
    nodes.begin(name);
  for (const auto& name : nodes.names)
    nodes.wait_ready(name);
  CHECK(contains(nodes.run("get", {"cfg", "k", "--json"}).out, "1"));
  const auto busy = store(nodes, {"inspect", dir});
  CHECK(busy.status == 69);
  CHECK(contains(busy.err, "in use by process " + std::to_string(nodes.running["a"]->pid())));
  nodes.running["a"]->signal(SIGTERM);
  REQUIRE(nodes.running["a"]->wait(10s) == 0);
  const auto closed = store(nodes, {"inspect", dir, "--json"}).json();
  CHECK(closed["closed"] == true);
  CHECK(closed["voter"] == found["voter"]);
  CHECK(closed["wal_bytes"] == 0);
}

TEST_CASE("store inspect: every row that is damaged is named") {
  kept_nodes nodes;
  REQUIRE(nodes.run("put", {"cfg", "k", "1"}).status == 0);
  nodes.running["a"]->signal(SIGTERM);
  REQUIRE(nodes.running["a"]->wait(10s) == 0);
  const auto dir = nodes.dir("a");
  meddle(dir, "UPDATE accepted SET value = x'00' WHERE slot IN (2, 3);"
              "UPDATE facts SET sum = 1 WHERE name = 'promise'");
  const auto looked = store(nodes, {"inspect", dir, "--json"});
  CHECK(looked.status == 1);
  for (const auto* row : {"slot 2 ", "slot 3 ", "'promise'"})
    CHECK(contains(looked.err, row));
  CHECK(looked.json()["damages"].size() == 3);
  CHECK(contains(store(nodes, {"inspect", dir}).err, "damaged: "));
  // Nothing is saved from it either.
  const auto forced = store(nodes, {"force-new-cluster", dir, "--yes-i-lose-data", "1"});
  CHECK(forced.status == 69);
  CHECK(contains(forced.err, "promise"));
}

TEST_CASE("store: wrong directories and files give one clear line and a status") {
  const marked mark;
  const scratch files;
  const auto run = [&](const words& args) { return mark.run(args); };
  for (const std::string command : {"inspect", "force-new-cluster"}) {
    CAPTURE(command);
    const auto none = run({"store", command, files.file("none")});
    CHECK(none.status == 69);
    CHECK(contains(none.err, files.file("none")));
    CHECK_FALSE(fs::exists(files.file("none")));
    const auto file = run({"store", command, files.write("file", "text")});
    CHECK(file.status == 69);
    const auto dir = files.file("empty-" + command);
    fs::create_directory(dir);
    const auto empty = run({"store", command, dir});
    CHECK(empty.status == 69);
    CHECK(contains(empty.err, "no voter keeps its log here"));
    CHECK(fs::is_empty(dir));
    std::ofstream{dir + "/voter.db"} << std::string(5000, 'x');
    const auto garbage = run({"store", command, dir});
    CHECK(garbage.status != 0);
    CHECK(contains(garbage.err, "damaged"));
    CHECK(run({"store", command}).status == 64);
    CHECK(contains(run({"store", command, "--help"}).out, "Example:"));
  }
  CHECK(run({"store"}).status == 64);
  const auto blank = files.file("blank");
  fs::create_directory(blank);
  meddle(blank, "CREATE TABLE theirs(x)");
  CHECK(contains(run({"store", "inspect", blank}).err, "another program"));
  meddle(blank, "PRAGMA application_id=1350071410; PRAGMA user_version=99");
  const auto newer = run({"store", "inspect", blank});
  CHECK(newer.status == 1);
  CHECK(contains(newer.err, "newer version of paxtor (format 99"));
}

TEST_CASE("store force-new-cluster: one voter of three is left, and goes on with what it had") {
  kept_nodes nodes;
  REQUIRE(nodes.run("put", {"cfg", "k", "\"first\""}).status == 0);
  const auto busy = store(nodes, {"force-new-cluster", nodes.dir("a")});
  CHECK(busy.status == 69);
  CHECK(contains(busy.err, "in use by process"));
  // The one that is left has what the others had: it has been told of what they decided.
  for (const auto& name : nodes.names)
    nodes.running[name]->kill_now();
  const auto dir = nodes.dir("a");
  const auto before = store(nodes, {"inspect", dir, "--json"}).json();
  const auto id = before["cluster"]["id"].dump();
  fs::remove_all(nodes.dir("c"));
  const auto wrong = store(nodes, {"force-new-cluster", dir, "--yes-i-lose-data", "4711"});
  CHECK(wrong.status == 1);
  CHECK(contains(wrong.err, "nothing was changed"));
  // Asked, and answered with an empty line.
  const auto silent = store(nodes, {"force-new-cluster", dir});
  CHECK(silent.status == 1);
  CHECK(contains(silent.err, "type the old cluster's id, " + id));
  CHECK(contains(silent.err, "Never start a lost voter's data"));
  auto same = store(nodes, {"inspect", dir, "--json"}).json();
  CHECK(same["cluster"] == before["cluster"]);
  CHECK(same["voter"] == before["voter"]);
  CHECK(same["log"] == before["log"]);
  const auto asked = nodes.mark.start({"store", "force-new-cluster", dir, "--json"});
  asked->write_line(id);
  const auto told = asked->read_json(10s);
  REQUIRE(told);
  CHECK(asked->wait(10s) == 0);
  CHECK((*told)["old_cluster"].dump() == id);
  CHECK((*told)["name"] == "a");
  const auto after = store(nodes, {"inspect", dir, "--json"}).json();
  CHECK(after["cluster"]["id"] == (*told)["cluster"]);
  CHECK(after["cluster"]["id"] != before["cluster"]["id"]);
  CHECK(after["voter"] != before["voter"]);
  CHECK(after["voter"] == (*told)["voter"]);
  CHECK(after["snapshot"]["upto"] == before["log"]["last"]);
  CHECK(after["snapshot"]["voters"].size() == 1);
  CHECK(after["log"]["slots"] == 0);
  CHECK(after["promised"]["round"] >= before["promised"]["round"]);
  // It serves alone, with what was decided; keys of the old cluster's nodes are free after a ttl.
  nodes.voters = nodes.voters.substr(0, nodes.voters.find(','));
  nodes.begin("a");
  nodes.wait_ready("a");
  CHECK(contains(nodes.run("get", {"cfg", "k", "--json"}).out, "first"));
  CHECK(contains(nodes.run("put", {"cfg", "k", "\"second\"", "--json"}).out, "first"));
  CHECK(nodes.run("lock", {"key", "--", "true"}).status == 0);
}
