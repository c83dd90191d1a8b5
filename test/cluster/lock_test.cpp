#include <csignal>

#include <doctest/doctest.h>

#include "test/cluster/support.hpp"

using namespace paxtor::test;

TEST_CASE("lock: one process at a time, and tokens grow") {
  three_nodes nodes;
  const scratch dir;
  // mkdir fails if somebody else is inside.
  const auto script = "mkdir " + dir.file("inside") + " || exit 9; echo $PAXTOR_TOKEN >> "
                      + dir.file("tokens") + "; sleep 0.05; rmdir " + dir.file("inside");
  std::vector<std::unique_ptr<process>> crowd;
  for (int i = 0; i < 6; ++i)
    crowd.push_back(nodes.start("lock", {"stock/42", "--", "sh", "-c", script}));
  for (const auto& one : crowd)
    CHECK(one->wait(30s) == 0);
  std::vector<long> tokens;
  for (const auto& line : dir.lines("tokens"))
    tokens.push_back(std::stol(line));
  REQUIRE(tokens.size() == 6);
  for (std::size_t i = 1; i < tokens.size(); ++i)
    CHECK(tokens[i] > tokens[i - 1]);
}

TEST_CASE("lock: the command's exit status is the program's") {
  three_nodes nodes;
  const scratch dir;
  const auto status_of = [&](const words& command) {
    words args{"k", "--"};
    args.insert(args.end(), command.begin(), command.end());
    return nodes.run("lock", args);
  };
  CHECK(status_of({"true"}).status == 0);
  CHECK(status_of({"sh", "-c", "exit 42"}).status == 42);
  CHECK(status_of({"sh", "-c", "kill -9 $$"}).status == 128 + SIGKILL);
  const auto missing = status_of({"no-such-command-here"});
  CHECK(missing.status == 127);
  CHECK(contains(missing.err, "cannot run 'no-such-command-here'"));
  CHECK(status_of({dir.write("text", "not a program")}).status == 126);
  const auto none = nodes.run("lock", {"k"});
  CHECK(none.status == 64);
  CHECK(contains(none.err, "which command?"));
}

TEST_CASE("lock: the command sees its key and token") {
  three_nodes nodes;
  const auto one = nodes.run("lock", {"stock/42", "--", "sh", "-c", "printf %s \"$PAXTOR_KEY\""});
  CHECK(one.out == "\"stock/42\"");
  const auto json =
    nodes.run("lock", {R"(["invoice", 7])", "--", "sh", "-c", "printf %s \"$PAXTOR_KEY\""});
  CHECK(json.out == R"(["invoice",7])");
  const auto two =
    nodes.run("lock", {"a", "42", "--", "sh", "-c", "printf %s \"$PAXTOR_KEY $PAXTOR_TOKEN\""});
  CHECK(contains(two.out, R"(["a",42] )"));
  CHECK(std::stol(two.out.substr(two.out.rfind(' '))) > 0);
}

TEST_CASE("lock: --try is busy, --timeout ends the wait, and neither leaves a place in the queue") {
  three_nodes nodes;
  const auto holder = nodes.start("lock", {"k", "--", "sh", "-c", "echo held; exec cat"});
  REQUIRE(holder->read_line(10s) == "held");
  CHECK(nodes.run("lock", {"--try", "k", "--", "true"}).status == 77);
  const auto start = clock::now();
  const auto late = nodes.run("lock", {"--timeout", "300ms", "k", "--", "true"});
  CHECK(late.status == 75);
  CHECK(seconds_since(start) < 5);
  // Another key, and both at once: all or nothing.
  CHECK(nodes.run("lock", {"--try", "other", "--", "true"}).status == 0);
  CHECK(nodes.run("lock", {"--try", "k", "other", "--", "true"}).status == 77);
  CHECK(nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 0);
  CHECK(nodes.run("why", {"other", "--json"}).json()["state"] == "free");
  // cat ends with its input.
  holder->close_stdin();
  CHECK(holder->wait(10s) == 0);
  CHECK(nodes.run("lock", {"--try", "k", "--", "true"}).status == 0);
}

