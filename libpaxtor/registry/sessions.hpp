#pragma once

/// \file
/// Sessions: who is in the cluster (S1-S5 happen at the leader and the nodes; here is what the log
/// says). An expired session with strict owners stays, closed, until their end is proven (F5).

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/registry/commands.hpp"
#include "libpaxtor/registry/effects.hpp"
#include "libpaxtor/registry/singleton.hpp"
#include "libpaxtor/registry/window.hpp"

namespace paxtor::registry {

class image_reader;
class image_writer;

/// The most sessions at once. Beyond, open_session is refused as invalid.
inline constexpr std::size_t max_sessions = 65536;

/// How many nodes with an ended session are remembered: so that a ghost of their open_session opens
/// nothing, and that `why` and `members` can say how they ended. A ghost that comes later still
/// opens a session that nobody renews: it expires after one ttl.
inline constexpr std::size_t max_ended_remembered = 1024;

struct session {
  session_id id;
  node_id node;
  std::uint64_t nth = 0;
  std::string name;
  std::string endpoint;
  std::vector<std::string> types; // sorted, distinct
  std::map<std::string, std::string> labels;
  std::uint64_t capacity = 0;
  /// F4: what a certificate of its process's end must match; empty: nothing does.
  std::string seal;
  /// False: expired, and kept for its strict owners alone.
  bool open = true;
  /// For placement: derived from `name`, which outlives the incarnation.
  std::uint64_t name_hash = 0;
  /// The last entry with effects for this session; at first the entry that opened it.
  index last_effect;
  window applied;
  tombstones<local_actor_id> ended_owners;
  tombstones<term> forgotten;
  std::set<name_it, by_name> hosted;
  /// An operator wants it empty of singletons: it gets no new ones. Open sessions only.
  bool drained = false;
  /// Singletons that move here, once they have ended where they are. They count for capacity.
  std::set<name_it, by_name> incoming;
  /// The names it resolved, with the seq of the latest resolve.
  std::map<name_it, seq, by_name> watching;

  [[nodiscard]] bool hosts_type(std::string_view type) const;
  /// What it hosts, and what it keeps room for.
  [[nodiscard]] std::size_t load() const { return hosted.size() + incoming.size(); }
};

/// The latest session of a node that has ended, and by which proof (F4).
struct ended_session {
  node_id node;
  std::uint64_t nth = 0;
  session_id session;
  std::string name;
  /// The entry that ended it: also the token of those who were granted by its end (S5).
  index at;
  end_reason reason = end_reason::left;
  std::string detail;
  /// So is the node's next session: draining is for as long as a process lives.
  bool drained = false;
};

/// All sessions. Addresses are stable until `erase`.
class sessions {
public:
  /// Opens one, or finds the one that the repeated command opened. On refusal returns null, with
  /// the status and detail in `reply`.
  session* open(index at, const open_session& what, answer& reply, bool& fresh);

  /// Not open from now on: the name and the node are free for a new session.
  void shut(session& who);

  /// It ended so, with the entry `at`. Once for the end of a session, and again when the end of the
  /// strict owners of one that had expired is proven.
  void note_end(const session& who, index at, end_reason reason, const std::string& detail);

  /// The session that was ended by the entry `at`; null: none that is remembered.
  [[nodiscard]] const ended_session* ended_by(index at) const;

  /// Oldest first.
  [[nodiscard]] const std::deque<ended_session>& ended() const { return ended_; }

  /// F4: all sessions of this node, open or kept for strict owners.
  [[nodiscard]] std::vector<session_id> of_node(node_id node) const;

  /// REQUIRES: it is open.
  void drain(session& who, bool on);

  /// Open sessions that are drained.
  [[nodiscard]] const std::set<session_id>& drained() const { return drained_; }

  /// REQUIRES: nothing refers to it.
  void erase(session_id id);

  [[nodiscard]] session* find(session_id id);
  [[nodiscard]] const session* find(session_id id) const;
  [[nodiscard]] session* find_open(session_id id);
  [[nodiscard]] const session* find_open(session_id id) const;
  /// The open session of the node with this name, or null.
  [[nodiscard]] session* find_named(const std::string& name);
  [[nodiscard]] const session* find_named(const std::string& name) const;

  [[nodiscard]] const std::map<session_id, session>& all() const { return all_; }
  [[nodiscard]] std::map<session_id, session>& all() { return all_; }

  /// The broken invariant, or null.
  [[nodiscard]] const char* audit() const;

  /// Some open session is drained, or the next session of a node that has ended will be.
  [[nodiscard]] bool has_drains() const;

  void save(image_writer& out) const;
  [[nodiscard]] bool load(image_reader& in);

private:
  std::map<session_id, session> all_;
  std::map<std::string, session_id> by_name_; // open ones
  std::map<node_id, session_id> by_node_;     // open ones
  std::set<session_id> drained_;              // open ones
  std::deque<ended_session> ended_;           // oldest first, at most max_ended_remembered
};

} // namespace paxtor::registry
