// kill -9 storms: voters with data directories are killed at random moments under load, one or all
// at once, and afterwards everything that anybody was told is looked at.
//
// The full form: PAXTOR_STORM_KILLS=200 BUILD/test/paxtor-cluster-tests -tc='storm: kill -9*'
// Again as it was, as far as processes go: PAXTOR_STORM_SEED=...

#include <csignal>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "libpaxtor/base/random.hpp"
#include "test/cluster/kept_nodes.hpp"
#include "test/cluster/load_checker.hpp"

using namespace paxtor::test;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Longer than any time without a majority: owners that live through the storm stay owners.
const std::string ttl = "15s";
constexpr int holders_each = 5;

struct load_client {
  std::unique_ptr<process> child;
  std::string file;
  int next_id = 1;
  /// Tokens of the keys that it holds throughout.
  std::map<std::string, std::uint64_t> held{};

  [[nodiscard]] nlohmann::json ask(nlohmann::json order) {
    order["id"] = next_id;
    child->write_json(order);
    return answer(*child, next_id++, 30s);
  }
};

class storm {
public:
  explicit storm(std::uint64_t seed) : random_(seed) {
    for (const auto* name : {"x", "y"})
      begin_client(name);
  }

  /// Kills until `count` processes were.
  void rage(std::uint64_t count) {
    for (int round = 1; ones_ + 3 * alls_ < count; ++round) {
      // At random moments: also while a voter that was killed before comes back.
      std::this_thread::sleep_for(milliseconds{20 + random_.below(500)});
      const bool all = random_.below(5) == 0;
      const auto one = nodes_.names[random_.below(3)];
      for (const auto& name : nodes_.names) {
        if (all || name == one)
          nodes_.running[name]->signal(SIGKILL);
      }
      for (const auto& name : nodes_.names) {
        if (all || name == one)
          restart(name);
      }
      ++(all ? alls_ : ones_);
      // Where nothing is acknowledged, nothing can be lost.
      if (round % 4 == 0)
        await_progress();
    }
    await_progress();
  }

  void check() {
    load_checker found;
    std::uint64_t failed = 0;
    for (auto& client : clients_) {
      CHECK(client.ask({{"op", "load_end"}}).contains("busy"));
      CHECK(eventually(30s, [&] { return client.ask({{"op", "counts"}})["busy"] == 0; }));
      failed += client.ask({{"op", "counts"}})["failed"].get<std::uint64_t>();
      found.read(nodes_.files.lines(client.file));
    }
    for (const auto& line : found.problems())
      FAIL_CHECK(line);
    check_entries(found.entries());
    check_held();
    MESSAGE("killed: one voter " << ones_ << " times, all three " << alls_
                                 << " times; checked: " << found.entries().size() << " entries, "
                                 << found.tenures() << " owners in turn, "
                                 << clients_.size() * holders_each << " owners throughout; "
                                 << failed << " requests without an answer that counts");
  }

private:
  void begin_client(const std::string& name) {
    load_client client{nodes_.client(name, {"--ttl", ttl, "--log-level", "off"}), "load-" + name};
    for (int i = 0; i < holders_each; ++i) {
      const auto key = name + "-holds-" + std::to_string(i);
      const auto held = client.ask({{"op", "hold"}, {"key", key}});
      REQUIRE(held.contains("token"));
      client.held[key] = held["token"].get<std::uint64_t>();
    }
    const auto begun =
      client.ask({{"op", "load"}, {"file", nodes_.files.file(client.file)}, {"author", name}});
    REQUIRE(begun.value("ok", false));
    clients_.push_back(std::move(client));
  }

  void restart(const std::string& name) {
    nodes_.running[name]->kill_now();
    nodes_.begin(name);
    starting_.insert(name);
  }

  /// How much was acknowledged.
  std::uint64_t acknowledged() {
    std::uint64_t sum = 0;
    for (auto& client : clients_) {
      const auto counts = client.ask({{"op", "counts"}});
      sum += counts["grants"].get<std::uint64_t>() + counts["puts"].get<std::uint64_t>();
    }
    return sum;
  }

