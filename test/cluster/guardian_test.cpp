// What a cluster does when a process dies that has a guardian, and when there is none to tell.

#include <csignal>

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include "test/actors/authority.hpp"
#include "test/cluster/support.hpp"

using namespace paxtor::test;

namespace {

/// A client that holds "k", with its guardian linked, and one that waits for it.
struct contest {
  explicit contest(three_nodes& nodes)
      : holder(nodes.client("holder")), waiter(nodes.client("waiter")) {
    holder->write_json({{"op", "hold"}, {"id", 1}, {"key", "k"}});
    held = answer(*holder, 1, 5s);
    REQUIRE(held.contains("token"));
    guardian = guardian_of(*holder);
    waiter->write_json({{"op", "hold"}, {"id", 2}, {"key", "k"}});
    REQUIRE(eventually(5s, [&] {
      return nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 1;
    }));
  }

  /// Seconds until the waiter has it.
  double granted_after(clock::time_point start) {
    const auto next = answer(*waiter, 2, 20s);
    REQUIRE(next.contains("token"));
    CHECK(next["token"].get<long>() > held["token"].get<long>());
    return seconds_since(start);
  }

  std::unique_ptr<process> holder;
  std::unique_ptr<process> waiter;
  nlohmann::json held;
  pid_t guardian = -1;
};

/// How the owner before the one of "k" ended, as `why` tells it.
nlohmann::json end_before(const three_nodes& nodes) {
  return nodes.run("why", {"k", "--json"}).json()["holder"]["taken_from"];
}

/// With a ttl of 3 s silence takes at least this long: the last renewal came up to a sixth of it
/// before the end.
constexpr double silence = 2.4;

bool gone(pid_t pid) {
  return eventually(5s, [pid] { return !alive(pid); });
}

} // namespace

TEST_CASE("guardian: a killed owner's lock is granted at once, and its guardian goes") {
  three_nodes nodes{"3s"};
  contest one{nodes};
  const auto start = clock::now();
  one.holder->signal(SIGKILL);
  const auto took = one.granted_after(start);
  MESSAGE("granted after " << took * 1000 << " ms");
  CHECK(took < 1.0);
  const auto before = end_before(nodes);
  CHECK(before["reason"] == "process_died");
  CHECK(before["detail"] == "killed by signal 9 (SIGKILL)");
  CHECK(before["node"] == "holder");
  CHECK(gone(one.guardian));
}

TEST_CASE("guardian: a strict owner's lock too") {
  three_nodes nodes{"1s"};
  const auto holder =
    nodes.start("lock", {"--strict", "k", "--", "sh", "-c", "echo held; exec sleep 1000"});
  REQUIRE(holder->read_line(10s) == "held");
  const auto next = nodes.start("lock", {"k", "--", "echo", "next"});
  REQUIRE(eventually(5s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 1;
  }));
  holder->signal(SIGKILL);
  CHECK(next->read_line(5s) == "next");
  CHECK(next->wait(5s) == 0);
}

TEST_CASE("guardian: over TLS") {
  authority ca;
  const auto files = ca.files();
  three_nodes nodes{
    "3s", {"--tls-certificate", files.certificate, "--tls-key", files.key, "--tls-ca", files.ca}};
  contest one{nodes};
  const auto start = clock::now();
  one.holder->signal(SIGKILL);
  CHECK(one.granted_after(start) < 1.0);
}

TEST_CASE("guardian: killed before its node, it is replaced") {
  three_nodes nodes{"3s"};
  contest one{nodes};
  kill(one.guardian, SIGKILL);
  REQUIRE(eventually(10s, [&] { return !alive(one.guardian); }));
  pid_t second = one.guardian;
  REQUIRE(eventually(10s, [&] { return (second = guardian_of(*one.holder)) != one.guardian; }));
  CHECK(alive(second));
  const auto start = clock::now();
  one.holder->signal(SIGKILL);
  CHECK(one.granted_after(start) < 1.0);
  CHECK(gone(second));
}

TEST_CASE("guardian: killed with its node, or switched off, the ttl decides") {
  three_nodes nodes{"3s"};
  {
    contest one{nodes};
    // Neither sees the other die.
    kill(one.guardian, SIGSTOP);
    const auto start = clock::now();
    one.holder->signal(SIGKILL);
    kill(one.guardian, SIGKILL);
    const auto took = one.granted_after(start);
    CHECK(took > silence);
    CHECK(took < 6);
    CHECK(end_before(nodes)["reason"] == "expired");
  }
  const auto holder = nodes.start("demo-node", {"--name", "lonely", "--guardian", "off"});
  REQUIRE(holder->read_json(15s).value_or(nullptr)["ready"] == true);
  holder->write_json({{"op", "status"}, {"id", 1}});
  CHECK(answer(*holder, 1, 5s)["status"]["guardian"]["on"] == false);
  holder->write_json({{"op", "hold"}, {"id", 2}, {"key", "other"}});
  REQUIRE(answer(*holder, 2, 10s).contains("token"));
  const auto start = clock::now();
  holder->signal(SIGKILL);
  const auto next = nodes.client("next");
  next->write_json({{"op", "hold"}, {"id", 3}, {"key", "other"}});
  CHECK(answer(*next, 3, 10s).contains("token"));
  CHECK(seconds_since(start) > silence);
}

