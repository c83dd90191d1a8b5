// Links on which a log takes longer than an election timeout.

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "test/cluster/kept_nodes.hpp"

using namespace paxtor::test;

namespace {

bool done(const words& command) {
  paxtor::tools::process_options options;
  options.pipe_stderr = true;
  process one{command, options};
  return one.wait(10s) == 0;
}

/// A network namespace of this thread, and of the processes that it starts, with a loopback of its
/// own. `made` is false where that is not allowed.
class own_loopback {
public:
  own_loopback() : before_(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    made = before_ >= 0 && unshare(CLONE_NEWNET) == 0 && done({"ip", "link", "set", "lo", "up"})
           && done({"ip", "link", "set", "lo", "mtu", "16384"});
  }
  ~own_loopback() {
    if (before_ >= 0) {
      (void)setns(before_, CLONE_NEWNET);
      close(before_);
    }
  }
  own_loopback(const own_loopback&) = delete;
  own_loopback& operator=(const own_loopback&) = delete;

  /// From now on all links share this rate ("80mbit").
  [[nodiscard]] static bool slow_down(const std::string& rate) {
    return done({"tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", rate, "burst", "512kb",
                 "latency", "50ms"});
  }

  bool made = false;

private:
  int before_;
};

} // namespace

TEST_CASE("slow links: voters that were all killed recover a log that takes seconds to tell") {
  const own_loopback net;
  if (!net.made) {
    WARN_MESSAGE(net.made, "skipped: a network namespace needs root and ip");
    return;
  }
  kept_nodes nodes;
  // 9 MB: 1.2 s at the rate below, which a candidate and its followers share.
  const std::string large(60'000, 'v');
  std::vector<std::unique_ptr<process>> puts;
  for (int i = 0; i < 150; ++i) {
    puts.push_back(
      nodes.mark.start(nodes.args("put", {"cfg", "k" + std::to_string(i), "\"" + large + "\""})));
    if (puts.size() < 4)
      continue;
    for (auto& one : puts)
      REQUIRE(one->wait(20s) == 0);
    puts.clear();
  }
  for (auto& one : puts)
    REQUIRE(one->wait(20s) == 0);
  for (const auto& name : nodes.names)
    nodes.running[name]->kill_now();
  REQUIRE(own_loopback::slow_down("60mbit"));
  const auto start = clock::now();
  for (const auto& name : nodes.names)
    nodes.begin(name);
  const auto again = nodes.run("lock", {"again", "--join-timeout", "40s", "--", "true"});
  CHECK_MESSAGE(again.status == 0, again.err);
  // It took 3 s. Nobody was found to lead, ever, when the log was told in one piece.
  CHECK(seconds_since(start) < 20);
  for (const auto& name : nodes.names)
    nodes.wait_ready(name);
}
