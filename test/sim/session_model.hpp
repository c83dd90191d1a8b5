#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/registry/commands.hpp"
#include "libpaxtor/registry/effects.hpp"
#include "test/sim/finding.hpp"

namespace paxtor::sim {

/// Sessions as the log says: which are open, what may end one (S3, F4), which commands count and
/// which are repeated, late or from a session that is over (R1), and that no effect is passed over
/// (R4). Naive, and written apart from the registry.
class session_model {
public:
  struct session {
    node_id node;
    std::string name;
    std::string seal;
    registry::open_session what;
    bool open = true;
    std::set<seq> applied;
    seq done_below;
    std::set<local_actor_id> ended_owners;
    index last_effect;
  };

  void began_reign(ballot at) { reign_ = std::max(reign_, at); }

  /// True if a command with this origin takes effect: its session is open, and it is new there.
  /// Notes it as applied.
  [[nodiscard]] bool counts(const registry::origin& from);

  /// A withdraw was decided before its acquire, which takes no effect any more.
  void void_acquire(session_id who, seq of);

  [[nodiscard]] verdict opened(index at, const registry::command& by,
                               const registry::session_opened& what);
  /// What ended it: a command that may.
  [[nodiscard]] verdict closed(const registry::command& by, const registry::session_closed& what);
  /// After the events of a command: should it have ended a session?
  [[nodiscard]] verdict should_have_closed(const registry::command& by, bool any) const;

  /// Effects go to open sessions, each knows of the one before.
  [[nodiscard]] verdict told(const registry::effects_for& what);

  [[nodiscard]] bool is_open(session_id who) const;
  [[nodiscard]] session* find(session_id who);
  [[nodiscard]] std::uint64_t open_count() const;

private:
  std::map<session_id, session> all_;
  /// The last session that each node has opened.
  std::map<node_id, std::uint64_t> nth_;
  ballot reign_;
};

} // namespace paxtor::sim
