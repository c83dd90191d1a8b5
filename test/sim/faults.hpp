#pragma once

#include <cstdint>

#include "libpaxtor/base/random.hpp"
#include "test/sim/guardian.hpp"
#include "test/sim/links.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

/// Breaks things at random moments, and mends each after a while. All from the seed.
class faults {
public:
  faults(scene& all, process_list& processes, links& reach, guardian& proofs, generator random)
      : all_(all), processes_(processes), links_(reach), guardian_(proofs), random_(random) {}

  void start();

  /// Mends everything, and breaks nothing from now on.
  void stop();

  /// A leader knows of new voters and has not told them yet: the worst moment for a split (L6).
  void voters_changed();

  /// A life of this process ended, however that came.
  void process_ended(process& which);

private:
  enum class cut_shape : std::uint8_t { isolate, one_link, one_way, deaf, mute, split };

  void next();
  void break_something();
  [[nodiscard]] process& victim();
  void cut();
  void cut_shaped(cut_shape shape, duration time);
  void cut_for(process_number from, process_number to, duration time);
  void crash();
  void pause();
  void leave();
  void slow_disk();
  void full_disk();
  void bad_disk();
  void break_disk(disk_health how);
  void lost_disk();
  void start_later(process& which);

  scene& all_;
  process_list& processes_;
  links& links_;
  guardian& guardian_;
  generator random_;
  bool stopped_ = false;
};

} // namespace paxtor::sim
