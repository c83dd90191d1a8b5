#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "libpaxtor/storage/memory_store.hpp"

namespace paxtor::paxos {

using paxtor::storage::memory_store;

namespace {

write one(std::uint64_t id, write_op op) {
  return {write_id{id}, {std::move(op)}};
}

write_op value(std::uint64_t where, std::uint64_t round, std::string bytes) {
  return write_accepted{slot{where}, {ballot{round, voter_id{1}}, blob{std::move(bytes)}}};
}

} // namespace

TEST_CASE("a blank memory store knows who it is and nothing else") {
  memory_store store{voter_id{7}};
  auto x = store.load();
  REQUIRE(x.outcome.ok());
  CHECK(x.state.self == voter_id{7});
  CHECK(x.state.blank());
  CHECK(store.volatile_store());
  CHECK(store.describe().find("memory") != std::string::npos);
}

TEST_CASE("I23: what was appended is given back after a restart") {
  memory_store store{voter_id{7}};
  ballot high{3, voter_id{2}};
  configuration voters{{{voter_id{7}, "a"}}};
  REQUIRE(
    store
      .append({one(1, write_formation{cluster_id{9}, voters, true}), one(2, write_promise{high}),
               one(3, value(1, 1, "old")), one(4, value(2, 3, "two")), one(5, value(1, 3, "new"))})
      .ok());
  auto x = store.load().state;
  CHECK(x.promised == high);
  REQUIRE(x.formation);
  CHECK(x.formation->cluster == cluster_id{9});
  REQUIRE(x.accepted.size() == 2);
  CHECK(x.accepted.at(slot{1}).value.view() == "new");
  CHECK(x.accepted.at(slot{1}).at.round == 3);
  CHECK(store.bytes() == 6);
}

TEST_CASE("truncation and snapshots drop what they replace") {
  memory_store store{voter_id{7}};
  for (std::uint64_t i = 1; i <= 10; ++i)
    REQUIRE(store.append({one(i, value(i, 1, "0123456789"))}).ok());
  CHECK(store.bytes() == 100);
  write_snapshot snapshot{slot{8}, index{80}, {}, blob{std::string{"image"}}};
  REQUIRE(store.append({one(11, snapshot), one(12, write_truncate{slot{8}})}).ok());
  CHECK(store.bytes() == 25);
  snapshot.image = blob{std::string{"img"}};
  REQUIRE(store.append({one(13, snapshot)}).ok());
  CHECK(store.bytes() == 23);
  auto x = store.load().state;
  CHECK(x.accepted.begin()->first == slot{9});
  CHECK(x.truncated_upto == slot{8});
  REQUIRE(x.snapshot);
  CHECK(x.snapshot->image.view() == "img");
}

TEST_CASE("a store that outgrows its bound says so and what to do") {
  memory_store store{voter_id{7}, 16};
  CHECK(store.append({one(1, value(1, 1, "0123456789"))}).ok());
  auto result = store.append({one(2, value(2, 1, "0123456789"))});
  CHECK_FALSE(result.ok());
  CHECK(result.why.find("bound of 16") != std::string::npos);
}

} // namespace paxtor::paxos
