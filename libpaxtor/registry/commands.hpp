#pragma once

/// \file
/// What the log drives the registry with: one command, one struct; one variant for all. Commands
/// are validated where they enter (`validate`), and again deterministically where they are applied:
/// a peer's bytes are never trusted.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <msgpack.hpp>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/term.hpp"

namespace paxtor::registry {

/// Bounds of what one command may carry. Beyond them a command is refused as `errc::too_large`.
inline constexpr std::size_t max_keys_per_acquire = 64;
inline constexpr std::size_t max_types_per_node = 1024;
inline constexpr std::size_t max_value_bytes = std::size_t{64} << 10;
inline constexpr std::size_t max_text_bytes = 1024;
inline constexpr std::size_t max_labels = 64;
/// The secret of a certificate, in bytes. Its SHA-256 is the session's seal.
inline constexpr std::size_t min_secret_bytes = 16;
inline constexpr std::size_t max_secret_bytes = 64;
/// No node counts this far: a larger seq is a fault of its sender.
inline constexpr std::uint64_t max_seq = std::uint64_t{1} << 62;
/// Commands of one session that may be undone at once: the window of R1.
inline constexpr std::size_t max_window = 4096;

/// R1: which command of which session. `done_below`: the session has the answers of all seqs below
/// it.
struct origin {
  session_id session;
  seq number;
  seq done_below;
  bool operator==(const origin&) const = default;
  MSGPACK_DEFINE(session, number, done_below)
};

/// Why something ended, for deletion events and `why` (F4: proofs of an end).
enum class end_reason : std::uint8_t {
  exited,         ///< the owner's node reported its exit
  left,           ///< the node left in good order, or closed a session that it had fenced
  expired,        ///< the node was silent for longer than its lease: not a proof
  process_died,   ///< a death certificate
  store_reopened, ///< a new process holds the same data directory
  forced,         ///< an operator's release --force
};

enum class acquire_mode : std::uint8_t { wait, try_once };

/// F5: bounded owners are stopped and replaced on silence, strict ones only on proof.
enum class ownership : std::uint8_t { bounded, strict };

enum class placement : std::uint8_t { rendezvous, fewest };

/// What happens to a singleton that ended on its own. `never`: forgotten, the next message starts
/// it anew.
enum class restart_policy : std::uint8_t { never, on_failure, always };

/// How to make a singleton. `args` is opaque here.
struct singleton_spec {
  std::string type;
  blob args;
  std::map<std::string, std::string> labels; ///< wanted of the host
  placement where = placement::rendezvous;
  restart_policy restart = restart_policy::never;
  bool operator==(const singleton_spec&) const = default;
  MSGPACK_DEFINE(type, args, labels, where, restart)
};

/// A node joins. Idempotent by (node, nth): repeated, it answers the same session.
/// Refused with `name_taken` while another node has an open session under the same name.
struct open_session {
  node_id node;
  std::uint64_t nth = 1; ///< the node's count of sessions, from 1
  std::string name;
  std::string endpoint; ///< where other nodes reach it, or empty; opaque here
  std::vector<std::string> types;
  std::map<std::string, std::string> labels;
  std::uint64_t capacity = 0; ///< the most singletons it hosts; 0: no bound
  /// F4: the SHA-256 of the secret that a certificate of this process's end must show; empty:
  /// nobody can certify it. The log carries the seal alone, so who reads it can forge nothing.
  std::string seal;
  MSGPACK_DEFINE(node, nth, name, endpoint, types, labels, capacity, seal)
};

/// All owners of `session` have ended, and its own node says so: frees bounded and strict ones.
struct close_session {
  session_id session;
  end_reason proof = end_reason::left; ///< left, or exited
  std::string detail;                  ///< for `members` and the log
  MSGPACK_DEFINE(session, proof, detail)
};

/// F4: somebody other than the node itself proves that owners have ended, bounded and strict ones.
/// `process_died` and `store_reopened` end every session of `node` whose seal is the SHA-256 of
/// `secret`: a node id lives as long as one process does. `forced`, an operator's word, ends
/// `session`, and only if silence has ended it before: it is still there for its strict owners.
struct certify_end {
  node_id node;
  session_id session; ///< forced only
  end_reason proof = end_reason::process_died;
  std::string secret;
  std::string detail; ///< an exit status or signal, an operator's name
  MSGPACK_DEFINE(node, session, proof, secret, detail)
};

/// S3: does nothing unless `at` is the reign in force where it stands in the log.
struct expire_session {
  session_id session;
  ballot at;
  MSGPACK_DEFINE(session, at)
};

/// One key or several atomically; FIFO; reentrant per owner. Keys are sorted and distinct.
struct acquire {
  origin from;
  local_actor_id actor;
  std::vector<term> keys;
  acquire_mode mode = acquire_mode::wait;
  ownership kind = ownership::bounded;
  MSGPACK_DEFINE(from, actor, keys, mode, kind)
};

/// A deadline or a cancel of the acquire numbered `of`. Answers withdrawn, or granted if the grant
/// came first.
struct withdraw {
  origin from;
  local_actor_id actor;
  seq of;
  MSGPACK_DEFINE(from, actor, of)
};

/// Frees everything of that owner: held keys, places in queues, owned KV entries. `owner_session`
/// may be an older, expired session of the same node (its strict owners end at last).
struct owner_exited {
  origin from;
  session_id owner_session;
  local_actor_id actor;
  std::string reason;
  MSGPACK_DEFINE(from, owner_session, actor, reason)
};

/// Where is the singleton? Places it if there is none. The session is told of every later change
/// until it says `forget`.
struct resolve {
  origin from;
  term name;
  singleton_spec spec;
  MSGPACK_DEFINE(from, name, spec)
};

/// The session does not use the name any more: no more news of it.
struct forget {
  origin from;
  term name;
  MSGPACK_DEFINE(from, name)
};

struct started {
  origin from;
  term name;
  token grant;
  local_actor_id actor;
  MSGPACK_DEFINE(from, name, grant, actor)
};

struct start_failed {
  origin from;
  term name;
  token grant;
  std::string error;
  MSGPACK_DEFINE(from, name, grant, error)
};

/// Its end is a log entry before any new start.
struct singleton_exited {
  origin from;
  term name;
  token grant;
  bool failed = false;
  std::string reason;
  MSGPACK_DEFINE(from, name, grant, failed, reason)
};

/// Put-once: answers the value chosen first. With an owner, erased at its end.
struct put {
  origin from;
  std::string bucket;
  term key;
  std::string value;                  ///< canonical JSON
  std::optional<std::uint64_t> owner; ///< a local_actor_id of the session
  MSGPACK_DEFINE(from, bucket, key, value, owner)
};

/// An operator wants the node named `node` empty of singletons, or, with `on` false, takes that
/// back. It gets no new ones, and those that run there begin to move, but for those that no other
/// node can host: these stay, and are told. Said again it tries again with them. Answered with a
/// document of what is left (README).
struct drain {
  origin from;
  std::string node;
  bool on = true;
  MSGPACK_DEFINE(from, node, on)
};

/// Append only: the position is the number in the log.
using command =
  std::variant<open_session, close_session, expire_session, acquire, withdraw, owner_exited,
               resolve, forget, started, start_failed, singleton_exited, put, certify_end, drain>;

/// True if `what` is within all bounds and well formed. Else sets `why` (one line).
[[nodiscard]] bool validate(const command& what, std::string& why);

/// The session a command comes from; none for those that open or end a session.
[[nodiscard]] std::optional<origin> origin_of(const command& what);

} // namespace paxtor::registry

MSGPACK_ADD_ENUM(paxtor::registry::end_reason)
MSGPACK_ADD_ENUM(paxtor::registry::acquire_mode)
MSGPACK_ADD_ENUM(paxtor::registry::ownership)
MSGPACK_ADD_ENUM(paxtor::registry::placement)
MSGPACK_ADD_ENUM(paxtor::registry::restart_policy)
