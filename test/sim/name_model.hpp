#pragma once

#include <map>
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

/// What a name or an entry that is not there is said to be.
inline constexpr const char* nothing_there = "nothing";

/// Where the log says that singletons are: each name is started only after its end before is an
/// entry, on a node that can host it (R5), and nobody is sent to another place. Naive, and written
/// apart from the registry.
class name_model {
public:
  /// `host`: what the session said of its node when it opened.
  [[nodiscard]] verdict started_by_order(index at, session_id to,
                                         const registry::open_session& host,
                                         const registry::start_singleton& what);

  /// Its node says that it runs.
  void runs(session_id host, const term& name, token grant, local_actor_id actor);
  /// Its node says that it ended, or could not be started.
  void ended(session_id host, const term& name, token grant);
  void end_session(session_id who);

  /// Somebody is told where it lives.
  [[nodiscard]] verdict located(const registry::location& where) const;

  /// One line, equal to that of the answer to query_name.
  [[nodiscard]] std::string text(const std::string& name) const;

  /// The names that changed since this was last asked.
  [[nodiscard]] std::set<std::string> take_touched() { return std::exchange(touched_, {}); }

private:
  struct life {
    session_id host;
    token grant;
    local_actor_id actor; ///< not valid() while it starts
  };

  std::map<std::string, life> all_;
  std::set<std::string> touched_;
};

/// The same line, of the answer to a query_name.
[[nodiscard]] std::string text_of_name(const std::string& json);

/// Entries as the log says: the first put of a key stays until its owner ends, if it has one.
class entry_model {
public:
  [[nodiscard]] verdict put(owner_id from, const registry::put& what, const std::string& answered);
  void end_owner(owner_id who);
  void end_session(session_id who);

  /// The value under `bucket/key`, or "nothing".
  [[nodiscard]] std::string text(const std::string& place) const;
  [[nodiscard]] std::size_t size() const { return all_.size(); }

  /// The places that changed since this was last asked.
  [[nodiscard]] std::set<std::string> take_touched() { return std::exchange(touched_, {}); }

private:
  struct entry {
    std::string value;
    bool owned = false;
    owner_id owner;
  };

  template <class Ends>
  void erase(Ends&& ends);

  std::map<std::string, entry> all_;
  std::set<std::string> touched_;
};

/// The same, of the answer to a query_get.
[[nodiscard]] std::string text_of_get(const std::string& json);

} // namespace paxtor::sim
