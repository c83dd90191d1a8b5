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
      : all_(all),
        processes_(processes),
        links_(reach),
        guardian_(proofs),
        timing_(random),
        random_(timing_.fork()),
        restarts_(timing_.fork()),
        at_changes_(timing_.fork()) {}

  void start();

  /// Mends everything, and breaks nothing from now on.
  void stop();

  /// A leader knows of new voters and has not told them yet: the worst moment for a split (L6).
  void voters_changed();

  /// A life of this process ended, however that came.
  void process_ended(process& which);

private:
  enum class cut_shape : std::uint8_t { isolate, one_link, one_way, deaf, mute, split };
  /// What is done to one leader after the other.
  enum class blow : std::uint8_t { cut, kill, pause };

  void next();
  void break_something();
  /// Who leads; null if nobody does.
  [[nodiscard]] process* leader();
  [[nodiscard]] process& victim();
  void cut();
  void cut_shaped(cut_shape shape, const process& at, duration time);
  void cut_for(process_number from, process_number to, duration time);
  void crash();
  void kill(process& which);
  void blackout();
  void flap();
  void hit_again(generator own, blow how, unsigned times);
  void hit(process& leads, blow how);
  void pause();
  void pause_for(process& which, duration time);
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
  generator timing_;
  /// Of the fault at hand: each has its own, so that one that is left out does not shift others.
  generator random_;
  generator restarts_;
  generator at_changes_;
  bool stopped_ = false;
};

} // namespace paxtor::sim
