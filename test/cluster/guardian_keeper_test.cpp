// The node's side of a guardian: a process that is found, started, started again, and reaped.

#include <csignal>
#include <filesystem>

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/guardian_keeper.hpp"
#include "libpaxtor/base/digest.hpp"
#include "test/cluster/fake_voter.hpp"
#include "test/cluster/support.hpp"

using namespace paxtor::test;
using paxtor::actors::find_guardian;
using paxtor::actors::guardian_keeper;
using paxtor::actors::guardian_setup;

namespace {

std::unique_ptr<guardian_keeper> keeper_of(const fake_voter& voter, std::string host = {}) {
  guardian_setup setup;
  setup.node_name = "w";
  setup.program = PAXTOR_GUARDIAN;
  const auto address = voter.address("a");
  setup.voters.push_back({"a", {host.empty() ? address.host : host, address.port}});
  std::string why;
  auto made = guardian_keeper::make(std::move(setup), why);
  REQUIRE_MESSAGE(made, why);
  return made;
}

pid_t linked_guardian(const guardian_keeper& keeper) {
  REQUIRE(eventually(15s, [&] { return keeper.status()["linked"] == 1; }));
  return keeper.status()["pid"].get<pid_t>();
}

} // namespace

TEST_CASE("keeper: finds the program where it was told, or beside this one, or says why not") {
  std::string why;
  CHECK(find_guardian(PAXTOR_GUARDIAN, why) == PAXTOR_GUARDIAN);
  CHECK(find_guardian("/", why).empty());
  CHECK(contains(why, "'/' is no program"));
  const std::filesystem::path program{PAXTOR_GUARDIAN};
  const std::string before = std::getenv("PATH");
  setenv("PATH", "relative:/no/such/folder", 1);
  const auto none = find_guardian({}, why);
  setenv("PATH", (before + ":" + program.parent_path().string()).c_str(), 1);
  const auto found = find_guardian({}, why);
  setenv("PATH", before.c_str(), 1);
  CHECK(std::filesystem::path{found}.filename() == "paxtor-guardian");
  // Where it is installed on this machine it is found all the same.
  if (none.empty())
    CHECK(contains(why, "no paxtor-guardian beside this program"));
}

TEST_CASE("keeper: a seal that nobody can guess") {
  fake_voter voter{fake_voter::manner::certifies};
  const auto one = keeper_of(voter);
  const auto two = keeper_of(voter);
  CHECK(one->seal().size() == paxtor::digest_bytes);
  CHECK(one->seal() != two->seal());
}

TEST_CASE("keeper: starts another guardian when one ends, and none is left after the farewell") {
  fake_voter voter{fake_voter::manner::certifies};
  const auto keeper = keeper_of(voter, "localhost");
  keeper->start(paxtor::node_id{5});
  const auto first = linked_guardian(*keeper);
  CHECK(getsid(first) == first);
  kill(first, SIGKILL);
  REQUIRE(eventually(10s, [&] { return keeper->status()["started"] == 2; }));
  const auto second = linked_guardian(*keeper);
  CHECK(second != first);
  CHECK(parent_of(first) == -1);
  keeper->stop(true);
  CHECK(parent_of(second) == -1);
  CHECK(keeper->status()["on"] == false);
  CHECK(voter.heard() == 0);
}

TEST_CASE("keeper: a child that somebody else has reaped is no trouble") {
  fake_voter voter{fake_voter::manner::certifies};
  const auto keeper = keeper_of(voter);
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  keeper->start(paxtor::node_id{5});
  const auto first = linked_guardian(*keeper);
  kill(first, SIGKILL);
  REQUIRE(eventually(10s, [&] { return keeper->status()["started"] == 2; }));
  linked_guardian(*keeper);
  keeper->stop(true);
  std::signal(SIGCHLD, before);
}

TEST_CASE("keeper: without a farewell the guardian stays") {
  fake_voter voter{fake_voter::manner::certifies};
  auto keeper = keeper_of(voter);
  keeper->start(paxtor::node_id{5});
  const auto guardian = linked_guardian(*keeper);
  keeper.reset();
  poll(nullptr, 0, 200);
  CHECK(alive(guardian));
  kill(guardian, SIGKILL);
  CHECK(waitpid(guardian, nullptr, 0) == guardian);
}
