#include "test/sim/hearsay.hpp"

namespace paxtor::sim {

void hearsay::start() {
  all_.events.after(draw_around(random_, all_.how.ttl / 8), [this] {
    auto& hears = *processes_[random_.below(processes_.size())];
    auto& tells = *processes_[random_.below(processes_.size())];
    if (hears.alive() && tells.alive() && !hears.paused() && !tells.paused()
        && !all_.net.is_cut(hears.number(), tells.number())
        && !all_.net.is_cut(tells.number(), hears.number()))
      hears.hear_voters(tells.known_voters());
    start();
  });
}

} // namespace paxtor::sim
