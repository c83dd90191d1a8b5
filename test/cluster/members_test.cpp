// Who votes, changed while the cluster works: real processes, `paxtor members` as an operator uses
// it.

#include <atomic>
#include <csignal>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "test/cluster/support.hpp"

using namespace paxtor::test;

namespace {

/// Nodes that come and go, each at an address of its own.
class machines {
public:
  explicit machines(bool disks, words flags = {}) : disks_(disks), flags_(std::move(flags)) {
    const auto ports = paxtor::tools::free_ports(std::size(letters));
    for (std::size_t i = 0; i < std::size(letters); ++i)
      addresses_[letters[i]] = "127.0.0.1:" + std::to_string(ports[i]);
    know({"a", "b", "c"});
    for (const auto* name : {"a", "b", "c"})
      begin(name);
    for (const auto* name : {"a", "b", "c"})
      wait_ready(name, "voter");
  }

  /// What an operator writes into the settings of nodes and commands from now on.
  void know(const words& names) {
    voters_.clear();
    for (const auto& name : names)
      voters_ += (voters_.empty() ? "" : ",") + name + "=" + addresses_.at(name);
  }

  /// `directory`: its data directory, if it has one; default: one of its name.
  void begin(const std::string& name, words more = {}, std::string directory = {}) {
    words args{"node",   "--name", name, "--voters", voters_, "--listen", addresses_.at(name),
               "--json", "--ttl",  "3s"};
    if (disks_) {
      args.emplace_back("--data-dir");
      args.push_back(files_.file(directory.empty() ? name : directory));
    }
    args.insert(args.end(), flags_.begin(), flags_.end());
    args.insert(args.end(), more.begin(), more.end());
    running_[name] = mark_.start(args);
  }

  void standby(const std::string& name) {
    begin(name, {"--standby"});
    wait_ready(name, "standby");
  }

  void wait_ready(const std::string& name, const std::string& role) {
    const auto ready = running_.at(name)->read_json(20s);
    REQUIRE_MESSAGE(ready, (name + ": " + running_.at(name)->read_errors(1s)));
    CHECK((*ready)["role"] == role);
    CHECK(contains((*ready)["store"].get<std::string>(), disks_ ? "voter.db" : "memory"));
  }

  void kill(const std::string& name) {
    running_.at(name)->kill_now();
    running_.erase(name);
  }

  void stop(const std::string& name) {
    running_.at(name)->signal(SIGTERM);
    CHECK(running_.at(name)->wait(10s) == 0);
    running_.erase(name);
  }

  [[nodiscard]] outcome run(const std::string& command, const words& rest) const {
    words all{command};
    all.insert(all.end(), rest.begin(), rest.end());
    for (const auto* more : {"--ttl", "3s", "--voters"})
      all.emplace_back(more);
    all.push_back(voters_);
    return mark_.run(all);
  }

  [[nodiscard]] outcome members(const words& rest) const {
    auto all = rest;
    all.insert(all.end(), {"--ttl", "3s", "--voters", voters_});
    words args{"members"};
    args.insert(args.end(), all.begin(), all.end());
    return mark_.run(args);
  }

  [[nodiscard]] std::unique_ptr<process> client(const std::string& name) const {
    auto made = mark_.start({"demo-node", "--name", name, "--voters", voters_, "--ttl", "3s"});
    const auto ready = made->read_json(20s);
    REQUIRE(ready);
    REQUIRE(ready->value("ready", false));
    return made;
  }

  /// Names of the voters, and the id of the one of this name.
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> result;
    const auto found = members({"--json"}).json();
    for (const auto& one : found["voters"])
      result.insert(one["node"].get<std::string>());
    return result;
  }

  [[nodiscard]] std::string voter_of(const std::string& name) const {
    const auto found = members({"--json"}).json();
    for (const auto& one : found["voters"])
      if (one["node"] == name)
        return one["voter"].get<std::string>();
    return {};
  }

  [[nodiscard]] const std::string& address(const std::string& name) const {
    return addresses_.at(name);
  }

private:
  static constexpr const char* letters[] = {"a", "b", "c", "d", "e", "f"};

  bool disks_;
  words flags_;
  scratch files_;
  marked mark_;
  std::string voters_;
  std::map<std::string, std::string> addresses_;
  std::map<std::string, std::unique_ptr<process>> running_;
};

/// Takes and releases locks without a pause, each key once, and notes the longest cycle.
class load {
public:
  explicit load(std::unique_ptr<process> client)
      : client_(std::move(client)), thread_([this] { run(); }) {}
  ~load() { stop(); }
  load(const load&) = delete;
  load& operator=(const load&) = delete;

  void stop() {
    stop_ = true;
    if (thread_.joinable())
      thread_.join();
  }

  [[nodiscard]] int cycles() const { return cycles_; }
  [[nodiscard]] int failed() const { return failed_; }
  /// Seconds. REQUIRES: it has been stopped.
  [[nodiscard]] double longest() const { return longest_; }

private:
  void run() {
    for (int id = 100; !stop_; ++id) {
      const auto start = clock::now();
      client_->write_json({{"op", "hold"}, {"id", id}, {"key", "load-" + std::to_string(id)}});
      const auto held = answer(*client_, id, 20s);
      if (!held.is_object() || !held.contains("token"))
        ++failed_;
      longest_ = std::max(longest_, seconds_since(start));
      client_->write_json({{"op", "release"}, {"id", id}});
      ++cycles_;
    }
  }

