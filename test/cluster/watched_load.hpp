#pragma once

/// \file
/// Clients of a cluster that lock, put and hold while a test does what it likes with the voters;
/// afterwards all that they were told is looked at.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/cluster/kept_nodes.hpp"

namespace paxtor::test {

class watched_load {
public:
  /// Owners that each client has throughout.
  static constexpr int holders_each = 5;

  /// Nothing runs yet. `ttl` is also the nodes'; longer than any time without a majority, so that
  /// owners live through it.
  watched_load(kept_nodes& nodes, std::string ttl) : nodes_(nodes), ttl_(std::move(ttl)) {}

  /// A client that holds locks, and puts and locks until the end.
  void begin(const std::string& name, const std::string& program = {});

  /// Waits until more was acknowledged, to every client: where nothing is, nothing can be lost.
  void await_progress();

  /// How near the leases of the clients came to their end so far: the least that one had left when
  /// it was renewed or lost.
  [[nodiscard]] milliseconds least_lease_left();

  /// Ends the load. No two owners of a key overlapped; every acknowledged entry is there with its
  /// value; every owner that lived throughout still owns, under the same token. Says what it
  /// checked.
  void check();

private:
  struct client {
    std::unique_ptr<process> child;
    std::string file;
    int next_id = 1;
    /// Tokens of the keys that it holds throughout.
    std::map<std::string, std::uint64_t> held{};

    [[nodiscard]] nlohmann::json ask(nlohmann::json order);
    [[nodiscard]] std::uint64_t acknowledged();
  };

  void check_entries(const std::map<std::string, std::string>& entries);
  void check_held();

  kept_nodes& nodes_;
  std::string ttl_;
  std::vector<client> clients_;
};

} // namespace paxtor::test
