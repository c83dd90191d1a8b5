#pragma once

/// \file
/// What nodes and voters say to each other, above the log.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <msgpack.hpp>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "libpaxtor/registry/commands.hpp"
#include "libpaxtor/registry/effects.hpp"
#include "libpaxtor/registry/machine.hpp"

namespace paxtor::cluster {

/// Commands of one node, each encode(registry::command), to be proposed in this order.
struct submit {
  std::vector<std::string> commands;
  MSGPACK_DEFINE(commands)
};

/// S1: keep my session open. `watermark`: the last effects_for::at that was taken.
struct renew {
  session_id session;
  std::uint64_t n = 0;
  index watermark;
  MSGPACK_DEFINE(session, n, watermark)
};

/// A linearizable question.
struct read {
  std::uint64_t id = 0;
  registry::query what;
  MSGPACK_DEFINE(id, what)
};

/// F4: a proof that owners of another node have ended: of a guardian, of a process that has taken
/// over a data directory, of an operator. Answered by `certified`, once for every asker; asking
/// again does no harm.
struct certify {
  registry::certify_end proof;
  MSGPACK_DEFINE(proof)
};

enum class voter_change : std::uint8_t { look, add, remove, replace };

/// L6: how the voters should change, or (look) who they are. Answered by `read_answer` as things
/// stand now; who wants it done asks again until it is.
struct change_voters {
  std::uint64_t id = 0;
  voter_change kind = voter_change::look;
  /// The node's name.
  std::string name;
  /// add, replace: where others reach it, HOST:PORT; empty: where it says that it listens.
  std::string address;
  /// replace: the node that comes; empty: the same, with a new store or at a new address.
  std::string with;
  MSGPACK_DEFINE(id, kind, name, address, with)
};

/// What a voter or a standby says of itself to the leader.
struct voter_report {
  voter_id voter;
  std::string name;
  std::string address;
  slot decided_upto;
  /// The last slot that a durable snapshot covers.
  slot stored_upto;
  MSGPACK_DEFINE(voter, name, address, decided_upto, stored_upto)
};

/// Node -> leader (or through any voter that knows one). Append only.
using node_message = std::variant<submit, renew, read, certify, change_voters, voter_report>;

struct answers {
  session_id session; ///< not valid() for open_session
  std::vector<registry::answer> items;
  MSGPACK_DEFINE(session, items)
};

/// `by`: the ballot that was confirmed by a majority after renew(n) arrived (S1).
struct renewed {
  session_id session;
  std::uint64_t n = 0;
  ballot by;
  MSGPACK_DEFINE(session, n, by)
};

/// The session is not open in the registry (any more), as of the confirmed ballot.
struct session_over {
  session_id session;
  MSGPACK_DEFINE(session)
};

struct read_answer {
  std::uint64_t id = 0;
  std::string json;
  MSGPACK_DEFINE(id, json)
};

/// I do not lead; try `leader` if it is valid(). `at`: the highest ballot known there.
struct not_leading {
  voter_id leader;
  ballot at;
  MSGPACK_DEFINE(leader, at)
};

/// The leader is full: send again later.
struct overloaded {
  std::uint64_t unused = 0;
  MSGPACK_DEFINE(unused)
};

/// A proof was decided and applied: nothing of what it names is left, unless `problem` says why not
/// (one line). `closed`: the sessions that this very one ended; a repeated one ends none.
struct certified {
  node_id node;
  session_id session;
  std::uint64_t closed = 0;
  std::string problem;
  MSGPACK_DEFINE(node, session, closed, problem)
};

/// Voter -> node. Append only.
using voter_message = std::variant<answers, registry::effects_for, renewed, session_over,
                                   read_answer, not_leading, overloaded, certified>;

/// Who votes, as of the slot that made it so. The higher slot is the newer.
struct voters_now {
  slot since;
  paxos::configuration voters;

  [[nodiscard]] bool known() const { return !voters.members.empty(); }
  [[nodiscard]] bool newer_than(const voters_now& other) const {
    return known() && (!other.known() || since > other.since);
  }
  MSGPACK_DEFINE(since, voters)
};

/// A message for a node; the driver knows by which link (or through which voter) it was last heard.
struct to_node {
  node_id node;
  voter_message what;
};

/// A message of a node for a voter.
struct to_voter {
  voter_id voter;
  node_message what;
};

} // namespace paxtor::cluster

MSGPACK_ADD_ENUM(paxtor::cluster::voter_change)
