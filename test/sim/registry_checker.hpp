#pragma once

#include <cstdint>
#include <string>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/cluster/agent.hpp"
#include "libpaxtor/registry/machine.hpp"
#include "test/sim/finding.hpp"
#include "test/sim/lock_model.hpp"
#include "test/sim/name_model.hpp"
#include "test/sim/session_model.hpp"
#include "test/sim/versions.hpp"

namespace paxtor::sim {

/// Judges what a registry makes of each entry of the log (R1-R7, S3, S5, F4, F5), against models
/// that know nothing of its code. It keeps what each key, name and entry was like after which entry
/// (versions), for questions that nodes ask.
class registry_checker {
public:
  /// `by` applied `what` at `at`, with this outcome. REQUIRES: every entry, in order.
  [[nodiscard]] verdict applied(index at, const registry::command& what,
                                const registry::outcome& out);
  void began_reign(ballot by) { sessions_.began_reign(by); }

  /// R6, R7: do the registry's own answers agree with the models?
  [[nodiscard]] verdict looks(const registry::machine& state) const;
  [[nodiscard]] verdict looks_at(const registry::machine& state, const std::string& key) const;

  /// A node tells an actor that it owns `what.keys` now: is it so, and is the session open?
  [[nodiscard]] verdict delivered(session_id session, const cluster::granted& what) const;

  [[nodiscard]] versions& reads() { return reads_; }
  [[nodiscard]] const versions& reads() const { return reads_; }
  [[nodiscard]] const session_model& sessions() const { return sessions_; }
  [[nodiscard]] std::uint64_t applied_count() const { return applied_; }
  [[nodiscard]] std::uint64_t deadlocks() const { return deadlocks_; }
  /// A key that the last command changed; empty if there is none.
  [[nodiscard]] const std::string& last_key() const { return last_key_; }

private:
  [[nodiscard]] verdict events(const registry::command& what, index at,
                               const registry::outcome& out);
  [[nodiscard]] verdict carried_out(index at, const registry::command& what,
                                    const registry::answer& reply);
  [[nodiscard]] verdict effects(index at, const registry::outcome& out);
  [[nodiscard]] verdict effect_of(index at, const registry::effects_for& to,
                                  const registry::effect& what);
  void end_owner(const registry::owner_exited& what);
  void keep_versions(index at);

  session_model sessions_;
  lock_model locks_;
  name_model names_;
  entry_model entries_;
  versions reads_;
  std::uint64_t applied_ = 0;
  std::uint64_t deadlocks_ = 0;
  std::string last_key_;
};

} // namespace paxtor::sim
