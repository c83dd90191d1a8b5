#pragma once

/// \file
/// What the registry tells the nodes. Answers go to the command that asked; effects go to a session
/// and are derived from state, so that they can be sent again (R4).

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <msgpack.hpp>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/term.hpp"
#include "libpaxtor/registry/commands.hpp"

namespace paxtor::registry {

enum class status : std::uint8_t {
  ok,            ///< done; the fields that the command answers are set
  granted,       ///< acquire, withdraw: `grant` is the token
  queued,        ///< acquire: `position` (1: next)
  withdrawn,     ///< withdraw: the wait ended; acquire (repeated): it was withdrawn
  busy,          ///< acquire with try_once: somebody else holds or waits
  deadlock,      ///< acquire: waiting would close a cycle; `detail` is the cycle as JSON
  located,       ///< resolve: `where` is set
  starting,      ///< resolve: a node was told to start it; `name_located` or `name_gone` follows
  no_host,       ///< resolve: no open session hosts the type (with these labels, with room)
  type_mismatch, ///< resolve: it runs with another type; `detail` names both
  name_taken,    ///< open_session: another node is open under this name; `detail` says where
  no_session,    ///< the session is not open: nothing was done
  not_owner,     ///< put with an owner that ended, started/exited of something not theirs
  invalid,       ///< out of bounds or malformed; `detail` says what
  ended,         ///< resolve (repeated): it ended since, and no news will come: resolve anew
  no_node,       ///< drain: no node of this name is in the cluster; `detail` says what to do
};

/// Where a singleton lives.
struct location {
  term name;
  token grant;
  session_id session;
  node_id node;
  std::string node_name;
  std::string endpoint;
  local_actor_id actor;
  std::string type;
  bool operator==(const location&) const = default;
  MSGPACK_DEFINE(name, grant, session, node, node_name, endpoint, actor, type)
};

/// To `session` (or, for open_session, to `node`), for its command `number`. For open_session the
/// number is its `nth`; for close_session it is not valid().
struct answer {
  seq number;
  status code = status::ok;
  token grant;
  std::uint64_t position = 0;
  session_id opened; ///< open_session
  std::string value; ///< put: the value chosen first; drain: what is left. Canonical JSON
  std::string detail;
  std::vector<location> where; ///< zero or one
  MSGPACK_DEFINE(number, code, grant, position, opened, value, detail, where)
};

/// A wait ended: `actor` owns `keys` from now on. Sent to sessions whose acquire was answered
/// `queued`. A sync has also those that were granted at once. `keys` are all of the acquire.
struct lock_granted {
  local_actor_id actor;
  seq of; ///< the acquire
  token grant;
  std::vector<term> keys;
  MSGPACK_DEFINE(actor, of, grant, keys)
};

/// Start this singleton now and answer with `started` or `start_failed` under the same token.
struct start_singleton {
  term name;
  token grant;
  singleton_spec spec;
  MSGPACK_DEFINE(name, grant, spec)
};

/// A name that this session resolved now lives at `where`. While it is started (again) elsewhere
/// nothing is said: this, or name_gone, follows. A sync names only those that run, so for one that
/// is starting a session resolves again, which is answered from state.
struct name_located {
  location where;
  MSGPACK_DEFINE(where)
};

/// A name that this session resolved does not run any more (or failed to start: `failed`).
struct name_gone {
  term name;
  token grant;
  bool failed = false;
  std::string reason;
  MSGPACK_DEFINE(name, grant, failed, reason)
};

/// Its node is drained, and another has room set aside for it: let every sender let go of it, have
/// it end behind its last message, and say singleton_exited. Only then it is started elsewhere.
struct hand_over {
  term name;
  token grant;
  MSGPACK_DEFINE(name, grant)
};

/// Append only.
using effect = std::variant<lock_granted, start_singleton, name_located, name_gone, hand_over>;

/// All effects of one command (or of a sync) for one session. The session takes them only if it has
/// seen everything up to `previous`; otherwise it asks for a sync. So nothing is lost when a
/// message is, and nothing is kept to re-send: a sync is computed from state.
struct effects_for {
  session_id session;
  node_id node;
  index at;
  /// `at` of the effects before these; for the first, the entry that opened the session.
  index previous;
  /// A sync: `effects` hold every grant and start order above `previous`, and *all* names that the
  /// session resolved: a name that is not among them is gone.
  bool complete = false;
  std::vector<effect> effects;
  /// A sync that is too large for one message comes as `parts`, in this order. Those of one sync
  /// have the same `as_of` (the entry up to which the state was applied) and `previous`; only
  /// together they say what one `complete` message says.
  std::uint64_t part = 0;
  std::uint64_t parts = 1;
  index as_of;
  MSGPACK_DEFINE(session, node, at, previous, complete, effects, part, parts, as_of)
};

/// An answer on its way.
struct answer_to {
  session_id session; ///< not valid() for open_session
  node_id node;
  answer what;
};

/// What the leader's lease keeper must know.
struct session_opened {
  session_id session;
  node_id node;
  std::string name;
};
/// Also the news of what its end freed, and by which proof (F4). Told again when a session that had
/// expired with strict owners is ended for good.
struct session_closed {
  session_id session;
  node_id node;
  end_reason reason = end_reason::left;
  std::string name;
  std::string detail;
  std::uint64_t locks_freed = 0;
  std::uint64_t waits_granted = 0;    ///< to other owners, by the same entry (S5)
  std::uint64_t singletons_moved = 0; ///< placed again, or forgotten where nobody can host them
  std::uint64_t entries_erased = 0;
};
/// A certify_end was applied; `problem` is empty if nothing of what it names is left.
struct end_certified {
  certify_end what;
  std::uint64_t closed = 0; ///< sessions
  std::string problem;
};
struct reign_began {
  ballot at;
};
using session_event = std::variant<session_opened, session_closed, reign_began, end_certified>;

/// Everything that some commands caused, in order. Callers pass the same object for many commands.
struct outcome {
  std::vector<answer_to> answers;
  std::vector<effects_for> effects;
  std::vector<session_event> events;
  /// True if a command was ignored or repeated: for counters only.
  std::uint64_t ignored = 0;
};

} // namespace paxtor::registry

MSGPACK_ADD_ENUM(paxtor::registry::status)