TEST_CASE("lock: signals go to the command, while it waits they end the wait") {
  three_nodes nodes;
  const auto holder = nodes.start(
    "lock", {"k", "--", "sh", "-c", "trap 'exit 7' TERM; echo held; while :; do sleep 0.05; done"});
  REQUIRE(holder->read_line(10s) == "held");
  const auto waiter = nodes.start("lock", {"k", "--", "true"});
  REQUIRE(eventually(10s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 1;
  }));
  waiter->signal(SIGINT);
  CHECK(waiter->wait(5s) == 128 + SIGINT);
  CHECK(nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 0);
  holder->signal(SIGTERM);
  CHECK(holder->wait(5s) == 7);
  CHECK(nodes.run("why", {"k", "--json"}).json()["state"] == "free");
}

TEST_CASE("lock: held until everything that the command started has ended") {
  three_nodes nodes;
  const scratch dir;
  // One child in the background, and one in a session of its own: both count.
  const auto script = "(sleep 0.4; echo child >> " + dir.file("log")
                      + ") & setsid sh -c 'sleep 0.8; echo session >> " + dir.file("log")
                      + "' & exit 3";
  const auto first = nodes.start("lock", {"k", "--", "sh", "-c", script});
  REQUIRE(eventually(10s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["state"] == "held";
  }));
  CHECK(nodes.run("lock", {"k", "--", "sh", "-c", "echo next >> " + dir.file("log")}).status == 0);
  CHECK(first->wait(5s) == 3);
  CHECK(dir.lines("log") == words{"child", "session", "next"});
}

TEST_CASE(
  "lock: the holder is killed: nothing of it runs on, and the next has the lock within 3.5 s") {
  three_nodes nodes{"3s"};
  const scratch dir;
  const auto script = "setsid sleep 1000 & echo $! > " + dir.file("session")
                      + "; sleep 1000 & echo $! > " + dir.file("child")
                      + "; echo $$; exec sleep 1000";
  const auto holder = nodes.start("lock", {"k", "--", "sh", "-c", script});
  const auto command = holder->read_line(10s);
  REQUIRE(command);
  const auto next = nodes.start("lock", {"k", "--", "sh", "-c", "echo $PAXTOR_TOKEN"});
  REQUIRE(eventually(10s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 1;
  }));
  const auto start = clock::now();
  holder->kill_now();
  for (const auto pid :
       {std::stoi(*command), std::stoi(dir.read("session")), std::stoi(dir.read("child"))})
    CHECK(eventually(1s, [&] { return !alive(pid); }));
  CHECK(next->read_line(10s));
  CHECK(seconds_since(start) <= 3.5);
  CHECK(next->wait(10s) == 0);
}

TEST_CASE("lesson: a frozen holder's command is killed before the next has the lock") {
  three_nodes nodes;
  const auto holder = nodes.start("lock", {"k", "--", "sh", "-c", "echo $$; exec sleep 1000"});
  const auto command = holder->read_line(10s);
  REQUIRE(command);
  const auto pid = std::stoi(*command);
  const auto next = nodes.start("lock", {"k", "--", "echo", "mine"});
  REQUIRE(eventually(10s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 1;
  }));
  holder->signal(SIGSTOP);
  bool was_alive = true;
  CHECK(eventually(5s, [&] {
    was_alive = alive(pid);
    return next->read_line(0ms).has_value();
  }));
  CHECK_FALSE(was_alive);
  holder->signal(SIGCONT);
  const auto status = holder->wait(10s);
  // Thawed after its lease: either it sees what its guard has done, or the watchdog is first.
  CHECK((status == 76 || status == 70));
}

TEST_CASE("lock: leaving in good order frees at once") {
  three_nodes nodes{"10s"};
  const auto holder = nodes.client("holder");
  holder->write_json({{"op", "hold"}, {"id", 1}, {"key", "k"}});
  const auto first = answer(*holder, 1, 5s);
  REQUIRE(first.contains("token"));
  const auto waiter = nodes.client("waiter");
  waiter->write_json({{"op", "hold"}, {"id", 1}, {"key", "k"}});
  REQUIRE(eventually(10s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 1;
  }));
  const auto start = clock::now();
  holder->close_stdin();
  const auto second = answer(*waiter, 1, 8s);
  CHECK(seconds_since(start) < 1);
  CHECK(second.value("token", 0) > first.value("token", 0));
  CHECK(holder->wait(5s) == 0);
}
