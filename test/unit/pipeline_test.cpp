// How many slots a leader has in flight.

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "libpaxtor/paxos/pipeline.hpp"
#include "test/unit/paxos_help.hpp"

namespace paxtor::paxos::test {

TEST_CASE("what phase 1 recovered is proposed many slots at a time, up to a batch's bytes") {
  limits bounds;
  bounds.slots_in_flight = 2;
  bounds.slots_recovering = 10;
  bounds.batch_bytes = 1000;
  std::map<slot, recovered_value> recovered;
  for (std::uint64_t i = 1; i <= 40; ++i)
    recovered[slot{i}] = {at(1, b), value(std::string(i <= 30 ? 1 : 400, 'v')), {}};
  pipeline x{at(2, a), bounds, slot{}, recovered};
  auto all = x.cut(start);
  REQUIRE(all.size() == 10);
  CHECK(all.back().where == slot{10});
  x.decided(start, slot{7});
  CHECK(x.cut(start).size() == 7);
  x.decided(start, slot{17});
  CHECK(x.cut(start).size() == 10);
  // 28 to 30 are small; the third large one reaches a batch's bytes.
  x.decided(start, slot{27});
  all = x.cut(start);
  REQUIRE(all.size() == 6);
  CHECK(all.back().where == slot{33});
  x.decided(start, slot{33});
  CHECK(x.cut(start).size() == 3);
  x.decided(start, slot{36});
  CHECK(x.cut(start).size() == 3);
  x.decided(start, slot{39});
  // The last of them, and the reign's own entry behind it. Then the usual window.
  all = x.cut(start);
  REQUIRE(all.size() == 2);
  CHECK(all.front().where == slot{40});
  CHECK(all.back().where == x.reign_slot());
  REQUIRE(x.add(entry{entry_kind::command, "of a client"}));
  CHECK(x.cut(start).empty());
  x.decided(start, slot{41});
  CHECK(x.cut(start).size() == 1);
  x.decided(start, slot{42});
  CHECK(x.idle());
}

} // namespace paxtor::paxos::test
