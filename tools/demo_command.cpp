/// `paxtor demo`: three nodes as processes on loopback, and four things to see. It verifies itself
/// what it shows.

#include <algorithm>
#include <iostream>
#include <memory>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/demo_screen.hpp"
#include "tools/exit_status.hpp"
#include "tools/signals.hpp"
#include "tools/style.hpp"
#include "tools/team.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr int actors = 10;
constexpr int prints = 5;
/// What a takeover from a killed process may take: ttl 3 s, and an election where the leader goes
/// with it; certified, the election alone. This is a demo on a machine that may be busy, the bench
/// measures it.
constexpr auto takeover_limit = seconds{8};
constexpr double certified_limit = 2.5;

/// The pipe that all printers write to.
struct shared_pipe {
  int read = -1;
  int write = -1;
  shared_pipe() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
      throw std::runtime_error("cannot make a pipe");
    read = fds[0];
    write = fds[1];
  }
  ~shared_pipe() {
    close(read);
    close(write);
  }
  shared_pipe(const shared_pipe&) = delete;
  shared_pipe& operator=(const shared_pipe&) = delete;
};

/// Every digit five times, and each digit's five in one run.
bool unbroken(const std::string& digits) {
  std::string seen;
  for (std::size_t i = 0; i < digits.size(); i += prints) {
    const auto run = digits.substr(i, prints);
    if (run != std::string(prints, run.front()) || seen.find(run.front()) != std::string::npos)
      return false;
    seen += run.front();
  }
  return digits.size() == actors * prints && seen.size() == actors;
}

std::string quoted(const std::string& name) {
  return '"' + name + '"';
}

class demo {
public:
  demo(demo_screen& screen, const std::string& ttl)
      : screen_(screen), team_({"a", "b", "c"}, {"--ttl", ttl}, paper_.write) {}

  void introduce(clock::time_point start) {
    screen_.text("Three nodes, each a process of its own, on this machine:");
    screen_.gap();
    for (const auto& node : team_.members())
      screen_.item("node " + screen_.bold(node->name),
                   "process " + std::to_string(node->child().pid()) + ", " + node->address);
    screen_.gap();
    screen_.check(true, "one cluster after "
                          + show_duration(std::chrono::duration_cast<std::chrono::microseconds>(
                            clock::now() - start)));
  }

  void one_lock() {
    screen_.part("a", "One lock, ten actors",
                 "Ten actors, spread over the three nodes, each print their digit five times. "
                 "Then the same again, but each locks \"printer\" first, and exits when done.",
                 "unbroken runs of five in the second line");
    const auto wild = print_all("without the lock", false);
    const auto tame = print_all("with the lock", true);
    screen_.gap();
    screen_.note("without_lock", wild);
    screen_.note("with_lock", tame);
    screen_.check(wild.size() == actors * prints && !unbroken(wild),
                  "without the lock the digits are mixed");
    screen_.check(unbroken(tame),
                  "with it all ten come in runs of five, whatever node they are on");
  }

  void two_counters() {
    screen_.part("b", "Two counters, each once in the cluster",
                 "Every node knows the counters \"apple\" and \"banana\" by name only. "
                 "The first increment starts each, on a node that the cluster agrees on.",
                 "one count per name, wherever the increment comes from");
    const auto before = running();
    screen_.item("running before", show(before));
    bool same = true;
    for (const std::string fruit : {"apple", "banana"}) {
      std::string line;
      std::set<std::string> hosts;
      for (int i = 0; i < 6; ++i) {
        auto& from = *team_.members()[static_cast<std::size_t>(i % 3)];
        const auto answer = from.ask({{"op", "increment"}, {"name", fruit}});
        same = same && answer.value("value", 0) == i + 1;
        line += " " + from.name + screen_.dim(">") + std::to_string(answer.value("value", 0));
        hosts.insert(answer.value("node", "?"));
      }
      same = same && hosts.size() == 1;
      host_[fruit] = *hosts.begin();
      screen_.item(fruit,
                   pad(line.substr(1), 27) + "  lives on node " + screen_.bold(*hosts.begin()));
    }
    const auto after = running();
    screen_.item("running after", show(after));
    screen_.gap();
    screen_.note("hosts", host_);
    screen_.check(sum(before) == 0, "nothing ran before the first increment");
    screen_.check(same, "increments from all three nodes reached the same two actors");
    screen_.check(sum(after) == 2, "exactly two counters run in the cluster");
  }

