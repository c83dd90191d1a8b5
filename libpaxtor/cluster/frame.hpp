#pragma once

/// \file
/// The wire: versioned, length-bounded frames, independent of what carries them.
/// Bytes: magic 'P' 'X', version, number of the frame, the msgpack of its struct, then what the
/// version adds. How frames change from version to version: README.md, "Versions".

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <msgpack.hpp>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/cluster/lease_options.hpp"
#include "libpaxtor/cluster/messages.hpp"
#include "libpaxtor/cluster/versions.hpp"
#include "libpaxtor/paxos/formation.hpp"
#include "libpaxtor/paxos/messages.hpp"

namespace paxtor::cluster {

/// First on every link, both ways, and the same in all versions but for new fields at the end: who
/// meets a build that is too old or too new can still say so. `ttl_us` and `cluster_name` must be
/// equal, or the link is refused with an error that says so.
struct hello_frame {
  std::string cluster_name;
  cluster_id cluster; ///< not valid() until formed, or on a client node that never joined
  node_id node;
  std::string node_name;
  voter_id voter;       ///< of a voter or a standby; not valid() on a client node
  std::string endpoint; ///< host:port where this node listens, or empty
  std::uint64_t ttl_us = 0;
  std::vector<std::string> initial_voters; ///< names; empty on client nodes
  version_range versions;                  ///< what this node reads
  voters_now voters{};                     ///< who votes, as far as this node knows
  MSGPACK_DEFINE(cluster_name, cluster, node, node_name, voter, endpoint, ttl_us, initial_voters,
                 versions, voters)
};

/// The hello was refused: one line that says what to do.
struct refuse_frame {
  std::string why;
  MSGPACK_DEFINE(why)
};

struct formation_frame {
  paxos::formation_report report;
  MSGPACK_DEFINE(report)
};

struct paxos_frame {
  cluster_id cluster;
  voter_id from;
  voter_id to;
  paxos::role to_role = paxos::role::acceptor;
  paxos::message what;
  MSGPACK_DEFINE(cluster, from, to, to_role, what)
};

/// Node -> voter. `relayed_by` is valid() when a voter that does not lead passes it on; at most
/// once.
struct node_frame {
  cluster_id cluster;
  node_id from;
  voter_id relayed_by;
  node_message what;
  MSGPACK_DEFINE(cluster, from, relayed_by, what)
};

/// Voter -> node, perhaps through the voter that relayed.
struct voter_frame {
  cluster_id cluster;
  voter_id from;
  node_id to;
  voter_message what;
  MSGPACK_DEFINE(cluster, from, to, what)
};

/// Append only: the position is the number on the wire.
using frame =
  std::variant<hello_frame, refuse_frame, formation_frame, paxos_frame, node_frame, voter_frame>;

/// A paxos message to several voters has the same bytes for all of them if `to` is left out: see
/// encode_shared. `version` is one that all who read it have told in their hellos; by default the
/// lowest that this build writes: what guardians, relays and their guests read.
/// I61 a build writes no version that it does not read.
[[nodiscard]] std::string encode_frame(const frame& what,
                                       std::uint8_t version = own_versions().min);

enum class frame_error : std::uint8_t { none, too_large, not_ours, other_version, malformed };

/// Total: any bytes give a frame or an error, never an exception.
[[nodiscard]] frame_error decode_frame(std::string_view bytes, frame& out);

/// The version that these bytes say they have; 0 if they are no frame.
[[nodiscard]] std::uint8_t version_in(std::string_view bytes);

[[nodiscard]] std::string_view to_string(frame_error what);

} // namespace paxtor::cluster