TEST_CASE("guardian: a node that leaves takes it along, and reaps it") {
  three_nodes nodes;
  const auto client = nodes.client("client");
  const auto guardian = guardian_of(*client);
  CHECK(parent_of(guardian) == client->pid());
  // One that is frozen does not keep its node from leaving.
  kill(guardian, SIGSTOP);
  client->close_stdin();
  CHECK(client->wait(5s) == 0);
  CHECK(parent_of(guardian) == -1);
  CHECK(nodes.mark().left().size() == 6);
  nodes.node("a").signal(SIGTERM);
  CHECK(nodes.node("a").wait(8s) == 0);
  // Two nodes and their guardians.
  CHECK(nodes.mark().left().size() == 4);
}

TEST_CASE("guardian: without the program one line says what that means") {
  three_nodes nodes;
  const auto lonely = nodes.start("node", {"--name", "lonely", "--json", "--guardian-program",
                                           "/no/such/program", "--log-level", "warn"});
  REQUIRE(lonely->read_json(15s));
  lonely->signal(SIGTERM);
  CHECK(lonely->wait(5s) == 0);
  const auto said = lonely->read_errors(1s);
  CHECK(contains(said, "no guardian: if this process crashes"));
  CHECK(contains(said, "'/no/such/program' is no program that can be run"));
  const auto wrong = nodes.run("lock", {"--guardian", "maybe", "k", "--", "true"});
  CHECK(wrong.status == 64);
  CHECK(contains(wrong.err, "want on or off"));
  CHECK(nodes.run("status", {"--guardian", "off"}).status == 64);
  const scratch dir;
  const auto off = nodes.mark().start(
    {"demo-node", "--voters", nodes.voters(), "--ttl", "1s", "--name", "off", "--config",
     dir.write("off.json", R"({"guardian": false, "guardian_program": "/no/such/program"})")});
  REQUIRE(off->read_json(15s).value_or(nullptr)["ready"] == true);
  off->write_json({{"op", "status"}, {"id", 1}});
  CHECK(answer(*off, 1, 5s)["status"]["guardian"]["on"] == false);
  const auto odd = nodes.mark().run(
    {"node", "--voters", nodes.voters(), "--config", dir.write("odd.json", R"({"guardian": 1})")});
  CHECK(odd.status == 64);
  CHECK(contains(odd.err, "want true or false"));
  // `paxtor guard` is the same program.
  const auto by_hand = nodes.start("node", {"--name", "other", "--json", "--guardian-program",
                                            PAXTOR_PROGRAM, "--log-level", "info"});
  REQUIRE(by_hand->read_json(15s));
  by_hand->signal(SIGTERM);
  CHECK(by_hand->wait(5s) == 0);
  CHECK(contains(by_hand->read_errors(1s), "guardian started"));
}

TEST_CASE(
  "guardian: the host of a singleton is killed, and the next request finds another at once") {
  three_nodes nodes{"3s"};
  const auto client = nodes.client("client");
  client->write_json({{"op", "increment"}, {"id", 1}, {"name", "apple"}});
  const auto first = answer(*client, 1, 5s);
  REQUIRE(first.contains("value"));
  const auto host = first["node"].get<std::string>();
  if (host == "client")
    return;
  // Its guardian has long been linked: it was started with the cluster.
  const auto start = clock::now();
  nodes.node(host).kill_now();
  client->write_json({{"op", "increment"}, {"id", 2}, {"name", "apple"}});
  const auto second = answer(*client, 2, 10s);
  REQUIRE(second.contains("value"));
  CHECK(second["node"] != host);
  CHECK(seconds_since(start) < 2.0);
}

TEST_CASE("guardian: paxtor lock is killed: its command is gone before the next one begins") {
  three_nodes nodes{"3s"};
  const scratch dir;
  // Leaves its process group, ignores what can be ignored, and writes as long as it can.
  const auto beat =
    "trap '' TERM HUP INT; while :; do date +%s%N >> " + dir.file("beats") + "; sleep 0.005; done";
  const auto holder =
    nodes.start("lock", {"k", "--", "sh", "-c", "setsid sh -c \"" + beat + "\" & " + beat});
  REQUIRE(eventually(10s, [&] { return dir.lines("beats").size() > 20; }));
  const auto next =
    nodes.start("lock", {"k", "--", "sh", "-c", "date +%s%N > " + dir.file("next")});
  REQUIRE(eventually(5s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 1;
  }));
  const auto start = clock::now();
  holder->signal(SIGKILL);
  CHECK(next->wait(10s) == 0);
  CHECK(seconds_since(start) < 2.0);
  const auto began = std::stoll(dir.read("next"));
  for (const auto& line : dir.lines("beats"))
    if (!line.empty())
      CHECK(std::stoll(line) < began);
}

