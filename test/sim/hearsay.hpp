#pragma once

#include "libpaxtor/base/random.hpp"
#include "test/sim/links.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

/// Who votes, as nodes tell each other in the hellos of their links: each asks somebody that it
/// reaches, now and then. So a node whose links lead to former voters alone still finds the newest.
class hearsay {
public:
  hearsay(scene& all, process_list& processes, generator random)
      : all_(all), processes_(processes), random_(random) {}

  void start();

private:
  scene& all_;
  process_list& processes_;
  generator random_;
};

} // namespace paxtor::sim
