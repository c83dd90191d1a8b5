#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "test/sim/process.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

using process_list = std::vector<std::unique_ptr<process>>;

/// Tells each node which voters its links reach, as the net floor does: after a delay, and after a
/// cut that nobody resets perhaps never (then only silence tells).
class links {
public:
  links(scene& all, process_list& processes, generator random)
      : all_(all), processes_(processes), random_(random) {}

  /// Call after anything that changes who can reach whom.
  void refresh();

private:
  struct told_state {
    std::uint64_t node_life = 0;
    /// The voter's life that the node believes it is linked to; 0: none.
    std::uint64_t voter_life = 0;
    /// That voter. A life whose store was lost is another voter's.
    voter_id voter{};
  };

  [[nodiscard]] std::uint64_t reachable_life(const process& node, const process& voter) const;
  void tell(process& node, process& voter);

  scene& all_;
  process_list& processes_;
  generator random_;
  std::map<std::pair<process_number, process_number>, told_state> told_;
};

} // namespace paxtor::sim
