// `paxtor release --force`: an operator's word, where nothing else frees a strict lock.

#include <csignal>

#include <doctest/doctest.h>

#include "test/cluster/support.hpp"

using namespace paxtor::test;

TEST_CASE("release: frees a strict lock whose owner is gone for good, and nothing else") {
  three_nodes nodes;
  const auto holder = nodes.start("lock", {"--guardian", "off", "--strict", "k", "--", "sh", "-c",
                                           "echo token $PAXTOR_TOKEN; exec sleep 1000"});
  REQUIRE(contains(holder->read_line(10s).value_or(""), "token "));
  const auto unsure = nodes.run("release", {"k"});
  CHECK(unsure.status == 64);
  CHECK(contains(unsure.err, "--force"));
  // The cluster hears of the owner's node: the operator is wrong.
  const auto early = nodes.run("release", {"--force", "k"});
  CHECK(early.status != 0);
  CHECK(contains(early.err, "may still work"));
  CHECK(nodes.run("why", {"k", "--json"}).json()["holder"]["session_open"] == true);
  holder->kill_now();
  REQUIRE(eventually(10s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["holder"]["session_open"] == false;
  }));
  CHECK(contains(nodes.run("why", {"k"}).out, "paxtor release --force"));
  const auto waiter =
    nodes.start("lock", {"k", "--", "sh", "-c", "echo token $PAXTOR_TOKEN; exec sleep 1000"});
  REQUIRE(eventually(10s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 1;
  }));
  const auto released = nodes.run("release", {"--force", "--by", "ann", "k"});
  CHECK(released.status == 0);
  CHECK(contains(released.out, "Released"));
  REQUIRE(contains(waiter->read_line(5s).value_or(""), "token "));
  const auto taken = nodes.run("why", {"k", "--json"}).json()["holder"]["taken_from"];
  REQUIRE(taken.is_object());
  CHECK(taken["reason"] == "forced");
  CHECK(taken["detail"] == "by ann");
  CHECK(contains(nodes.run("why", {"k"}).out, "released by force (by ann)"));
  waiter->signal(SIGTERM);
  CHECK(waiter->wait(10s) == 128 + SIGTERM);
  const auto nothing = nodes.run("release", {"--force", "k", "--json"});
  CHECK(nothing.status != 0);
  CHECK(contains(nothing.err, "nobody holds"));
}
