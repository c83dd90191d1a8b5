#pragma once

#include <cstdint>

namespace paxtor::sim {

/// What happened in a run, or in many.
struct stats {
  std::uint64_t runs = 0;
  std::uint64_t steps = 0;
  std::uint64_t simulated_us = 0;
  std::uint64_t messages = 0;
  std::uint64_t messages_lost = 0;
  std::uint64_t cuts = 0;
  std::uint64_t crashes = 0;
  std::uint64_t watchdog_deaths = 0;
  std::uint64_t pauses = 0;
  std::uint64_t leaves = 0;
  std::uint64_t flaps = 0;
  std::uint64_t blackouts = 0;
  std::uint64_t forgeries = 0;
  std::uint64_t disk_errors = 0;
  std::uint64_t disks_lost = 0;
  std::uint64_t changes = 0;
  std::uint64_t drains = 0;
  std::uint64_t fences = 0;
  std::uint64_t grants = 0;
  std::uint64_t overlaps_exempted = 0;
  std::uint64_t requests = 0;
  std::uint64_t slots_chosen = 0;
  std::uint64_t images_compared = 0;
  std::uint64_t durability_checked = 0;
  std::uint64_t puts_checked = 0;
  std::uint64_t entries_judged = 0;
  std::uint64_t answers_checked = 0;
  std::uint64_t deadlocks = 0;
  std::uint64_t messages_to_names = 0;
  std::uint64_t refused_by_names = 0;

  /// Calls `f(name, number)` for each.
  template <class Self, class F>
  static void each(Self& self, F&& f) {
    f("runs", self.runs);
    f("steps", self.steps);
    f("simulated_us", self.simulated_us);
    f("messages", self.messages);
    f("messages_lost", self.messages_lost);
    f("cuts", self.cuts);
    f("crashes", self.crashes);
    f("watchdog_deaths", self.watchdog_deaths);
    f("pauses", self.pauses);
    f("leaves", self.leaves);
    f("flaps", self.flaps);
    f("blackouts", self.blackouts);
    f("forgeries", self.forgeries);
    f("disk_errors", self.disk_errors);
    f("disks_lost", self.disks_lost);
    f("changes", self.changes);
    f("drains", self.drains);
    f("fences", self.fences);
    f("grants", self.grants);
    f("overlaps_exempted", self.overlaps_exempted);
    f("requests", self.requests);
    f("slots_chosen", self.slots_chosen);
    f("images_compared", self.images_compared);
    f("durability_checked", self.durability_checked);
    f("puts_checked", self.puts_checked);
    f("entries_judged", self.entries_judged);
    f("answers_checked", self.answers_checked);
    f("deadlocks", self.deadlocks);
    f("messages_to_names", self.messages_to_names);
    f("refused_by_names", self.refused_by_names);
  }
};

} // namespace paxtor::sim
