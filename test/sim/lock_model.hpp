#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/term.hpp"
#include "libpaxtor/registry/commands.hpp"
#include "libpaxtor/registry/effects.hpp"
#include "test/sim/finding.hpp"

namespace paxtor::sim {

/// Who holds and who waits for what, as the log says: naive, and written apart from the registry.
/// It judges what the registry answers: one owner per key, first come first served among those that
/// wait (R2), all keys of a request at once, a deadlock refused if and only if there is a cycle
/// (R3), nobody left waiting for what is free.
class lock_model {
public:
  /// The registry answered an acquire of an open session, decided for the first time.
  [[nodiscard]] verdict acquired(index at, owner_id who, const registry::acquire& what,
                                 const registry::answer& reply);

  /// The registry ended a wait with a grant.
  [[nodiscard]] verdict granted(index at, owner_id who, const registry::lock_granted& what);

  [[nodiscard]] verdict withdrawn(owner_id who, seq of, registry::status code);

  void end_owner(owner_id who);
  /// All owners of the session end; with `keep_strict` what is held strictly stays.
  void end_session(session_id who, bool keep_strict);

  /// After each command: does anybody wait for what it could have?
  [[nodiscard]] verdict settled() const;

  /// Does this owner hold all of `keys`, under this token or earlier ones?
  [[nodiscard]] bool holds(owner_id who, const std::vector<term>& keys, token grant) const;
  [[nodiscard]] bool holds_any(session_id who) const;

  /// One line: who holds the key and who waits, in order. Equal to that of the answer to `why`.
  [[nodiscard]] std::string text(const std::string& key) const;

  /// Keys that are held, owners that hold or wait, requests that wait.
  struct sizes {
    std::uint64_t held = 0;
    std::uint64_t owners = 0;
    std::uint64_t waiting = 0;
    bool operator==(const sizes&) const = default;
  };
  [[nodiscard]] sizes count() const;

  /// The keys that changed since this was last asked.
  [[nodiscard]] std::set<std::string> take_touched() { return std::exchange(touched_, {}); }

private:
  struct holding {
    owner_id who;
    token grant;
    bool strict = false;
  };
  struct key_state {
    std::optional<holding> held;
    /// One place per owner, in the order of the log.
    std::vector<owner_id> queue;
  };
  struct request {
    owner_id who;
    seq of;
    std::vector<std::string> keys;
    bool strict = false;
  };

  [[nodiscard]] bool mine(const std::string& key, owner_id who) const;
  /// Free, and nobody else comes first.
  [[nodiscard]] bool may_take(const std::string& key, owner_id who) const;
  [[nodiscard]] bool can_have(const std::vector<std::string>& keys, owner_id who) const;
  /// For whom `who` waits at the key: its holder and all that stand before it.
  void add_waited_for(const std::string& key, owner_id who, std::vector<owner_id>& out) const;
  [[nodiscard]] bool closes_cycle(const std::vector<std::string>& keys, owner_id who) const;
  void take(const std::string& key, owner_id who, token grant, bool strict);
  void leave(owner_id who, const std::vector<std::string>& keys);
  void forget_if_free(const std::string& key);

  std::map<std::string, key_state> keys_;
  std::vector<request> waits_;
  std::set<std::string> touched_;
};

/// The same line, of the answer to a query_why.
[[nodiscard]] std::string text_of_why(const std::string& json);

} // namespace paxtor::sim