  void host_dies() {
    const auto old_host = host_["apple"];
    screen_.part("c", "The host of apple dies",
                 "Node " + old_host
                   + " is killed with SIGKILL. Its guardian, a small process beside it, hears "
                     "from the kernel that it has ended, and certifies that to the others: they "
                     "need not wait until its lease has run out.",
                 "another node, a count that starts anew, and how long it took");
    auto& victim = team_.member(old_host);
    victim.child().kill_now();
    dead_ = old_host;
    screen_.item("kill -9",
                 "node " + old_host + ", process " + std::to_string(victim.child().pid()));
    auto& from = survivor();
    const auto start = clock::now();
    const auto id = from.order({{"op", "increment"}, {"name", "apple"}});
    const auto answer = wait_for(from, id, start, "increment from " + from.name);
    const auto took = clock::now() - start;
    const auto node = answer.value("node", "?");
    screen_.item(
      "increment from " + from.name,
      "count " + std::to_string(answer.value("value", 0)) + ", on node " + screen_.bold(node)
        + ", after "
        + screen_.bold(show_duration(std::chrono::duration_cast<std::chrono::microseconds>(took))));
    screen_.gap();
    screen_.paragraph(
      "It is a new apple: the old one's count (6) died with its process. State that must "
      "outlive a singleton belongs in a store; the cluster keeps it single, not immortal.");
    screen_.gap();
    screen_.note("host_killed_to_answer_s", std::chrono::duration<double>(took).count());
    screen_.check(answer.value("value", 0) == 1 && node != old_host && answer.contains("value"),
                  "the new apple lives on another node");
    screen_.check(std::chrono::duration<double>(took).count() < certified_limit,
                  "and answered before the lease of the old one had run out");
  }

  void owner_dies() {
    screen_.part("d", "The owner of a lock dies",
                 "A client node, a fourth process, holds \"vault\" when it is killed. Another node "
                 "waits for it. Then the same for \"attic\", and the owner has no guardian.",
                 "milliseconds, then the lease; each time a larger token");
    const auto fast = kill_owner("vault", true);
    const auto slow = kill_owner("attic", false);
    screen_.gap();
    screen_.note("owner_killed_to_next_s", fast.took_s);
    screen_.note("owner_without_guardian_killed_to_next_s", slow.took_s);
    screen_.note("tokens", json::array({fast.before, fast.after}));
    screen_.check(fast.alone && slow.alone, "nobody else had it while its owner lived");
    screen_.check(fast.after > fast.before && fast.took_s < certified_limit,
                  "certified: the waiter has it, token " + std::to_string(fast.before) + " -> "
                    + std::to_string(fast.after));
    screen_.check(slow.after > slow.before
                    && slow.took_s < std::chrono::duration<double>(takeover_limit).count(),
                  "by the lease: the waiter has it, token " + std::to_string(slow.before) + " -> "
                    + std::to_string(slow.after));
  }

private:
  struct inheritance {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    /// The waiter waited as long as the owner lived.
    bool alone = false;
    double took_s = 0;
  };

  inheritance kill_owner(const std::string& lock, bool guardian) {
    inheritance result;
    auto& owner =
      team_.add_client(guardian ? "client" : "unguarded", {"--guardian", guardian ? "on" : "off"});
    result.before = owner.ask({{"op", "hold"}, {"key", lock}}).value("token", std::uint64_t{0});
    screen_.item(quoted(lock), "held by process " + std::to_string(owner.child().pid())
                                 + (guardian ? "" : ", without a guardian") + ", token "
                                 + screen_.bold(std::to_string(result.before)));
    auto& waiter = survivor();
    const auto id = waiter.order({{"op", "hold"}, {"key", lock}});
    result.alone = result.before > 0 && waiter.answer(id, milliseconds{300}).is_null();
    const auto start = clock::now();
    owner.child().kill_now();
    const auto answer = wait_for(waiter, id, start, "waiter");
    const auto took = clock::now() - start;
    result.after = answer.value("token", std::uint64_t{0});
    result.took_s = std::chrono::duration<double>(took).count();
    screen_.item("kill -9", "node " + waiter.name + " has it after "
                              + screen_.bold(show_duration(
                                std::chrono::duration_cast<std::chrono::microseconds>(took)))
                              + ", token " + screen_.bold(std::to_string(result.after)));
    return result;
  }

