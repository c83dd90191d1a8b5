// `paxtor bench` beyond what the demo's test looks at: stores on disk, memory, and a clean end.

#include <csignal>
#include <filesystem>

#include <doctest/doctest.h>

#include "test/cluster/support.hpp"

using namespace paxtor::test;

namespace {

/// Nothing is left in the directory that a bench was given.
bool empty(const scratch& files) {
  return std::filesystem::is_empty(files.file(""));
}

} // namespace

TEST_CASE("bench: voters with data directories, which are gone afterwards") {
  const marked mark;
  const scratch files;
  const auto result = mark.run({"bench", "--store", "sqlite", "--dir", files.file(""), "--part",
                                "cycles", "--in-flight", "1,64", "--seconds", "0.3", "--json"},
                               {}, 60s);
  REQUIRE_MESSAGE(result.status == 0, result.err);
  const auto json = result.json();
  CHECK(json["store"].get<std::string>().starts_with("sqlite, on "));
  REQUIRE(json["cycles"].size() == 2);
  CHECK(json["cycles"][1]["in_flight"] == 64);
  CHECK(json["cycles"][1]["cycles_per_s"].get<double>() > 0);
  CHECK(empty(files));
}

TEST_CASE("bench: voters come back and a standby catches up while many locks are held") {
  const marked mark;
  const scratch files;
  const auto result = mark.run(
    {"bench", "recovery", "--locks", "10000", "--runs", "2", "--dir", files.file(""), "--json"}, {},
    85s);
  REQUIRE_MESSAGE(result.status == 0, result.err);
  const auto json = result.json();
  CHECK(json["locks"] == 10'000);
  REQUIRE(json["follower_again"].size() == 2);
  for (const auto& run : json["follower_again"]) {
    CHECK(run["caught_up_seconds"] >= run["ready_seconds"]);
    CHECK(run["waits"]["count"] > 0);
  }
  CHECK(json["standby"]["seconds"] > 0);
  CHECK(json["standby"]["waits"]["count"] > 0);
  // Nobody loses a lock for a follower or a standby. (All voters at once may take longer than a
  // lease on a machine with much else to do.)
  CHECK(json["owners_ended"] == json["all_again"]["owners_ended"]);
  CHECK(empty(files));
}

TEST_CASE("bench: Ctrl-C leaves neither processes nor directories") {
  const marked mark;
  const scratch files;
  const auto bench = mark.start(
    {"bench", "--store", "sqlite", "--dir", files.file(""), "--part", "cycles", "--seconds", "60"});
  REQUIRE(bench->read_line(20s));
  CHECK_FALSE(empty(files));
  bench->signal(SIGINT);
  CHECK(bench->wait(10s) == 128 + SIGINT);
  CHECK(eventually(5s, [&] { return mark.left().empty(); }));
  CHECK(empty(files));
}

TEST_CASE("bench: what it cannot use is said in one line") {
  const marked mark;
  const auto away = mark.run({"bench", "--store", "sqlite", "--dir", "/does/not/exist"});
  CHECK(away.status == 64);
  CHECK(contains(away.err, "/does/not/exist"));
  const auto other = mark.run({"bench", "--store", "sqlite", "--voters", "a=127.0.0.1:1"});
  CHECK(other.status == 64);
  CHECK(contains(other.err, "leave it out with --voters"));
}

TEST_CASE("bench: a voter keeps nothing of keys that are free (R6)") {
  const marked mark;
  constexpr int count = 400'000;
  const auto result =
    mark.run({"bench", "keys", "--count", std::to_string(count), "--json"}, {}, 85s);
  REQUIRE_MESSAGE(result.status == 0, result.err);
  const auto json = result.json();
  CHECK(json["errors"] == 0);
  REQUIRE(json["rows"].back()["keys"] == count);
  CHECK(json["rows"].back()["voters"].size() == 3);
  // In the first half the log grows to its bound, and allocators with it. A few bytes kept of each
  // key of the second half would be more than this: the least that a map keeps of a key is 80.
  const auto first = json["peak_first_half_bytes"].get<long>();
  const auto second = json["peak_second_half_bytes"].get<long>();
  MESSAGE("peaks of the largest voter, in bytes: " << first << ", then " << second);
  CHECK(first > 0);
  CHECK(second - first < count / 2 * 32);
}
