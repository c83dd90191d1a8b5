#pragma once

/// \file
/// node_options after they have been checked: nothing is started unless a plan could be made.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <caf/expected.hpp>

#include <paxtor/config.hpp>

#include "libpaxtor/cluster/lease_options.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "net/endpoint.hpp"

namespace paxtor::actors {

/// The most initial voters. More make every commit slower and none safer.
inline constexpr std::size_t max_voters = 15;

/// The most labels of a node.
inline constexpr std::size_t max_labels = 64;

struct plan {
  struct voter {
    std::string name;
    net::endpoint address;
  };

  node_options options;
  /// It is one of the initial voters.
  bool is_voter = false;
  /// It has no vote yet, and wants the log; or its data directory has a store.
  bool is_standby = false;
  bool tls = false;
  std::optional<net::endpoint> listen;
  std::optional<net::endpoint> advertise;
  /// All of them, this node too if it is one; in the order given.
  std::vector<voter> voters;
  std::map<std::string, std::string> labels;
  cluster::lease_options leases;
  paxos::timing times;

  [[nodiscard]] bool keeps_log() const { return is_voter || is_standby; }
};

/// ERRORS: invalid (which option, what to write), cannot_open (which file).
[[nodiscard]] caf::expected<plan> make_plan(const node_options& options);

} // namespace paxtor::actors