  std::string print_all(const std::string& label, bool locked) {
    screen_.begin_line(label);
    for (int i = 0; i < actors; ++i) {
      json order{
        {"op", "print"}, {"digit", std::to_string(i)}, {"times", prints}, {"pause_ms", 12}};
      if (locked)
        order["key"] = "printer";
      team_.members()[static_cast<std::size_t>(i % 3)]->order(order);
    }
    std::string digits;
    const auto deadline = clock::now() + seconds{10};
    while (digits.size() < actors * prints && clock::now() < deadline) {
      pollfd ready{paper_.read, POLLIN, 0};
      char text[64];
      if (poll(&ready, 1, 100) <= 0)
        continue;
      const auto n = ::read(paper_.read, text, sizeof text);
      for (ssize_t i = 0; i < n; ++i) {
        digits += text[i];
        screen_.digit(text[i]);
      }
    }
    screen_.end_line();
    return digits;
  }

  /// Counters that run on each node.
  std::map<std::string, int> running() {
    std::map<std::string, int> result;
    for (const auto& node : team_.members())
      result[node->name] = node->ask({{"op", "running"}}).value("counters", -1);
    return result;
  }

  static int sum(const std::map<std::string, int>& counts) {
    int result = 0;
    for (const auto& [node, count] : counts)
      result += count;
    return result;
  }

  std::string show(const std::map<std::string, int>& counts) {
    std::string result;
    for (const auto& [node, count] : counts)
      result += (result.empty() ? "" : ", ") + std::to_string(count) + " on " + node;
    return result;
  }

  team_member& survivor() {
    for (const auto& node : team_.members()) {
      if (node->name != dead_)
        return *node;
    }
    throw std::runtime_error("no node is left");
  }

  json wait_for(team_member& node, int id, clock::time_point start, const std::string& who) {
    json answer;
    while (answer.is_null() && clock::now() - start < seconds{16}) {
      screen_.ticker(who, "waiting "
                            + show_duration(std::chrono::duration_cast<std::chrono::microseconds>(
                              clock::now() - start)));
      answer = node.answer(id, milliseconds{100});
    }
    screen_.end_ticker();
    return answer.is_null() ? json::object() : answer;
  }

  demo_screen& screen_;
  shared_pipe paper_;
  team team_;
  std::map<std::string, std::string> host_;
  std::string dead_;
};

int run_demo(bool as_json, const std::string& ttl) {
  // Ctrl-C ends this process at once, and the nodes end with it (PR_SET_PDEATHSIG).
  signals interrupts;
  impatience quit{interrupts};
  demo_screen screen{!as_json};
  const auto start = clock::now();
  screen.title("Paxtor: cluster-wide locks and singletons");
  {
    demo show{screen, ttl};
    show.introduce(start);
    show.one_lock();
    show.two_counters();
    show.host_dies();
    show.owner_dies();
  }
  // All processes are stopped here, as the last line says.
  const auto took = std::chrono::duration<double>(clock::now() - start).count();
  if (as_json)
    std::cout << screen.result(took).dump(2) << std::endl;
  else
    screen.conclude(took);
  return screen.failed() == 0 ? exit_ok : exit_failure;
}

} // namespace

void add_demo_command(CLI::App& app, command_line& line) {
  auto as_json = std::make_shared<bool>(false);
  auto ttl = std::make_shared<std::string>("3s");
  auto* sub =
    app.add_subcommand("demo", "Three nodes on this machine show what a cluster does (20 s)");
  sub->add_flag("--json", *as_json, "print the results as JSON");
  sub->add_option("--ttl", *ttl, "the session ttl of the nodes")
    ->type_name("TIME")
    ->capture_default_str();
  sub->footer(
    R"(Starts processes on free ports of 127.0.0.1 and leaves none behind. Status 1 if anything that
it shows is not as it should be. NO_COLOR is respected.

Example:
  paxtor demo)");
  sub->callback([=, &line] { line.chosen = [=] { return run_demo(*as_json, *ttl); }; });
}

} // namespace paxtor::tools
