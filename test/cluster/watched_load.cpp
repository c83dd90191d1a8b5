#include "test/cluster/watched_load.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "test/cluster/load_checker.hpp"

namespace paxtor::test {

nlohmann::json watched_load::client::ask(nlohmann::json order) {
  order["id"] = next_id;
  child->write_json(order);
  return answer(*child, next_id++, 30s);
}

std::uint64_t watched_load::client::acknowledged() {
  const auto counts = ask({{"op", "counts"}});
  return counts["grants"].get<std::uint64_t>() + counts["puts"].get<std::uint64_t>();
}

void watched_load::begin(const std::string& name, const std::string& program) {
  client one{nodes_.client(name, {"--ttl", ttl_, "--log-level", "off"}, program), "load-" + name};
  for (int i = 0; i < holders_each; ++i) {
    const auto key = name + "-holds-" + std::to_string(i);
    const auto held = one.ask({{"op", "hold"}, {"key", key}});
    REQUIRE(held.contains("token"));
    one.held[key] = held["token"].get<std::uint64_t>();
  }
  const auto begun =
    one.ask({{"op", "load"}, {"file", nodes_.files.file(one.file)}, {"author", name}});
  REQUIRE(begun.value("ok", false));
  clients_.push_back(std::move(one));
}

void watched_load::await_progress() {
  for (auto& one : clients_) {
    const auto before = one.acknowledged();
    REQUIRE(eventually(20s, [&] { return one.acknowledged() >= before + 25; }));
  }
}

milliseconds watched_load::least_lease_left() {
  auto least = milliseconds::max();
  for (auto& one : clients_) {
    const auto left = one.ask({{"op", "status"}})["status"]["lease_left_least_ms"].get<int>();
    least = std::min(least, milliseconds{left});
  }
  return least;
}

void watched_load::check() {
  load_checker found;
  std::uint64_t failed = 0;
  for (auto& one : clients_)
    CHECK(one.ask({{"op", "load_end"}}).contains("busy"));
  for (auto& one : clients_) {
    CHECK(eventually(30s, [&] { return one.ask({{"op", "counts"}})["busy"] == 0; }));
    failed += one.ask({{"op", "counts"}})["failed"].get<std::uint64_t>();
    found.read(nodes_.files.lines(one.file));
  }
  for (const auto& line : found.problems())
    FAIL_CHECK(line);
  check_entries(found.entries());
  check_held();
  MESSAGE("checked: " << found.entries().size() << " entries, " << found.tenures()
                      << " owners in turn, " << clients_.size() * holders_each
                      << " owners throughout; " << failed << " requests were refused or unknown");
}

void watched_load::check_entries(const std::map<std::string, std::string>& entries) {
  REQUIRE(entries.size() > 100);
  client judge{nodes_.client("judge", {"--ttl", ttl_}), ""};
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
    judge.child->write_json({{"op", "get"}, {"id", id}, {"bucket", "load"}, {"key", entry.first}});
    asked[id] = &entry;
    if (asked.size() == at_once)
      hear();
  }
  hear();
}

void watched_load::check_held() {
  for (const auto& one : clients_) {
    CHECK(one.child->running());
    for (const auto& [key, token] : one.held) {
      const auto why = nodes_.run("why", {key, "--json", "--ttl", ttl_}).json();
      REQUIRE_MESSAGE(why["holder"].is_object(), (key + ": " + why.dump()));
      CHECK(why["holder"]["token"] == token);
    }
  }
}

} // namespace paxtor::test
