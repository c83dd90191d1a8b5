// A rolling upgrade: two builds of the program whose frames differ by one version, in one cluster.

#include <csignal>

#include <doctest/doctest.h>

#include "test/cluster/watched_load.hpp"

using namespace paxtor::test;

namespace {

const std::string ttl = "15s";
const std::string next = PAXTOR_NEXT;
const std::string normal;

class upgrade {
public:
  upgrade() { load_.begin("old"); }

  /// A client more, of the next build.
  void begin_next_client() { load_.begin("new", next); }

  /// Stops a voter in good order and starts it again, on its directory.
  void replace(const std::string& name, const std::string& program) {
    auto& before = *nodes_.running[name];
    before.close_stdin();
    REQUIRE_MESSAGE(before.wait(20s) == 0, (name + ": " + before.read_errors(1s)));
    nodes_.begin(name, program);
    nodes_.wait_ready(name);
    load_.await_progress();
  }

  /// What a voter says of itself.
  [[nodiscard]] nlohmann::json status(const std::string& name) {
    nodes_.running[name]->write_json({{"op", "status"}, {"id", next_id_}});
    const auto all = answer(*nodes_.running[name], next_id_++, 10s);
    REQUIRE_MESSAGE(all.contains("status"), all.dump());
    return all["status"];
  }

  /// Frames of that version that the log's roles have read from other voters.
  [[nodiscard]] std::uint64_t heard(const std::string& name, const char* version) {
    const auto log = status(name)["log"];
    std::uint64_t sum = 0;
    for (const auto* role : {"acceptor", "learner"})
      sum += log[role].value("frames", nlohmann::json::object()).value(version, std::uint64_t{0});
    return sum;
  }

  /// Nobody was sent what it cannot read.
  void check_links() {
    for (const auto& name : nodes_.names)
      CHECK_MESSAGE(status(name)["net"]["bad_frames"] == 0, name);
  }

  void check() { load_.check(); }

  const words& names() { return nodes_.names; }

private:
  // Driven by lines, so that they can be asked how they are.
  kept_nodes nodes_{{"--ttl", ttl, "--log-level", "error"}, "demo-node"};
  watched_load load_{nodes_, ttl};
  int next_id_ = 1;
};

} // namespace

TEST_CASE("upgrade: voters are replaced one by one, and back, under load") {
  upgrade cluster;
  cluster.replace("a", next);
  cluster.begin_next_client();
  // The next build among older ones speaks as they do.
  CHECK(cluster.heard("b", "1") > 0);
  CHECK(cluster.heard("b", "2") == 0);
  CHECK(cluster.heard("a", "1") > 0);
  CHECK(cluster.heard("a", "2") == 0);
  cluster.replace("b", next);
  CHECK(cluster.heard("c", "2") == 0);
  cluster.replace("c", next);
  for (const auto& name : cluster.names())
    CHECK_MESSAGE(cluster.heard(name, "2") > 0, name);
  cluster.check_links();
  // And back, as nothing is in the log that the older build cannot read.
  for (const auto& name : cluster.names()) {
    cluster.replace(name, normal);
    CHECK_MESSAGE(cluster.heard(name, "2") == 0, name);
  }
  cluster.check_links();
  cluster.check();
}
