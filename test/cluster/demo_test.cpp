#include <csignal>

#include <doctest/doctest.h>

#include "test/cluster/support.hpp"

using namespace paxtor::test;

TEST_CASE("demo: shows what it promises, in time, and leaves nothing behind") {
  const marked mark;
  const auto start = clock::now();
  const auto result = mark.run({"demo"}, {}, 60s);
  CHECK(result.status == 0);
  CHECK(seconds_since(start) < 40);
  CHECK_MESSAGE(contains(result.out, "checks hold"), result.out, result.err);
  CHECK_FALSE(contains(result.out, "NOT TRUE"));
  // Not a terminal: no colours, no cursor.
  CHECK_FALSE(contains(result.out, "\033"));
  CHECK_FALSE(contains(result.out, "\r"));
}

TEST_CASE("demo: Ctrl-C leaves nothing behind") {
  const marked mark;
  const auto demo = mark.start({"demo"});
  // Its processes are there once the first part has begun.
  REQUIRE(eventually(15s, [&] { return demo->read_line(100ms).value_or("").starts_with("(a)"); }));
  CHECK(mark.left().size() >= 4);
  demo->signal(SIGINT);
  CHECK(demo->wait(5s) == 128 + SIGINT);
  CHECK(eventually(5s, [&] { return mark.left().empty(); }));
}

TEST_CASE("bench: reports JSON, and serves a queue in order") {
  const marked mark;
  const auto result = mark.run({"bench", "--seconds", "0.3", "--json"}, {}, 60s);
  CHECK(result.status == 0);
  const auto json = result.json();
  REQUIRE(json.is_object());
  CHECK(json["cycles"].size() == 4);
  for (const auto& row : json["cycles"])
    CHECK(row["cycles_per_s"].get<double>() > 0);
  CHECK(json["handoffs"]["fifo"] == true);
  CHECK(json["names"]["in this process"].contains("ratio"));
  CHECK(json["names"]["on another node"].contains("ratio"));
}
