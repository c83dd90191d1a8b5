/// \file
/// R4: syncs that come in parts.

#include "test/unit/agent_world.hpp"

namespace paxtor::cluster::agent_test {

namespace {

constexpr std::uint64_t count = 10;

/// Node 1 waits for `count` keys that node 0 holds, and misses that all are granted.
struct behind : world {
  behind() : world{2} {
    sync_bytes = 100; // every grant is a part of its own
    join_all();
    for (std::uint64_t i = 1; i <= count; ++i)
      lock(0, i, "k" + std::to_string(i));
    settle();
    for (std::uint64_t i = 1; i <= count; ++i)
      waiting.push_back(lock(1, i, "k" + std::to_string(i)));
    settle();
    members[1].lose_effects = true;
    for (std::uint64_t i = 1; i <= count; ++i)
      exit(0, i);
    settle();
    members[1].lose_effects = false;
    session = at(1).session();
  }

  std::size_t told() const {
    std::size_t result = 0;
    for (auto id : waiting)
      result += ended<granted>(1, id) ? 1 : 0;
    return result;
  }

  /// The sync that is due, as the leader would send it.
  std::vector<registry::effects_for> parts() const {
    return split(*machine.sync(session, index{session.value}), index{1'000'000}, sync_bytes);
  }

  /// Which watermark node 1's next renewal has.
  index watermark() {
    auto seen = members[1].sent.size();
    run(600ms);
    for (; seen < members[1].sent.size(); ++seen)
      if (auto* x = std::get_if<renew>(&members[1].sent[seen].second))
        return x->watermark;
    return {};
  }

