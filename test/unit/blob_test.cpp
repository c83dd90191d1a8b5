#include <doctest/doctest.h>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/base/codec.hpp"

using namespace paxtor;

TEST_CASE("a blob shares its bytes and compares by them") {
  const blob x{std::string{"bytes"}};
  const blob y = x;
  CHECK(x.view().data() == y.view().data());
  CHECK(x == blob{std::string{"bytes"}});
  CHECK_FALSE(x == blob{std::string{"other"}});
  CHECK(blob{}.empty());
  CHECK(blob{} == blob{std::string{}});
  CHECK(x.size() == 5);
}

TEST_CASE("a blob survives the codec and takes nothing but bytes") {
  blob x;
  REQUIRE(decode(encode(blob{std::string("\0\xff", 2)}), x));
  CHECK(x.view() == std::string_view("\0\xff", 2));
  CHECK_FALSE(decode(encode(42), x));
}
