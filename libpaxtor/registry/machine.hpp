#pragma once

/// \file
/// The registry: the state machine that the log drives. Deterministic: the same entries give the
/// same state, answers and effects on every replica.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/term.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/registry/commands.hpp"
#include "libpaxtor/registry/effects.hpp"

namespace paxtor::registry {

/// Questions that change nothing. Answered as JSON text (what --json prints and programs get).
struct query_get {
  std::string bucket;
  term key;
  MSGPACK_DEFINE(bucket, key)
};
struct query_list {
  std::string bucket;
  std::string after; ///< a key's canonical text: only later ones
  std::uint64_t limit = 100;
  MSGPACK_DEFINE(bucket, after, limit)
};
/// R7: who holds the key, since which token, who waits, the wait cycle if any.
struct query_why {
  term key;
  MSGPACK_DEFINE(key)
};
/// Sessions: name, node, types, how many locks, waits and singletons.
struct query_members {
  std::uint64_t limit = 1000;
  MSGPACK_DEFINE(limit)
};
/// Where a name is, without starting it.
struct query_name {
  term name;
  MSGPACK_DEFINE(name)
};
/// Counts of all that the registry holds.
struct query_counts {
  std::uint64_t unused = 0;
  MSGPACK_DEFINE(unused)
};
using query =
  std::variant<query_get, query_list, query_why, query_members, query_name, query_counts>;

/// What only the leader knows of a session, for `why` and `members`: microseconds.
struct silence {
  duration silent{0};
  /// Until it may be expired, if it stays silent.
  duration release_due_in{0};
};

/// I11 at most one owner per key; an owner's session is open, or expired with a strict lock.
/// I12 a token granted now is larger than any granted before.
/// I13 nothing refers to an owner, a session or a key that has nothing: no residue (R6).
/// I14 each waiting request stands in the queue of each key that it waits for, in log order, and is
/// first in not all.
/// I15 the wait graph has no cycle (R3).
/// I55 what moves runs, and has room where it goes: names.hpp.
class machine {
public:
  machine();
  ~machine();
  machine(machine&&) noexcept;
  machine& operator=(machine&&) noexcept;

  /// Applies the command at position `at`. REQUIRES: `at` is larger than any before.
  /// A command that is malformed, repeated, late or from a session that is not open changes nothing
  /// (R1).
  void apply(index at, const command& what, outcome& out);

  /// A new reign starts here (S2, S3).
  void begin_reign(index at, ballot by, outcome& out);

  /// R4: what `session` should know and may have missed since `watermark`, from state. nullopt: it
  /// is not open.
  [[nodiscard]] std::optional<effects_for> sync(session_id session, index watermark) const;

  /// The watermark of a session that has missed nothing; not valid() if the session is not open.
  [[nodiscard]] index last_effect(session_id session) const;

  [[nodiscard]] bool is_open(session_id session) const;
  [[nodiscard]] std::vector<session_opened> open_sessions() const;
  [[nodiscard]] ballot reign() const;
  /// Acquires that wait for a lock.
  [[nodiscard]] std::uint64_t waiting() const;

  /// JSON text. `silent` gives what the leader knows of each session; may be empty.
  [[nodiscard]] std::string ask(const query& what,
                                const std::map<session_id, silence>& silent) const;

  /// The image: everything, versioned (L4). `restore` returns false, and changes nothing, if it
  /// cannot be read.
  [[nodiscard]] blob image() const;
  [[nodiscard]] bool restore(const blob& image);

  /// Full check of I11-I15 and I55, for tests and the simulator: O(state). The cheap parts are
  /// checked after every command.
  void check_all() const;

  /// For checkers: the owner of a key, if any.
  struct holder {
    owner_id owner;
    token grant;
    ownership kind = ownership::bounded;
  };
  [[nodiscard]] std::optional<holder> holder_of(const term& key) const;
  /// True if nothing is held, waited for, hosted or open (R6). KV entries without an owner do not
  /// count.
  [[nodiscard]] bool nothing_left() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace paxtor::registry
