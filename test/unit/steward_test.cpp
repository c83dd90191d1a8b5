// Membership (L6): standbys that become voters, voters that go, stores that are lost.

#include "test/unit/steward_world.hpp"

namespace paxtor::cluster::test {

namespace {

change_voters add(const std::string& name, const std::string& address = {}) {
  return {0, voter_change::add, name, address, {}};
}

change_voters remove(const std::string& name) {
  return {0, voter_change::remove, name, {}, {}};
}

change_voters replace(const std::string& name, const std::string& address,
                      const std::string& with = {}) {
  return {0, voter_change::replace, name, address, with};
}

bool says_quietly(const nlohmann::json& answer, const std::string& text) {
  return answer["why"].get<std::string>().find(text) != std::string::npos;
}

bool says(const nlohmann::json& answer, const std::string& text) {
  if (!says_quietly(answer, text))
    MESSAGE(answer.dump());
  return says_quietly(answer, text);
}

bool done(const nlohmann::json& answer) {
  if (answer["state"] != "done")
    MESSAGE(answer.dump());
  return answer["state"] == "done";
}

} // namespace

TEST_CASE("a wish whose text is not UTF-8 is answered as any other") {
  steward_world x;
  REQUIRE(x.commit());
  CHECK(says(x.ask(add("\xff\xfe")), "no standby named"));
}

TEST_CASE("a standby catches up, becomes a voter, and counts") {
  steward_world x;
  for (int i = 0; i < 400; ++i)
    REQUIRE(x.commit());
  CHECK(says(x.ask(add("d")), "no standby named d"));
  x.start(voter_id{4}, "d");
  // It has just been heard of, or not yet: in no case does it vote before it has the log.
  const auto answer = x.change(add("d"));
  CHECK(done(answer));
  CHECK(x.names() == "abcd");
  CHECK(answer["voters"][3]["address"] == steward_world::address(voter_id{4}));
  CHECK(answer["stored_by"].get<int>() >= 3);
  CHECK(done(x.ask(add("d"))));
  // Four voters: three make a majority, with the new one among them.
  x.kill(voter_id{1});
  CHECK(x.commit());
  x.kill(voter_id{2});
  x.run(3s);
  CHECK_FALSE(x.leader());
}

TEST_CASE("three to five to three, and no one of the first three at the end") {
  steward_world x;
  REQUIRE(x.commit());
  for (std::uint64_t i = 4; i <= 6; ++i)
    x.start(voter_id{i}, std::string(1, static_cast<char>('a' + i - 1)));
  CHECK(done(x.change(add("d"))));
  CHECK(done(x.change(add("e"))));
  CHECK(x.names() == "abcde");
  REQUIRE(x.commit());
  CHECK(done(x.change(remove("a"))));
  CHECK(done(x.change(replace("b", steward_world::address(voter_id{6}), "f"))));
  CHECK(done(x.change(remove("c"))));
  CHECK(x.names() == "def");
  // "Done" means that the old ones are not needed: not one of them.
  for (std::uint64_t i = 1; i <= 3; ++i)
    x.kill(voter_id{i});
  REQUIRE(x.commit());
  REQUIRE(x.until([&] {
    const auto at = x.at(voter_id{4}).replica().get_learner().last_index();
    return x.at(voter_id{5}).replica().get_learner().last_index() == at
           && x.at(voter_id{6}).replica().get_learner().last_index() == at;
  }));
  CHECK(x.at(voter_id{4}).machine().image() == x.at(voter_id{5}).machine().image());
  CHECK(x.at(voter_id{4}).machine().image() == x.at(voter_id{6}).machine().image());
  // Also after all of them have been started again.
  for (std::uint64_t i = 4; i <= 6; ++i)
    x.kill(voter_id{i});
  for (std::uint64_t i = 4; i <= 6; ++i)
    x.start(voter_id{i}, std::string(1, static_cast<char>('a' + i - 1)));
  CHECK(x.commit());
  CHECK(x.names() == "def");
}

TEST_CASE("a leader that is removed makes room, and a removed voter disturbs nobody") {
  steward_world x;
  const auto first = *x.leader();
  const std::string name(1, static_cast<char>('a' + first.value - 1));
  CHECK(done(x.change(remove(name))));
  const auto second = *x.leader();
  CHECK(second != first);
  const auto at = x.at(second).state().at;
  x.run(10s);
  CHECK(x.leader() == second);
  CHECK(x.at(second).state().at == at);
  // It follows the log as a standby, and may come back.
  CHECK(x.commit());
  CHECK(x.until([&] {
    return x.at(first).replica().get_learner().last_index()
           == x.at(second).replica().get_learner().last_index();
  }));
  CHECK(done(x.change(add(name))));
  CHECK(x.names() == "abc");
}

TEST_CASE("a store that is lost comes back as a new voter in its old place, by itself") {
  steward_world x;
  REQUIRE(x.commit());
  const voter_id lost{*x.leader() == voter_id{3} ? std::uint64_t{2} : std::uint64_t{3}};
  const std::string name(1, static_cast<char>('a' + lost.value - 1));
  x.kill(lost);
  // Not while nobody of its name is there.
  x.run(5s);
  CHECK(x.at(*x.leader()).replica().get_learner().voters().contains(lost));
  x.start(voter_id{33}, name);
  REQUIRE(x.until([&] {
    const auto l = x.leader();
    return l && x.at(*l).replica().get_learner().voters().contains(voter_id{33});
  }));
  CHECK(x.names() == "abc");
  CHECK_FALSE(x.at(*x.leader()).replica().get_learner().voters().contains(lost));
  // The new one has a vote: with one of the others it is a majority.
  REQUIRE(x.until([&] { return done(x.ask({})) && x.ask({})["stored_by"] == 3; }));
  x.kill(*x.leader());
  CHECK(x.commit());
  // While a voter lives, no other store of its name takes its place.
  const auto now = x.at(*x.leader()).replica().get_learner().voters();
  x.start(voter_id{44}, name);
  x.run(5s);
  CHECK(x.at(*x.leader()).replica().get_learner().voters() == now);
}

TEST_CASE("what would leave no living majority is refused, and says why") {
  steward_world x;
  const auto first = *x.leader();
  std::vector<voter_id> others;
  for (std::uint64_t i = 1; i <= 3; ++i)
    if (voter_id{i} != first)
      others.push_back(voter_id{i});
  x.kill(others[0]);
  x.run(5s);
  const std::string living(1, static_cast<char>('a' + others[1].value - 1));
  const auto answer = x.change(remove(living));
  CHECK(answer["state"] == "refused");
  CHECK(says(answer, "only 1 would be alive, and 2 are needed"));
  CHECK(x.names() == "abc");
  CHECK(x.change(replace("z", "10.0.0.9:1"))["state"] == "refused");
  CHECK(says(x.ask(replace("z", "10.0.0.9:1")), "z is no voter; the voters are a, b, c"));
  CHECK(done(x.ask(remove("z"))));
  // The last one stays.
  const std::string dead(1, static_cast<char>('a' + others[0].value - 1));
  CHECK(done(x.change(remove(dead))));
  CHECK(done(x.change(remove(living))));
  CHECK(x.names().size() == 1);
  CHECK(says(x.ask(remove(x.names())), "the last voter"));
  CHECK(x.commit());
}

TEST_CASE("a change is done when a majority of the new voters has stored it, and not before") {
  steward_world x;
  const auto first = *x.leader();
  const auto second = voter_id{first == voter_id{1} ? std::uint64_t{2} : std::uint64_t{1}};
  const auto third = voter_id{6 - first.value - second.value};
  const std::string leaving(1, static_cast<char>('a' + third.value - 1));
  x.start(voter_id{4}, "d");
  REQUIRE(x.until([&] { return !x.ask({})["standbys"].empty(); }));
  // Decided by the leader and by the one that goes, so of the new voters one alone has it.
  x.hold_disk(second);
  x.hold_disk(voter_id{4});
  nlohmann::json answer;
  REQUIRE(x.until([&] {
    answer = x.ask(replace(leaving, {}, "d"));
    return x.at(first).replica().get_learner().voters().contains(voter_id{4});
  }));
  x.run(2s);
  answer = x.ask(replace(leaving, {}, "d"));
  CHECK(answer["state"] == "waiting");
  CHECK(says(answer, "1 of 3 voters have it, 2 must"));
  // Nor may the next change begin.
  CHECK(says(x.ask(remove("d")), "1 of 3 voters have it, 2 must"));
  x.release_disk(voter_id{4});
  CHECK(done(x.change(replace(leaving, {}, "d"))));
  CHECK(x.ask({})["stored_by"] == 2);
}

TEST_CASE("a second change waits for the first") {
  steward_world x;
  x.start(voter_id{4}, "d");
  x.start(voter_id{5}, "e");
  REQUIRE(x.until([&] { return x.ask({})["standbys"].size() == 2; }));
  // Until the first is proposed: the second, asked for in the same moment, is not.
  nlohmann::json first;
  nlohmann::json second;
  REQUIRE(x.until([&] {
    first = x.ask(add("d"));
    second = x.ask(add("e"));
    return says_quietly(second, "a change to the voters") || x.names() != "abc";
  }));
  CHECK(first["state"] == "waiting");
  CHECK(second["state"] == "waiting");
  CHECK(x.names().size() <= 4);
  CHECK(done(x.change(add("e"))));
  CHECK(x.names().size() == 5);
}

TEST_CASE("reports that cannot be true are dropped, and none fills the memory") {
  steward x{voter_id{1}, timing_for(3s)};
  const time_point now{1h};
  x.step(now, voter_report{voter_id{}, "a", {}, {}, {}});
  x.step(now, voter_report{voter_id{1}, "a", {}, {}, {}});
  x.step(now, voter_report{voter_id{2}, "", {}, {}, {}});
  x.step(now, voter_report{voter_id{2}, std::string(300, 'a'), {}, {}, {}});
  CHECK(x.dropped() == 4);
  for (std::uint64_t i = 0; i < 2 * steward::max_known; ++i)
    x.step(now, voter_report{voter_id{10 + i}, "s", {}, {}, {}});
  CHECK(x.dropped() == 4 + steward::max_known);
  // A voter that does not lead answers nothing but who does.
  x.step(now, node_id{9}, change_voters{1, voter_change::look, {}, {}, {}});
  const auto out = x.take_output();
  REQUIRE(out.send.size() == 1);
  CHECK(std::holds_alternative<not_leading>(out.send[0].what));
}

} // namespace paxtor::cluster::test
