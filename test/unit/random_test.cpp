#include <doctest/doctest.h>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/random.hpp"

using namespace paxtor;

TEST_CASE("the same seed gives the same numbers on every platform") {
  generator x{0};
  CHECK(x.next() == 0xe220a8397b1dcdafULL);
  CHECK(x.next() == 0x6e789e6aa1b965f4ULL);
}

TEST_CASE("numbers stay within their bounds and reach both ends") {
  generator x{1};
  bool low = false;
  bool high = false;
  for (int i = 0; i < 1000; ++i) {
    const auto n = x.between(3, 7);
    REQUIRE(n >= 3);
    REQUIRE(n <= 7);
    low = low || n == 3;
    high = high || n == 7;
    REQUIRE(x.make_id<voter_id>().valid());
  }
  CHECK(low);
  CHECK(high);
  CHECK_FALSE(x.chance(0));
  CHECK(x.chance(100));
}

TEST_CASE("a fork goes its own way") {
  generator x{1};
  generator y{1};
  auto part = x.fork();
  (void)y.next();
  for (int i = 0; i < 10; ++i)
    (void)part.next();
  CHECK(x.next() == y.next());
}