TEST_CASE("guardian: paxtor lock and the guard of its command are killed: nothing before the ttl") {
  three_nodes nodes{"3s"};
  const auto holder = nodes.start("lock", {"k", "--", "sh", "-c", "echo $$; exec sleep 1000"});
  const auto line = holder->read_line(10s);
  REQUIRE(line);
  const auto command = std::stoi(*line);
  const auto guard = parent_of(command);
  const auto next = nodes.start("lock", {"k", "--", "true"});
  REQUIRE(eventually(5s, [&] {
    return nodes.run("why", {"k", "--json"}).json()["waiting_count"] == 1;
  }));
  holder->signal(SIGSTOP);
  const auto start = clock::now();
  kill(guard, SIGKILL);
  holder->signal(SIGKILL);
  CHECK(next->wait(15s) == 0);
  CHECK(seconds_since(start) > silence);
  CHECK_FALSE(alive(command));
}

namespace {

/// Two network namespaces with a cable between them; gone at the end. `made` is false where that is
/// not allowed.
class two_hosts {
public:
  two_hosts() : tag_(std::to_string(getpid() % 10'000)) {
    made = run("ip netns add pxa" + tag_ + " && ip netns add pxb" + tag_ + " && ip link add pxv"
               + tag_ + " netns pxa" + tag_ + " type veth peer name pxw" + tag_ + " netns pxb"
               + tag_ + " && " + in_a("ip addr add 192.0.2.1/30 dev pxv" + tag_) + " && "
               + in_b("ip addr add 192.0.2.2/30 dev pxw" + tag_) + " && "
               + in_a("ip link set pxv" + tag_ + " up") + " && "
               + in_b("ip link set pxw" + tag_ + " up") + " && " + in_a("ip link set lo up")
               + " && " + in_b("ip link set lo up") + " && " + in_a("iptables -L -n"));
  }
  ~two_hosts() {
    run("ip netns del pxa" + tag_);
    run("ip netns del pxb" + tag_);
  }
  two_hosts(const two_hosts&) = delete;
  two_hosts& operator=(const two_hosts&) = delete;

  [[nodiscard]] words a() const { return {"ip", "netns", "exec", "pxa" + tag_}; }
  [[nodiscard]] words b() const { return {"ip", "netns", "exec", "pxb" + tag_}; }

  /// Every packet between the two is answered with a reset, to both sides.
  bool reject() {
    return run(in_a("iptables -A INPUT -s 192.0.2.2 -p tcp -j REJECT --reject-with tcp-reset")
               + " && "
               + in_a("iptables -A OUTPUT -d 192.0.2.2 -p tcp -j REJECT --reject-with tcp-reset"));
  }

  bool made = false;

private:
  [[nodiscard]] std::string in_a(const std::string& command) const {
    return "ip netns exec pxa" + tag_ + " " + command;
  }
  [[nodiscard]] std::string in_b(const std::string& command) const {
    return "ip netns exec pxb" + tag_ + " " + command;
  }
  static bool run(const std::string& command) {
    process shell{{"sh", "-c", "(" + command + ") >/dev/null 2>&1"}};
    return shell.wait(10s) == 0;
  }

  std::string tag_;
};

} // namespace

TEST_CASE("guardian: a cut that resets all connections frees nothing before the ttl") {
  two_hosts hosts;
  if (!hosts.made) {
    MESSAGE("skipped: network namespaces need ip and iptables, and root");
    return;
  }
  marked mark;
  const std::string voters = "a=192.0.2.1:4801,b=192.0.2.1:4802,c=192.0.2.1:4803";
  const auto start_node = [&](const words& where, const std::string& command,
                              const std::string& name) {
    return mark.start_under(
      where, {command, "--voters", voters, "--name", name, "--insecure", "--ttl", "3s", "--json"});
  };
  std::vector<std::unique_ptr<process>> nodes;
  for (const auto* name : {"a", "b", "c"})
    nodes.push_back(start_node(hosts.a(), "node", name));
  for (const auto& one : nodes)
    REQUIRE(one->read_json(20s));
  const auto holder = start_node(hosts.b(), "demo-node", "holder");
  const auto waiter = start_node(hosts.a(), "demo-node", "waiter");
  REQUIRE(holder->read_json(15s));
  REQUIRE(waiter->read_json(15s));
  holder->write_json({{"op", "hold"}, {"id", 1}, {"key", "k"}});
  REQUIRE(answer(*holder, 1, 5s).contains("token"));
  const auto guardian = guardian_of(*holder);
  waiter->write_json({{"op", "hold"}, {"id", 2}, {"key", "k"}});
  REQUIRE(answer(*waiter, 2, 300ms).is_null());
  const auto start = clock::now();
  REQUIRE(hosts.reject());
  // The owner is stopped at the fence, before anybody else can have the lock (F1).
  CHECK(answer(*holder, 1, 5s).contains("ended"));
  CHECK(seconds_since(start) < 3.0);
  CHECK(answer(*waiter, 2, 0ms).is_null());
  CHECK(answer(*waiter, 2, 10s).contains("token"));
  CHECK(seconds_since(start) > silence);
  CHECK(alive(holder->pid()));
  CHECK(alive(guardian));
}
