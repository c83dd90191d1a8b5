#pragma once

/// \file
/// Setting up a node. All options are CAF options of the category "paxtor": in the program's own
/// config file, on its command line (--paxtor.name=a) or set in code.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <caf/actor_system_config.hpp>
#include <caf/expected.hpp>

namespace paxtor {

/// Everything a node is told. `load` makes each field an option paxtor.FIELD (with - for _).
struct node_options {
  /// The cluster's name: nodes of other clusters are refused. All nodes alike.
  std::string cluster = "paxtor";
  /// This node's stable name. Default: the host's name and the process id.
  std::string name;
  /// host:port where this node listens; port 0 picks a free one. A voter needs it; a client node
  /// without it hosts no singletons.
  std::string listen;
  /// host:port under which others reach it, if it differs from `listen`.
  std::string advertise;
  /// The voters as NAME=HOST:PORT: the initial ones, the same on all nodes. A node whose name is
  /// among them is a voter. Once voters have been added, removed or replaced, a node finds the
  /// others as long as one of these is a voter still; give nodes that start anew those of then.
  std::vector<std::string> voters;
  /// A node that is no voter keeps the log all the same, and follows it, so that it can become one
  /// (`cluster::add_voter`, `paxtor members add`). Needs `listen`. A node whose data directory has
  /// a voter's store does so anyway.
  bool standby = false;
  /// For wanted labels of singletons, as KEY=VALUE.
  std::vector<std::string> labels;
  /// The most singletons this node hosts. 0: no bound.
  std::uint64_t capacity = 0;
  /// The session ttl: 300 ms to 60 s, the same on all nodes. How long a silent node keeps what it
  /// owns.
  std::chrono::milliseconds ttl{3000};
  /// How long `join` waits for the cluster before it gives up.
  std::chrono::milliseconds join_timeout{15000};
  /// A directory of this node's own, made if needed: one process at a time can have it, on a local
  /// disk. A voter keeps its log there, and comes back after a crash as the voter that it was; and
  /// a node that is started again frees at once what its process before held. Empty: a voter keeps
  /// its log in memory.
  std::string data_dir;
  /// PEM files. All three, or none. Needed for any address but loopback, unless `insecure`.
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_ca;
  /// Allow plain TCP on other addresses than loopback: anybody who reaches the port can crash the
  /// node.
  bool insecure = false;
  /// Start a guardian: a small process that tells the cluster when this one has died, so that what
  /// it held is free within milliseconds instead of after the ttl. Needs the program
  /// paxtor-guardian; without it a line of the log says so, and the ttl decides.
  bool guardian = true;
  /// The program. Default: beside this one, in PATH, or where Paxtor was installed.
  std::string guardian_program;
  /// For owners that run child processes, which may outlive this one: descriptors of pipes, each
  /// with its write end in a process that writes one byte when everything that the owner started
  /// is gone for certain. The guardian reports nothing before that, and never if one is closed
  /// without that byte. At most 16; not an option of CAF. They stay the caller's, open until the
  /// node has left.
  std::vector<int> guardian_awaits;
  /// trace, debug, info, warn, error or off; to stderr.
  std::string log_level = "warn";
};

/// Adds the options, message types, error texts and CAF modules that Paxtor needs, and sets CAF
/// options that it depends on
/// (middleman.workers=0: see the README of net/). Call it in your config's constructor.
void load(caf::actor_system_config& cfg);

/// As `load`, with other defaults than node_options{}.
void load(caf::actor_system_config& cfg, const node_options& defaults);

/// The options as parsed. ERRORS: errc::invalid, with the option and what to do.
[[nodiscard]] caf::expected<node_options> options_of(const caf::actor_system_config& cfg);

} // namespace paxtor
