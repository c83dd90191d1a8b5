#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "libpaxtor/cluster/lease_options.hpp"

using namespace paxtor;
using namespace paxtor::cluster;
using namespace std::chrono_literals;

TEST_CASE("the margin is an eighth of the ttl, at least 100 ms, never over a quarter") {
  lease_options x;
  CHECK(x.margin() == 375ms);
  x.ttl = 600ms;
  CHECK(x.margin() == 100ms);
  x.ttl = 300ms;
  CHECK(x.margin() == 75ms);
}

TEST_CASE("S1: a session expires after ttl * (1 + rho) + one tick") {
  lease_options x;
  CHECK(x.expire_after() == 3000ms + 30ms + 25ms);
  CHECK(x.renew_every() == 500ms);
}

TEST_CASE("a leader's death must fence nobody: times that do not fit are refused with a reason") {
  lease_options leases;
  paxos::timing times;
  std::string why;
  CHECK(validate(leases, times, why));
  leases.ttl = 1000ms;
  CHECK_FALSE(validate(leases, times, why));
  CHECK(why.find("longer ttl or shorter elections") != std::string::npos);
  leases.ttl = 200ms;
  CHECK_FALSE(validate(leases, times, why));
  CHECK(why.find("300 ms") != std::string::npos);
  leases.ttl = 61s;
  CHECK_FALSE(validate(leases, times, why));
  leases.ttl = 3s;
  leases.tick = 0ms;
  CHECK_FALSE(validate(leases, times, why));
  CHECK(why.find("tick") != std::string::npos);
}

TEST_CASE("the log's times that are made for a ttl fit it, over the whole range") {
  for (auto ttl : {duration{300ms}, duration{317ms}, duration{500ms}, duration{1s},
                   duration{1999ms}, duration{3s}, duration{60s}}) {
    CAPTURE(ttl.count());
    lease_options leases;
    leases.ttl = ttl;
    std::string why;
    bool fits = validate(leases, timing_for(ttl), why);
    CHECK_MESSAGE(fits, why);
  }
  CHECK(timing_for(3s).election_max == paxos::timing{}.election_max);
  CHECK(timing_for(300ms).election_max < 100ms);
}