  std::unique_ptr<process> client_;
  std::atomic<bool> stop_{false};
  std::atomic<int> cycles_{0};
  std::atomic<int> failed_{0};
  double longest_ = 0;
  std::thread thread_;
};

void replace_all(bool disks) {
  machines all{disks};
  REQUIRE(all.run("put", {"cfg", "k", "\"first\""}).status == 0);
  const auto holder = all.client("holder");
  holder->write_json({{"op", "hold"}, {"id", 1}, {"key", "kept"}});
  const auto held = answer(*holder, 1, 10s);
  REQUIRE(held.contains("token"));
  load work{all.client("worker")};

  // 3 -> 5: one is added by its address, the other where it listens.
  all.standby("d");
  all.standby("e");
  auto told = all.members({"add", "d=" + all.address("d")});
  CHECK_MESSAGE(told.status == 0, told.err);
  CHECK(contains(told.out, "d is a voter"));
  CHECK(all.members({"promote", "e"}).status == 0);
  CHECK(all.names() == std::set<std::string>{"a", "b", "c", "d", "e"});
  // 5 -> 3, and the last of the first three is replaced in one step.
  CHECK(all.members({"remove", "a"}).status == 0);
  all.know({"c", "d", "e"});
  all.stop("a");
  CHECK(all.members({"remove", "b"}).status == 0);
  all.kill("b");
  all.standby("f");
  CHECK(all.members({"replace", "c", "f=" + all.address("f")}).status == 0);
  all.know({"d", "e", "f"});
  all.kill("c");
  CHECK(all.names() == std::set<std::string>{"d", "e", "f"});

  work.stop();
  CHECK(work.failed() == 0);
  CHECK(work.cycles() > 100);
  MESSAGE(work.cycles() << " cycles, the longest took " << work.longest() * 1000 << " ms");
  // A leader that goes costs an election at most.
  CHECK(work.longest() < 1.0);

  // No lock lost, none doubled, no value lost.
  const auto why = all.run("why", {"kept", "--json"}).json();
  REQUIRE(why["holder"].is_object());
  CHECK(why["holder"]["token"] == held["token"]);
  CHECK(why["holder"]["node"] == "holder");
  CHECK(contains(all.run("put", {"cfg", "k", "\"second\"", "--json"}).out, "first"));
  // Guardians hear of the new voters too: far sooner than the ttl, its lock is free.
  const auto killed = clock::now();
  holder->signal(SIGKILL);
  CHECK(eventually(10s, [&] {
    return all.run("why", {"kept", "--json"}).json()["state"] == "free";
  }));
  CHECK(seconds_since(killed) < 1.5);
  // Three voters: one may go.
  all.kill("e");
  CHECK(contains(all.run("get", {"cfg", "k", "--json"}).out, "first"));
  if (!disks)
    return;
  // And come back with what it kept, also without being told that it is one.
  all.begin("e");
  all.wait_ready("e", "voter");
  all.kill("d");
  CHECK(contains(all.run("get", {"cfg", "k", "--json"}).out, "first"));
}

} // namespace

TEST_CASE("members: three to five to three others under load, with data directories") {
  replace_all(true);
}

TEST_CASE("members: the same with logs in memory") {
  replace_all(false);
}

TEST_CASE("members: a voter that lost its store is a voter again, by itself") {
  for (const bool disks : {false, true}) {
    CAPTURE(disks);
    machines all{disks};
    REQUIRE(all.run("put", {"cfg", "k", "1"}).status == 0);
    const auto before = all.voter_of("c");
    all.kill("c");
    all.begin("c", {}, "another");
    all.wait_ready("c", "standby");
    REQUIRE(eventually(20s, [&] {
      const auto now = all.voter_of("c");
      return !now.empty() && now != before;
    }));
    // It counts: with it, another one may go.
    REQUIRE(eventually(10s, [&] {
      return all.members({"replace", "c", all.address("c")}).status == 0;
    }));
    all.kill("a");
    CHECK(contains(all.run("get", {"cfg", "k", "--json"}).out, "1"));
    CHECK(all.run("put", {"cfg", "l", "2"}).status == 0);
  }
}

TEST_CASE("members: mistakes are told, with what to do") {
  machines all{false};
  auto told = all.members({"add", "d=127.0.0.1:9", "--timeout", "1s"});
  CHECK(told.status == 75);
  CHECK(contains(told.err, "no standby named d has been heard of: start it there"));
  told = all.members({"add", "a=127.0.0.1:9"});
  CHECK(told.status == 1);
  CHECK(contains(told.err, "a is a voter already, at " + all.address("a")));
  told = all.members({"replace", "z", "127.0.0.1:9"});
  CHECK(told.status == 1);
  CHECK(contains(told.err, "z is no voter; the voters are a, b, c"));
  told = all.members({"remove", "z"});
  CHECK(told.status == 0);
  CHECK(contains(told.out, "z is no voter"));
  told = all.members({"add", "d=nowhere"});
  CHECK(told.status == 64);
  CHECK(contains(told.err, "nowhere"));
  all.kill("a");
  told = all.members({"remove", "b"});
  CHECK(told.status == 1);
  CHECK(contains(told.err, "would be alive"));
  CHECK(all.names() == std::set<std::string>{"a", "b", "c"});
}