  void await_progress() {
    for (const auto& name : starting_)
      nodes_.wait_ready(name);
    starting_.clear();
    const auto before = acknowledged();
    REQUIRE(eventually(20s, [&] { return acknowledged() >= before + 50; }));
  }

  void check_entries(const std::map<std::string, std::string>& entries) {
    REQUIRE(entries.size() > 100);
    load_client judge{nodes_.client("judge", {"--ttl", ttl}), ""};
    // A few at a time: as many as wait in a pipe without anybody reading.
    constexpr int at_once = 64;
    std::map<int, const std::pair<const std::string, std::string>*> asked;
    // Answers come in any order.
    const auto hear = [&] {
      while (!asked.empty()) {
        const auto now = judge.child->read_json(30s);
        REQUIRE_MESSAGE(now, asked.size(), " entries are not answered");
        const auto found = asked.find(now->value("id", 0));
        REQUIRE(found != asked.end());
        const auto& [key, value] = *found->second;
        CHECK_MESSAGE((*now)["value"] == value, (key + ": " + now->dump()));
        asked.erase(found);
      }
    };
    for (const auto& entry : entries) {
      const auto id = judge.next_id++;
      judge.child->write_json(
        {{"op", "get"}, {"id", id}, {"bucket", "load"}, {"key", entry.first}});
      asked[id] = &entry;
      if (asked.size() == at_once)
        hear();
    }
    hear();
  }

  void check_held() {
    for (const auto& client : clients_) {
      for (const auto& [key, token] : client.held) {
        const auto why = nodes_.run("why", {key, "--json", "--ttl", ttl}).json();
        REQUIRE_MESSAGE(why["holder"].is_object(), (key + ": " + why.dump()));
        CHECK(why["holder"]["token"] == token);
      }
      CHECK(client.child->running());
    }
  }

  paxtor::generator random_;
  kept_nodes nodes_{{"--ttl", ttl, "--log-level", "error"}};
  std::vector<load_client> clients_;
  /// Voters that have not said "ready" since their last start.
  std::set<std::string> starting_;
  std::uint64_t ones_ = 0;
  std::uint64_t alls_ = 0;
};

std::vector<std::string> problems_of(const std::vector<std::string>& lines) {
  load_checker found;
  found.read(lines);
  return found.problems();
}

} // namespace

TEST_CASE("storm: kill -9 of voters under load loses nothing and doubles nothing") {
  const auto seed = from_environment("PAXTOR_STORM_SEED", std::random_device{}());
  MESSAGE("PAXTOR_STORM_SEED=" << seed);
  storm one{seed};
  one.rage(from_environment("PAXTOR_STORM_KILLS", 20));
  one.check();
}

TEST_CASE("storm: the checker finds what it is there for") {
  const words good{"begin k 5 100", "end k 5 200", "begin k 7 200", "end k 7 300",
                   "begin l 6 150", "end l 6 250", "put e x",       "put e x"};
  CHECK(problems_of(good).empty());
  const auto with = [&](const std::string& line) {
    auto all = good;
    all.push_back(line);
    return problems_of(all).size();
  };
  // It began while another one owned the key.
  CHECK(problems_of({"begin k 5 100", "end k 5 200", "begin k 7 199", "end k 7 300"}).size() == 1);
  // A token that is lower than that of an earlier owner.
  CHECK(problems_of({"begin k 7 100", "end k 7 200", "begin k 5 300", "end k 5 400"}).size() == 1);
  CHECK(with("begin k 9 400") == 1); // no end
  CHECK(with("begin k 7 400") == 1); // one token twice
  CHECK(with("end k 9 400") == 1);
  CHECK(with("put e y") == 1);
  CHECK(with("begin k") == 1);
  CHECK(with("what") == 1);
}
