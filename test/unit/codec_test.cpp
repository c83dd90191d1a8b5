#include <doctest/doctest.h>

#include <variant>
#include <vector>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/paxos/messages.hpp"

using namespace paxtor;

namespace {

struct old_point {
  int x = 0;
  MSGPACK_DEFINE(x)
};

struct point {
  int x = 0;
  int y = 7;
  MSGPACK_DEFINE(x, y)
};

using shape = std::variant<point, std::string>;

} // namespace

TEST_CASE("structs and variants come back as they went") {
  point p;
  REQUIRE(decode(encode(point{3, 4}), p));
  CHECK(p.x == 3);
  CHECK(p.y == 4);
  shape s;
  REQUIRE(decode(encode(shape{std::string{"x"}}), s));
  CHECK(std::get<std::string>(s) == "x");
}

TEST_CASE("fields at the end may be missing or surplus") {
  point p;
  REQUIRE(decode(encode(old_point{3}), p));
  CHECK(p.x == 3);
  CHECK(p.y == 7);
  old_point q;
  REQUIRE(decode(encode(point{5, 6}), q));
  CHECK(q.x == 5);
}

TEST_CASE("anything else is refused: short, long, unknown, of another shape") {
  point p;
  shape s;
  const auto good = encode(point{3, 4});
  CHECK_FALSE(decode("", p));
  CHECK_FALSE(decode(good + "x", p));
  CHECK_FALSE(decode(good.substr(0, good.size() - 1), p));
  CHECK_FALSE(decode(encode(std::string{"x"}), p));
  CHECK_FALSE(decode(std::string("\x92\x02\xa1x", 4), s));
  CHECK_FALSE(decode(good, s));
  // A string that claims four gigabytes.
  std::string huge{"\xdb\xff\xff\xff\xff", 5};
  std::string text;
  CHECK_FALSE(decode(huge, text));
  CHECK_FALSE(decode(std::string(100, '\x91'), p));
}

TEST_CASE("random bytes never get past the codec alive") {
  generator random{1};
  std::uint64_t taken = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = "\x92";
    bytes += static_cast<char>(random.below(18));
    for (auto n = random.below(40); n > 0; --n)
      bytes += static_cast<char>(random.next());
    paxos::message what;
    taken += decode(bytes, what) ? 1 : 0;
  }
  CHECK(taken < 20000);
}

TEST_CASE("what claims more elements than it has is refused before anything is made of it") {
  // Arrays in arrays, each claiming as many elements as there are bytes: each claim alone is
  // possible, together they are not.
  std::string nested;
  for (int i = 0; i < 20; ++i)
    nested += std::string("\xdd\x00\x10\x00\x00", 5);
  nested += std::string(std::size_t{1} << 20, '\xc0');
  CHECK_FALSE(detail::within_budget(nested));
  std::vector<std::vector<std::uint64_t>> numbers;
  CHECK_FALSE(decode(nested, numbers));
  // A map counts twice.
  CHECK(detail::within_budget(std::string("\x81\x01\x02", 3)));
  CHECK_FALSE(detail::within_budget(std::string("\xde\x00\x02\x01\x02", 5)));
}

TEST_CASE("a frame has at most max_frame_elements, at all levels together") {
  std::vector<std::uint64_t> most(max_frame_elements);
  std::vector<std::uint64_t> back;
  CHECK(decode(encode(most), back));
  CHECK(back.size() == max_frame_elements);
  most.push_back(0);
  CHECK_FALSE(decode(encode(most), back));
  std::vector<std::vector<std::uint64_t>> halves(2);
  halves[0].resize(max_frame_elements / 2);
  halves[1].resize(max_frame_elements / 2);
  CHECK_FALSE(decode(encode(halves), halves));
}

TEST_CASE("nesting is bounded, also of empty arrays one after the other") {
  auto nested = [](std::size_t depth) { return std::string(depth - 1, '\x91') + '\x90'; };
  CHECK(detail::within_budget(nested(max_frame_depth)));
  CHECK_FALSE(detail::within_budget(nested(max_frame_depth + 1)));
  CHECK(detail::within_budget(encode(std::vector<std::vector<int>>(1000))));
}
