#include <initializer_list>

#include <doctest/doctest.h>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/paxos/batches.hpp"
#include "test/sim/agreement_checker.hpp"

using namespace paxtor;
using namespace paxtor::sim;

namespace {

const voter_id a{1};
const voter_id b{2};
const voter_id c{3};
const voter_id d{4};
const blob red{std::string{"red"}};
const blob blue{std::string{"blue"}};

paxos::configuration of(std::initializer_list<voter_id> ids) {
  paxos::configuration result;
  for (auto id : ids)
    result.members.push_back({id, "n" + to_string(id)});
  return result;
}

/// The value of a slot that makes these the voters.
blob change_to(const paxos::configuration& voters) {
  return paxos::make_batch({{paxos::entry_kind::configure, encode(voters)}});
}

ballot round_of(std::uint64_t round, voter_id by) {
  return ballot{round, by};
}

} // namespace

TEST_CASE("agreement: a later ballot that carries the chosen value on is fine") {
  agreement_checker check{of({a, b, c})};
  CHECK(!check.accepted(a, slot{1}, round_of(1, a), red));
  CHECK(!check.accepted(b, slot{1}, round_of(1, a), red));
  CHECK(check.slots_chosen() == 1);
  CHECK(!check.accepted(c, slot{1}, round_of(2, c), red));
  CHECK(!check.decided(a, slot{1}, red));
}

TEST_CASE("agreement: what no majority accepted may be replaced") {
  agreement_checker check{of({a, b, c})};
  CHECK(!check.accepted(a, slot{1}, round_of(1, a), red));
  CHECK(!check.accepted(b, slot{1}, round_of(2, b), blue));
  CHECK(!check.accepted(c, slot{1}, round_of(2, b), blue));
  CHECK(!check.decided(a, slot{1}, blue));
}

TEST_CASE("agreement: one voter twice is no majority") {
  agreement_checker check{of({a, b, c})};
  CHECK(!check.accepted(a, slot{1}, round_of(1, a), red));
  CHECK(!check.accepted(a, slot{1}, round_of(1, a), red));
  CHECK(check.slots_chosen() == 0);
  CHECK(check.decided(a, slot{1}, red));
}

TEST_CASE("agreement: two values in one ballot are wrong") {
  agreement_checker check{of({a, b, c})};
  CHECK(!check.accepted(a, slot{1}, round_of(1, a), red));
  CHECK(check.accepted(b, slot{1}, round_of(1, a), blue));
}

TEST_CASE("agreement: another value above the chosen one is wrong, in any order of events") {
  agreement_checker check{of({a, b, c})};
  CHECK(!check.accepted(a, slot{1}, round_of(1, a), red));
  SUBCASE("chosen first") {
    CHECK(!check.accepted(b, slot{1}, round_of(1, a), red));
    CHECK(check.accepted(c, slot{1}, round_of(2, c), blue));
  }
  SUBCASE("chosen afterwards: the voter had forgotten its promise") {
    CHECK(!check.accepted(c, slot{1}, round_of(2, c), blue));
    CHECK(check.accepted(b, slot{1}, round_of(1, a), red));
  }
}

TEST_CASE("agreement: teaching another value than the chosen one is wrong") {
  agreement_checker check{of({a})};
  CHECK(!check.accepted(a, slot{1}, round_of(1, a), red));
  CHECK(check.decided(a, slot{1}, blue));
  CHECK(check.decided(a, slot{2}, red));
}

TEST_CASE("agreement: registries at one index must be equal") {
  agreement_checker check{of({a, b, c})};
  CHECK(!check.image(a, paxtor::index{7}, 42));
  CHECK(!check.image(b, paxtor::index{7}, 42));
  CHECK(!check.image(b, paxtor::index{8}, 43));
  CHECK(check.image(c, paxtor::index{8}, 42));
  CHECK(check.images_compared() == 2);
}

TEST_CASE("agreement: the voters of a slot follow from what was chosen before it") {
  agreement_checker check{of({a, b, c})};
  const auto change = change_to(of({a, b, d}));
  // Accepted early: by whom it counts is known only when slot 1 is chosen.
  CHECK(!check.accepted(c, slot{2}, round_of(1, a), red));
  CHECK(!check.accepted(b, slot{2}, round_of(1, a), red));
  CHECK(check.slots_chosen() == 0);
  CHECK(!check.accepted(a, slot{1}, round_of(1, a), change));
  CHECK(!check.accepted(b, slot{1}, round_of(1, a), change));
  CHECK(check.configurations() == 2);
  CHECK(check.chosen_upto() == slot{1});
  // c is no voter any more.
  CHECK(check.decided(a, slot{2}, red));
  CHECK(!check.accepted(d, slot{2}, round_of(1, a), red));
  CHECK(!check.decided(a, slot{2}, red));
}

TEST_CASE("agreement: a majority of the old voters alone decides nothing beyond a configure") {
  agreement_checker check{of({a, b, c})};
  const auto change = change_to(of({a, b, d}));
  CHECK(!check.accepted(a, slot{1}, round_of(1, a), change));
  CHECK(!check.accepted(b, slot{1}, round_of(1, a), change));
  CHECK(!check.accepted(a, slot{2}, round_of(1, a), red));
  CHECK(!check.accepted(d, slot{2}, round_of(1, a), red));
  // b and c do not know of red.
  CHECK(check.accepted(b, slot{2}, round_of(2, c), blue));
}
