#include <doctest/doctest.h>

#include "test/sim/outcome_checker.hpp"
#include "test/sim/put_checker.hpp"

using namespace paxtor;
using namespace paxtor::sim;

namespace {

asked_request request(unsigned process, std::uint64_t life, std::uint64_t id) {
  return {process, life, cluster::request_id{id}};
}

} // namespace

TEST_CASE("outcomes: one each is fine") {
  outcome_checker check;
  CHECK(!check.asked(moment{}, request(0, 1, 1), "x"));
  CHECK(!check.asked(moment{}, request(0, 1, 2), "y"));
  CHECK(!check.completed(request(0, 1, 2)));
  CHECK(!check.all_answered());
  CHECK(check.unanswered(5).find("request 1 (x") != std::string::npos);
  CHECK(!check.completed(request(0, 1, 1)));
  CHECK(check.all_answered());
}

TEST_CASE("outcomes: two for one, one for none, and a number used twice are wrong") {
  outcome_checker check;
  CHECK(!check.asked(moment{}, request(0, 1, 1), "x"));
  CHECK(!check.completed(request(0, 1, 1)));
  CHECK(check.completed(request(0, 1, 1)));
  CHECK(check.completed(request(0, 1, 2)));
  CHECK(check.asked(moment{}, request(0, 1, 1), "again"));
}

TEST_CASE("outcomes: a process takes its requests with it, and no other's") {
  outcome_checker check;
  CHECK(!check.asked(moment{}, request(0, 1, 1), "x"));
  CHECK(!check.asked(moment{}, request(1, 1, 1), "y"));
  CHECK(!check.asked(moment{}, request(0, 2, 1), "z"));
  check.process_ended(0, 1);
  CHECK(!check.completed(request(1, 1, 1)));
  CHECK(!check.completed(request(0, 2, 1)));
  CHECK(check.all_answered());
}

TEST_CASE("put once: the first value stays") {
  put_checker check;
  check.offered("k", "1");
  check.offered("k", "2");
  CHECK(!check.known("k"));
  CHECK(!check.answered("k", false, "", check.known("k")));
  CHECK(!check.stored("k", "1"));
  CHECK(!check.stored("k", "1"));
  CHECK(!check.answered("k", true, "1", true));
  CHECK(check.stored("k", "2"));
}

TEST_CASE("put once: a value that nobody put, and one that a later question misses, are wrong") {
  put_checker check;
  check.offered("k", "1");
  CHECK(check.stored("k", "3"));
  CHECK(!check.stored("k", "1"));
  CHECK(check.answered("k", false, "", check.known("k")));
}
