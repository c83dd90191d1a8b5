#include "test/storm/judge.hpp"

#include <doctest/doctest.h>

using namespace paxtor::storm;

namespace {

using words = std::vector<std::string>;

/// Lines of workers by life, and of the harness.
struct story {
  std::map<std::string, words> workers;
  words events{};

  [[nodiscard]] verdict judged(const judge_options& options = {}) const {
    history_reader reader;
    for (const auto& [life, lines] : workers)
      reader.read_worker(life, lines);
    reader.read_events(events);
    return judge(reader.finish(), options);
  }
};

constexpr auto second = std::chrono::seconds{1};

/// `text` with every S followed by digits as seconds in nanoseconds: S3 is 3000000000.
std::string at(std::string text) {
  for (auto pos = text.find('S'); pos != std::string::npos; pos = text.find('S', pos)) {
    auto end = text.find_first_not_of("0123456789", pos + 1);
    end = end == std::string::npos ? text.size() : end;
    text.insert(end, "000000000");
    text.erase(pos, 1);
  }
  return text;
}

story good() {
  return {{{"w1.1", {"begin k 5 100 9", "end k 5 200", "begin n 0 100 0", "end n 0 300"}},
           {"w2.1",
            {"begin k 7 200 9", "end k 7 300 killed", "put e x", "begin n 0 300 0", "end n 0 400"}},
           {"w3.1", {"put e x", "begin l 6 150 9", "end l 6 250"}}}};
}

} // namespace

TEST_CASE("judge: a good history is clean, and counted") {
  const auto result = good().judged();
  CHECK(result.wrong == words{});
  CHECK(result.ownerships == 3);
  CHECK(result.lives == 2);
  CHECK(result.keys == 3);
  CHECK(result.tokens == 3);
  CHECK(result.entries == 1);
  CHECK(result.killed == 1);
  CHECK(result.died == 0);
  CHECK(result.after_thaw == 0);
}

TEST_CASE("judge: two owners at once") {
  auto bad = good();
  bad.workers["w2.1"].front() = "begin k 7 199 9";
  REQUIRE(bad.judged().wrong.size() == 1);
  CHECK(bad.judged().wrong.front().starts_with("k: two owners for 0.0 ms: w1.1 (token 5)"));

  // Not only neighbours: a long one overlaps with the one after the next.
  bad = story{{{"w1.1", {"begin k 5 100 9", "begin k 6 150 9", "end k 6 160", "end k 5 900"}},
               {"w2.1", {"begin k 8 800 9", "end k 8 950"}}}};
  CHECK(bad.judged().wrong.size() == 2);
}

TEST_CASE("judge: two lives of a singleton at once") {
  auto bad = good();
  bad.workers["w2.1"][3] = "begin n 0 299 0";
  CHECK(bad.judged().wrong.size() == 1);
}

TEST_CASE("judge: tokens that do not grow") {
  auto bad = good();
  bad.workers["w2.1"][0] = "begin k 4 200 9";
  bad.workers["w2.1"][1] = "end k 4 300";
  REQUIRE(bad.judged().wrong.size() == 1);
  CHECK(bad.judged().wrong.front().find("has the lower token") != std::string::npos);
  bad.workers["w2.1"][0] = "begin k 5 200 9";
  bad.workers["w2.1"][1] = "end k 5 300";
  REQUIRE(bad.judged().wrong.size() == 1);
  CHECK(bad.judged().wrong.front().find("one token, two owners") != std::string::npos);
}

TEST_CASE("judge: an owner that was stopped and goes on is seen if it is planted") {
  auto bad = good();
  bad.workers["w1.2"] = {"begin k 9 350 9", "end k 9 400"};
  CHECK(bad.judged().wrong.empty());
  judge_options planted;
  planted.outlive = boot_time{51};
  CHECK(bad.judged(planted).wrong.size() == 1);
  bad.workers["w2.1"][1] = "end k 7 300";
  CHECK(bad.judged(planted).wrong.empty());
  bad.workers["w2.1"].erase(bad.workers["w2.1"].begin() + 1);
  bad.events = {"dead w2.1 300 137"};
  CHECK(bad.judged().wrong.empty());
  CHECK(bad.judged(planted).wrong.size() == 1);
}

