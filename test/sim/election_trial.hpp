#pragma once

#include <string>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "test/sim/links.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

/// L3 while one cut lasts, after the calm. Other cuts heal before it can be told whether an
/// election was needed, or missed; these two do not:
/// - between the leader and one other voter: all others hear the leader, so it must go on to lead;
/// - of all that is sent to the leader: it is still heard, but must be replaced.
class election_trial {
public:
  /// `since`: when the calm began.
  election_trial(scene& all, process_list& processes, links& reach, generator random, moment since);

  /// Cuts the leader from one other voter, and runs for a while. REQUIRES: all is calm.
  void one_link();

  /// Cuts the leader from all that is sent to it, and runs until another leads.
  void deaf_leader();

private:
  [[nodiscard]] process* leader() const;
  /// The other voters of its configuration that live; none if they are no majority.
  [[nodiscard]] std::vector<process*> others(process& leads) const;
  void run_for(duration time);
  void heal();
  void stuck(const std::string& what);

  scene& all_;
  process_list& processes_;
  links& links_;
  generator random_;
};

} // namespace paxtor::sim