  std::vector<request_id> waiting;
  session_id session;
};

} // namespace

TEST_CASE("R4: a sync in parts is taken as a whole") {
  behind x;
  CHECK(x.told() == 0);
  CHECK(x.parts().size() == count);
  x.run(600ms);
  CHECK(x.told() == count);
  CHECK(x.watermark() == x.machine.last_effect(x.session));
}

TEST_CASE("R4: if a part is lost the watermark stays, and another sync makes up for it") {
  behind x;
  int lost = 0;
  x.drop_part = [&lost](const registry::effects_for& what) {
    return what.part == 4 && ++lost <= 2;
  };
  REQUIRE(x.until([&] { return lost == 1; }, 1s));
  // What came before it is told.
  CHECK(x.told() == 4);
  REQUIRE(x.until([&] { return x.told() == count; }, 2s));
  CHECK(lost > 2);
  CHECK(x.watermark() == x.machine.last_effect(x.session));
}

TEST_CASE("R4: the last part alone says nothing, nor do parts out of order") {
  behind x;
  x.members[1].cut = true;
  auto all = x.parts();
  for (std::size_t i = all.size(); i-- > 1;)
    x.at(1).step(x.now, voter_id{1}, all[i]);
  x.settle();
  CHECK(x.told() == 0);
  for (auto& part : all) {
    x.at(1).step(x.now, voter_id{1}, part);
    x.at(1).step(x.now, voter_id{1}, part);
    x.at(1).step(x.now, voter_id{1}, all[0]);
  }
  x.settle();
  CHECK(x.told() == count);
  CHECK(x.at(1).dropped() == 0);
}

TEST_CASE("R4: parts of two syncs are not mixed") {
  behind x;
  x.members[1].cut = true;
  auto old = x.parts();
  auto fresh = old;
  for (auto& part : fresh)
    part.as_of = part.as_of.next();
  x.at(1).step(x.now, voter_id{1}, old[0]);
  x.at(1).step(x.now, voter_id{1}, fresh[1]);
  x.settle();
  CHECK(x.told() == 1);
  x.at(1).step(x.now, voter_id{1}, fresh[0]);
  x.at(1).step(x.now, voter_id{1}, old[1]);
  x.settle();
  CHECK(x.told() == 1);
  for (std::size_t i = 1; i < fresh.size(); ++i)
    x.at(1).step(x.now, voter_id{1}, fresh[i]);
  x.settle();
  CHECK(x.told() == count);
}

TEST_CASE(
  "R4: a start order of a part is carried out once, also if the singleton has ended since") {
  world x{1, {}, {"counter"}};
  x.sync_bytes = 100;
  x.join_all();
  x.members[0].lose_effects = true;
  for (auto* name : {"apple", "banana"})
    x.at(0).resolve(x.now, key(name), registry::singleton_spec{"counter", {}, {}, {}, {}});
  x.settle();
  auto session = x.at(0).session();
  auto all = split(*x.machine.sync(session, index{session.value}), index{1'000'000}, 100);
  REQUIRE(all.size() == 2);
  x.at(0).step(x.now, voter_id{1}, all[0]);
  x.settle();
  REQUIRE(x.notices<registry::start_singleton>(0).size() == 1);
  auto order = x.notices<registry::start_singleton>(0)[0];
  x.at(0).started(x.now, order.name, order.grant, local_actor_id{9});
  x.settle();
  x.at(0).singleton_exited(x.now, order.name, order.grant, false, "done");
  x.settle();
  // The same order again, from a sync that was made before its end.
  for (auto& part : all) {
    part.as_of = part.as_of.next();
    x.at(0).step(x.now, voter_id{1}, part);
  }
  x.settle();
  auto orders = x.notices<registry::start_singleton>(0);
  std::size_t same = 0;
  for (auto& y : orders)
    same += y.grant == order.grant ? 1 : 0;
  CHECK(same == 1);
}

TEST_CASE("R4: names in several parts are all known to run, and one in none of them is gone") {
  world x{2, {}, {"counter"}};
  x.join_all();
  std::vector<request_id> asked;
  for (auto* name : {"a", "b", "c"})
    asked.push_back(
      x.at(0).resolve(x.now, key(name), registry::singleton_spec{"counter", {}, {}, {}, {}}));
  x.settle();
  for (std::size_t i = 0; i < 2; ++i)
    for (auto& y : x.notices<registry::start_singleton>(i))
      x.at(i).started(x.now, y.name, y.grant, local_actor_id{y.grant.value});
  x.settle();
  for (auto id : asked)
    REQUIRE(x.ended<located>(0, id));
  auto session = x.at(0).session();
  auto all = split(*x.machine.sync(session, index{session.value}), index{1'000'000}, 100);
  REQUIRE(all.size() == 3);
  for (auto& part : all) {
    // As if there had been more news since, and b had ended without a word.
    part.at = part.at.next();
    std::erase_if(part.effects, [](const auto& effect) {
      auto* y = std::get_if<registry::name_located>(&effect);
      return y != nullptr && y->where.name == key("b");
    });
    x.members[0].heard.clear();
    x.at(0).step(x.now, voter_id{1}, part);
    x.settle();
    if (part.part < 2)
      CHECK(x.notices<name_moved>(0).empty());
  }
  auto moved = x.notices<name_moved>(0);
  REQUIRE(moved.size() == 1);
  CHECK(moved[0].name == key("b"));
  CHECK_FALSE(moved[0].where);
}

TEST_CASE("R4: a sync that overtook the answer to a resolve says nothing about it") {
  world x{1};
  x.join_all();
  auto session = x.at(0).session();
  auto id =
    x.at(0).resolve(x.now, key("apple"), registry::singleton_spec{"counter", {}, {}, {}, {}});
  x.members[0].cut = true; // the registry never hears of it: the test answers
  auto sync = *x.machine.sync(session, index{session.value});
  sync.at = sync.as_of = index{500};
  x.settle();
  auto answer = [&](std::uint64_t number, registry::status code, token grant) {
    registry::answer told;
    told.number = seq{number};
    told.code = code;
    told.grant = grant;
    if (code == registry::status::located)
      told.where = {
        {key("apple"), grant, session, node_of(0), "n0", "", local_actor_id{7}, "counter"}};
    x.at(0).step(x.now, voter_id{1}, answers{session, {told}});
    x.settle();
  };
  auto resolves = [&] {
    std::size_t result = 0;
    for (auto& [to, what] : x.members[0].sent)
      if (auto* y = std::get_if<submit>(&what))
        result += y->commands.size();
    return result;
  };

  SUBCASE("starting: what the sync did not name may have started or ended before it") {
    x.at(0).step(x.now, voter_id{1}, sync);
    answer(1, registry::status::starting, token{400});
    auto before = resolves();
    x.run(300ms);
    CHECK(resolves() > before);
    answer(2, registry::status::located, token{450});
    CHECK(x.ended<located>(0, id));
  }
  SUBCASE("starting after all that was seen: the news will come") {
    x.at(0).step(x.now, voter_id{1}, sync);
    answer(1, registry::status::starting, token{501});
    auto before = resolves();
    x.run(300ms);
    CHECK(resolves() == before);
  }
  SUBCASE("located: a sync made before the resolve does not end that life for good") {
    answer(1, registry::status::located, token{400});
    REQUIRE(x.ended<located>(0, id));
    x.at(0).step(x.now, voter_id{1}, sync);
    x.settle();
    auto moved = x.notices<name_moved>(0);
    REQUIRE_FALSE(moved.empty());
    CHECK_FALSE(moved.back().where);
    auto again =
      x.at(0).resolve(x.now, key("apple"), registry::singleton_spec{"counter", {}, {}, {}, {}});
    x.settle();
    answer(2, registry::status::located, token{400});
    CHECK(x.ended<located>(0, again));
  }
}

} // namespace paxtor::cluster::agent_test
