#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "test/sim/finding.hpp"
#include "test/sim/true_time.hpp"

namespace paxtor::sim {

/// An actor that owns something: which life of which process, and which actor there.
struct claimant {
  unsigned process = 0;
  std::uint64_t life = 0;
  local_actor_id actor;

  auto operator<=>(const claimant&) const = default;
};

[[nodiscard]] std::string to_string(const claimant& who);

/// One holder at a time, in true time, and tokens that grow per resource (promise 1 and 2). A
/// resource is a lock key or a singleton's name. An owner owns from the delivery of its grant to
/// its end. An owner whose process is frozen (paused, or thawed so short a while ago that nothing
/// could run before it) is allowed to overlap with a later one, which must then have a higher
/// token, and must not live on beyond that while.
class exclusion_checker {
public:
  /// `grace`: how long after a thaw the process counts as frozen.
  explicit exclusion_checker(duration grace) : grace_(grace) {}

  [[nodiscard]] verdict granted(moment now, const std::string& resource, const claimant& who,
                                token grant);

  [[nodiscard]] verdict ended(moment now, const std::string& resource, const claimant& who);

  void paused(unsigned process);

  void thawed(moment now, unsigned process);

  /// Does a superseded owner live on although its process is not frozen any more? Call after the
  /// grace of a thaw.
  [[nodiscard]] verdict look(moment now) const;

  [[nodiscard]] std::uint64_t grants() const { return grants_; }
  [[nodiscard]] std::uint64_t overlaps_exempted() const { return exempted_; }

private:
  struct ownership {
    claimant who;
    token grant;
    moment since;
    bool superseded = false;
  };

  struct resource_state {
    std::vector<ownership> live;
    token last;
    claimant last_owner;
  };

  [[nodiscard]] bool frozen(unsigned process, moment now) const;

  duration grace_;
  std::map<std::string, resource_state> resources_;
  /// Frozen until; moment::max() while paused.
  std::map<unsigned, moment> frozen_until_;
  std::uint64_t grants_ = 0;
  std::uint64_t exempted_ = 0;
};

} // namespace paxtor::sim