TEST_CASE("judge: entries with two values, lines that make no sense, ends that are missing") {
  const auto with = [](const std::string& line) {
    auto bad = good();
    bad.workers["w3.1"].push_back(line);
    return bad.judged().wrong.size();
  };
  CHECK(with("put e x") == 0);
  CHECK(with("put e y") == 1);
  CHECK(with("begin k 9 400 9") == 1);
  CHECK(with("end k 9 400") == 1);
  CHECK(with("end l 6 260") == 1);
  CHECK(with("begin k") == 1);
  CHECK(with("what") == 1);
  auto bad = good();
  bad.events = {"thunder 5"};
  CHECK(bad.judged().wrong.size() == 1);
  bad.events = {"cont w1.1 5"};
  CHECK(bad.judged().wrong.size() == 1);
  bad = good();
  bad.workers["w1.1"][1] = "end k 5 99";
  CHECK(bad.judged().wrong.size() == 1);
}

TEST_CASE("judge: what a killed process owned ends with its last sign of life") {
  story one{{{"w1.1", {"begin k 5 100 9"}}, {"w2.1", {"begin k 7 200 9", "end k 7 300"}}}};
  one.events = {"dead w1.1 200 137"};
  CHECK(one.judged().wrong.empty());
  CHECK(one.judged().died == 1);
  one.events = {"dead w1.1 201 137"};
  CHECK(one.judged().wrong.size() == 1);
}

TEST_CASE("judge: an owner that was frozen may run on for a moment, with the lower token") {
  story one{{{"w1.1", {at("begin k 5 S1 9"), at("end k 5 S12")}},
             {"w2.1", {at("begin k 7 S5 9"), at("end k 7 S20")}}}};
  one.events = {at("stop w1.1 S2"), at("cont w1.1 S11")};
  auto result = one.judged();
  CHECK(result.wrong == words{});
  CHECK(result.after_thaw == 1);
  CHECK(result.after_stall == 0);
  CHECK(result.ran_on == second);

  SUBCASE("not for longer") {
    judge_options strict;
    strict.thaw = boot_time{second} - boot_time{1};
    CHECK(one.judged(strict).wrong.size() == 1);
  }
  SUBCASE("not a strict one: from it nothing is taken") {
    one.workers["w1.1"][0] = at("begin k 5 S1 9 strict");
    CHECK(one.judged().wrong.size() == 1);
    CHECK(one.judged().strict == 1);
  }
  SUBCASE("by a strict one, too") {
    one.workers["w2.1"][0] = at("begin k 7 S5 9 strict");
    CHECK(one.judged().wrong == words{});
  }
  SUBCASE("not if it was frozen only after the other one began") {
    one.events = {at("stop w1.1 S6"), at("cont w1.1 S11")};
    CHECK(one.judged().wrong.size() == 1);
  }
  SUBCASE("not if it was another one that was frozen") {
    one.events = {at("stop w2.1 S2"), at("cont w2.1 S11")};
    CHECK(one.judged().wrong.size() == 1);
  }
  SUBCASE("not with the higher token") {
    one.workers["w1.1"] = {at("begin k 8 S1 9"), at("end k 8 S12")};
    // Two owners, and a token that does not grow.
    CHECK(one.judged().wrong.size() == 2);
  }
  SUBCASE("frozen twice, and killed in the end") {
    one.events = {at("stop w1.1 S2"), at("cont w1.1 S7"), at("stop w1.1 S8"),
                  at("dead w1.1 S12 137")};
    one.workers["w1.1"].pop_back();
    CHECK(one.judged().wrong == words{});
  }
  SUBCASE("a process that got no CPU is as frozen") {
    one.events.clear();
    one.workers["w1.1"].push_back(at("stall S2 S11"));
    result = one.judged();
    CHECK(result.wrong == words{});
    CHECK(result.after_stall == 1);
    CHECK(result.after_thaw == 0);
  }
  SUBCASE("what was a stop is no stall, also if the process saw it") {
    one.workers["w1.1"].push_back(at("stall S2 S11"));
    CHECK(one.judged().after_thaw == 1);
    CHECK(one.judged().after_stall == 0);
  }
  SUBCASE("frozen between its grant and its first step") {
    one.workers["w1.1"] = {at("begin k 5 S11 9"), at("end k 5 S12")};
    CHECK(one.judged().wrong == words{});
    one.workers["w2.1"] = {at("begin k 7 S5 9"), at("end k 7 S6")};
    CHECK(one.judged().wrong == words{});
    one.events.clear();
    CHECK(one.judged().wrong.size() == 1);
  }
}

TEST_CASE("judge: what still runs is judged as if it ended now") {
  history_reader reader;
  reader.read_worker("w1.1", {"begin k 5 100 9"});
  const auto all = reader.finish(boot_time{150});
  CHECK(judge(all).wrong.empty());
  REQUIRE(all.owners.size() == 1);
  CHECK(all.owners.front().end == boot_time{150});
}
