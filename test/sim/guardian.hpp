#pragma once

#include <set>

#include "libpaxtor/base/random.hpp"
#include "test/sim/links.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

/// Brings proofs of an end (F4): certifies the sessions of processes that have ended, soon after
/// for some of them, for all of them once the faults have ended: strict owners are freed by nothing
/// else (F5).
class guardian {
public:
  guardian(scene& all, process_list& processes, generator random)
      : all_(all), processes_(processes), random_(random) {}

  /// A life of `host` ended.
  void process_ended(const process& host);

  /// From now on every dead session is certified, again and again.
  void certify_all();

private:
  void certify(process_number host, const std::set<session_id>& sessions);
  void certify_later(process_number host, std::set<session_id> sessions, unsigned times);

  scene& all_;
  process_list& processes_;
  generator random_;
};

} // namespace paxtor::sim
