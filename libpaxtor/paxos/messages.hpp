#pragma once

/// \file
/// Everything the roles of the log say to each other: one message, one struct; one variant for all.
/// The roles share no state, so that each can be a CAF actor of its own: also what passes between
/// two roles of one voter is a message here ("local"), and local messages never cross the wire.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <msgpack.hpp>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/config.hpp"

namespace paxtor::paxos {

enum class role : std::uint8_t { acceptor, proposer, learner };

/// What a log entry is. `command` is opaque here; `reign` (S2) and `configure` (L6) are the log's
/// own.
enum class entry_kind : std::uint8_t { noop, reign, configure, command };

struct entry {
  entry_kind kind = entry_kind::noop;
  /// command: the command's bytes. reign: encode(ballot). configure: encode(configuration). noop:
  /// empty.
  std::string data;

  bool operator==(const entry&) const = default;
  MSGPACK_DEFINE(kind, data)
};

/// The value of a slot, encoded once where it is proposed: encode(std::vector<entry>).
using batch = blob;

/// What an acceptor has accepted in one slot.
struct accepted_value {
  ballot at;
  batch value;
  MSGPACK_DEFINE(at, value)
};

/// Pre-vote: would you promise this ballot? Changes nothing where it is asked. proposer ->
/// proposer.
struct prevote_request {
  ballot next;
  slot decided_upto;
  MSGPACK_DEFINE(next, decided_upto)
};

/// proposer -> proposer. `granted` is false while the asked voter hears a leader, or knows a higher
/// ballot.
struct prevote_reply {
  ballot next;
  bool granted = false;
  ballot highest_seen;
  MSGPACK_DEFINE(next, granted, highest_seen)
};

/// Phase 1a for all slots from `from` on. proposer -> acceptor.
struct prepare {
  ballot at;
  slot from;
  /// The first part of the promise that is asked for. An acceptor tells a few from there on, and is
  /// asked again for the rest: so nothing waits behind a long log that is on its way.
  std::uint32_t part = 0;
  MSGPACK_DEFINE(at, from, part)
};

/// Phase 1b: all that was accepted at or above `from`. May come in several parts (`part` of
/// `parts`). acceptor -> proposer, after the promise is durable.
struct promise {
  ballot at;
  std::uint32_t part = 0;
  std::uint32_t parts = 1;
  std::map<slot, accepted_value> accepted;
  /// Slots up to here were truncated behind a snapshot: the proposer must learn them, not propose
  /// them.
  slot truncated_upto;
  /// The `from` that was asked. A voter that restarts may ask again in the same ballot for more,
  /// and must not take a late answer to the shorter question for a full one.
  slot from;
  MSGPACK_DEFINE(at, part, parts, accepted, truncated_upto, from)
};

/// A higher ballot was promised. acceptor -> proposer.
struct rejected {
  ballot asked;
  ballot promised;
  MSGPACK_DEFINE(asked, promised)
};

/// Phase 2a. proposer -> acceptor.
struct accept {
  ballot at;
  slot where;
  batch value;
  slot decided_upto;
  MSGPACK_DEFINE(at, where, value, decided_upto)
};

/// Phase 2b. acceptor -> learner of the voter that leads `at`, after the acceptance is durable.
struct accepted {
  ballot at;
  slot where;
  MSGPACK_DEFINE(at, where)
};

/// Leader's sign of life and confirmation round (S1). proposer -> acceptor.
struct heartbeat {
  ballot at;
  std::uint64_t round = 0;
  slot decided_upto;
  MSGPACK_DEFINE(at, round, decided_upto)
};

/// The acceptor has promised nothing above `at` at this moment. acceptor -> proposer.
struct heartbeat_reply {
  ballot at;
  std::uint64_t round = 0;
  MSGPACK_DEFINE(at, round)
};

/// A learner misses slots from `from` on. learner -> learner (of any voter that has them).
struct learn {
  slot from;
  MSGPACK_DEFINE(from)
};

/// Consecutive decided slots from `first` on; `decided_upto` tells how far the sender is. learner
/// -> learner.
struct learned_values {
  slot first;
  std::vector<batch> values;
  slot decided_upto;
  MSGPACK_DEFINE(first, values, decided_upto)
};

/// A part of a snapshot, for a learner that is behind the sender's log. learner -> learner.
/// The receiver asks for the next part by `learn_snapshot`.
struct snapshot_chunk {
  slot upto;
  index last;
  configuration voters;
  std::uint64_t offset = 0;
  std::uint64_t total = 0;
  blob bytes;
  slot voters_since{};
  MSGPACK_DEFINE(upto, last, voters, offset, total, bytes, voters_since)
};

struct learn_snapshot {
  slot upto;
  std::uint64_t offset = 0;
  MSGPACK_DEFINE(upto, offset)
};

/// Local, proposer -> its own learner: what is being proposed, so that counting needs no second
/// copy.
struct proposed {
  ballot at;
  slot where;
  batch value;
  MSGPACK_DEFINE(at, where, value)
};

/// Local, acceptor -> its own learner: accepted here; with `observed` the learner can conclude
/// decisions.
struct accepted_here {
  ballot at;
  slot where;
  batch value;
  MSGPACK_DEFINE(at, where, value)
};

/// Local, acceptor -> its own learner and proposer: a live leader of ballot `at` was heard; it says
/// that all slots up to `decided_upto` are decided.
struct observed {
  ballot at;
  slot decided_upto;
  MSGPACK_DEFINE(at, decided_upto)
};

/// Local, learner -> its own proposer: all slots up to `upto` are decided, known here and applied,
/// and these are the voters from `upto` + 1 on.
struct advanced {
  slot upto;
  configuration voters;
  /// The last of these slots that was not counted here, but told by another voter. A leader that
  /// hears this of a slot of its own reign stands down: it may have proposed something else there
  /// (see README.md).
  slot told_upto;
  MSGPACK_DEFINE(upto, voters, told_upto)
};

/// Local, learner -> its own acceptor: a snapshot up to `upto` is durable; slots up to `upto` may
/// go (L4).
struct truncate {
  slot upto;
  MSGPACK_DEFINE(upto)
};

/// Local, proposer -> its own learner: phase 1 found that a majority accepted these in one earlier
/// ballot each, and all before them is decided, too.
struct already_decided {
  std::map<slot, batch> values;
  MSGPACK_DEFINE(values)
};

/// Append only: the position is the number on the wire.
using message =
  std::variant<prevote_request, prevote_reply, prepare, promise, rejected, accept, accepted,
               heartbeat, heartbeat_reply, learn, learned_values, snapshot_chunk, learn_snapshot,
               proposed, accepted_here, observed, advanced, truncate, already_decided>;

/// True for messages that only ever pass between roles of one voter. A local message from a peer is
/// counted and dropped.
[[nodiscard]] bool is_local(const message& what);

/// A message on its way to one role of one voter.
struct envelope {
  voter_id from;
  voter_id to;
  role to_role = role::acceptor;
  message what;
};

/// What a role wants sent: the same message to several voters is encoded once.
struct outgoing {
  std::vector<voter_id> to;
  role to_role = role::acceptor;
  message what;
};

} // namespace paxtor::paxos

MSGPACK_ADD_ENUM(paxtor::paxos::role)
MSGPACK_ADD_ENUM(paxtor::paxos::entry_kind)
