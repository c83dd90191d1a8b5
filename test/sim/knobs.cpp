#include "test/sim/knobs.hpp"

#include <algorithm>
#include <chrono>

#include "test/sim/true_time.hpp"

namespace paxtor::sim {

namespace {

using namespace std::chrono_literals;

/// One of 1, 2, 4 and 5 now and then; mostly 3.
unsigned draw_voters(generator& random) {
  auto x = random.below(100);
  if (x < 65)
    return 3;
  if (x < 85)
    return 5;
  return x < 90 ? 4 : x < 95 ? 2 : 1;
}

void draw_network(generator& random, knobs& k) {
  k.delay_min = draw(random, 20us, 500us);
  k.delay_max = k.delay_min + draw(random, 50us, 5ms);
  k.in_order = random.chance(40);
  k.through_bytes = random.chance(15);
  if (random.chance(60)) {
    k.slow_percent = static_cast<unsigned>(random.between(1, 5));
    k.delay_slow = draw(random, 10ms, k.ttl * 2);
  }
  if (random.chance(60))
    k.loss_percent =
      static_cast<unsigned>(random.chance(25) ? random.between(10, 30) : random.between(1, 5));
  if (!k.in_order && random.chance(60))
    k.repeat_percent = static_cast<unsigned>(random.between(1, 10));
}

void draw_faults(generator& random, knobs& k) {
  auto weight = [&random](unsigned off_percent) {
    return random.chance(off_percent) ? 0U : static_cast<unsigned>(random.between(1, 10));
  };
  k.fault_every = draw(random, k.ttl / 8, k.ttl * 2);
  k.cut_weight = weight(15);
  k.crash_weight = weight(25);
  k.pause_weight = weight(30);
  k.leave_weight = weight(60);
  k.slow_disk_weight = weight(50);
  k.full_disk_weight = k.durable ? weight(60) : 0;
  k.bad_disk_weight = k.durable ? weight(60) : 0;
  k.lost_disk_weight = k.durable ? weight(70) : 0;
  k.at_leader_percent = static_cast<unsigned>(random.below(80));
  k.guardian_percent = static_cast<unsigned>(random.chance(50) ? 0 : random.between(20, 100));
  k.forger_percent = static_cast<unsigned>(random.chance(50) ? 0 : random.between(10, 50));
}

void draw_changes(generator& random, knobs& k) {
  if (random.chance(45))
    return;
  k.change_every = draw(random, k.ttl, k.ttl * 6);
  k.at_change_percent = static_cast<unsigned>(random.chance(40) ? 0 : random.between(20, 100));
  k.standbys = static_cast<unsigned>(random.below(std::min(k.clients, 4U) + 1));
}

void draw_work(generator& random, knobs& k) {
  auto share = [&random](unsigned off_percent, std::uint64_t most) {
    return random.chance(off_percent) ? 0U : static_cast<unsigned>(random.between(1, most));
  };
  k.spawn_every = draw(random, 5ms, 120ms);
  k.actors_per_node = static_cast<unsigned>(random.between(1, 6));
  k.keys = static_cast<unsigned>(random.chance(60) ? random.between(1, 3) : random.between(4, 30));
  k.names = static_cast<unsigned>(random.between(1, 6));
  k.multi_percent = share(30, 50);
  k.nested_percent = share(30, 50);
  k.try_percent = share(40, 30);
  k.deadline_percent = share(30, 40);
  k.strict_percent = share(50, 40);
  k.put_percent = share(40, 25);
  k.ask_percent = share(40, 25);
  k.name_percent = share(30, 40);
  k.stuck_percent = share(50, 20);
  k.hold = draw(random, 1ms, k.ttl / 2);
}

} // namespace

knobs knobs::draw(generator random) {
  knobs k;
  k.voters = draw_voters(random);
  k.clients = static_cast<unsigned>(random.below(6));
  // Short leases make more of everything happen in a run; every fifth run has the default.
  k.ttl = random.chance(20) ? duration{3s} : sim::draw(random, 300ms, 1500ms);
  k.durable = random.chance(60);
  k.clock_skew_ppm = static_cast<unsigned>(random.chance(25) ? 0 : random.between(1, 4900));
  draw_network(random, k);
  k.write_min = random.chance(30) ? duration{1} : sim::draw(random, 20us, 300us);
  k.write_max =
    k.write_min + (random.chance(20) ? sim::draw(random, 1ms, 30ms) : sim::draw(random, 1us, 1ms));
  k.group_commit = random.chance(70);
  k.disk_any_order = random.chance(50);
  k.snapshot_entries = static_cast<unsigned>(random.chance(50) ? random.between(20, 200) : 100'000);
  k.slots_kept = static_cast<unsigned>(random.between(1, 64));
  draw_faults(random, k);
  draw_changes(random, k);
  draw_work(random, k);
  k.effect_bytes = static_cast<unsigned>(random.chance(40) ? random.between(100, 600) : 1 << 20);
  return k;
}

std::string knobs::text() const {
  std::string out;
  auto add = [&out](const char* name, auto value) {
    out += (out.empty() ? "" : " ") + std::string{name} + "=" + std::to_string(value);
  };
  auto add_us = [&add](const char* name, duration value) { add(name, value.count()); };
  add("voters", voters), add("clients", clients), add_us("ttl_us", ttl),
    add("durable", durable ? 1 : 0);
  add("clock_skew_ppm", clock_skew_ppm);
  add_us("delay_min_us", delay_min), add_us("delay_max_us", delay_max),
    add("slow_percent", slow_percent);
  add_us("delay_slow_us", delay_slow), add("loss_percent", loss_percent),
    add("repeat_percent", repeat_percent);
  add("in_order", in_order ? 1 : 0), add("through_bytes", through_bytes ? 1 : 0);
  add_us("write_min_us", write_min), add_us("write_max_us", write_max);
  add("group_commit", group_commit ? 1 : 0), add("disk_any_order", disk_any_order ? 1 : 0);
  add("snapshot_entries", snapshot_entries), add("slots_kept", slots_kept);
  add_us("fault_every_us", fault_every), add("cut_weight", cut_weight),
    add("crash_weight", crash_weight);
  add("pause_weight", pause_weight), add("leave_weight", leave_weight),
    add("slow_disk_weight", slow_disk_weight);
  add("full_disk_weight", full_disk_weight), add("bad_disk_weight", bad_disk_weight),
    add("lost_disk_weight", lost_disk_weight);
  add("at_leader_percent", at_leader_percent), add("guardian_percent", guardian_percent);
  add("forger_percent", forger_percent);
  add_us("change_every_us", change_every), add("standbys", standbys);
  add("at_change_percent", at_change_percent);
  add_us("spawn_every_us", spawn_every), add("actors_per_node", actors_per_node), add("keys", keys);
  add("names", names), add("multi_percent", multi_percent), add("nested_percent", nested_percent);
  add("try_percent", try_percent), add("deadline_percent", deadline_percent);
  add("strict_percent", strict_percent), add("put_percent", put_percent),
    add("ask_percent", ask_percent);
  add("name_percent", name_percent), add("stuck_percent", stuck_percent), add_us("hold_us", hold);
  add("effect_bytes", effect_bytes);
  return out;
}

} // namespace paxtor::sim
