#include "test/sim/knobs.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <type_traits>

#include "libpaxtor/cluster/lease_options.hpp"
#include "test/sim/read_number.hpp"
#include "test/sim/true_time.hpp"

namespace paxtor::sim {

namespace {

using namespace std::chrono_literals;

constexpr unsigned most_salt = 1000;
constexpr duration max_ttl = 60s;
/// To each side of true time: (1 + x) / (1 - x) <= 1.01.
constexpr unsigned most_skew_ppm = 4975;

/// Mostly 3, often 5, now and then any other size: large clusters take long.
unsigned draw_voters(generator& random) {
  auto x = random.below(100);
  if (x < 64)
    return 3;
  if (x < 82)
    return 5;
  return x < 87 ? 1 : x < 91 ? 2 : x < 95 ? 4 : x < 97 ? 6 : 7;
}

unsigned draw_clients(generator& random) {
  return static_cast<unsigned>(random.chance(95) ? random.below(6) : random.between(6, 20));
}

delay_shape draw_shape(generator& random) {
  auto x = random.below(100);
  return x < 50   ? delay_shape::uniform
         : x < 65 ? delay_shape::constant
         : x < 85 ? delay_shape::long_tail
                  : delay_shape::distances;
}

void draw_network(generator& random, knobs& k) {
  k.shape = draw_shape(random);
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
  k.flap_weight = weight(60);
  k.blackout_weight = k.durable ? weight(75) / 2 : 0;
  k.slow_disk_weight = weight(50);
  k.full_disk_weight = k.durable ? weight(60) : 0;
  k.bad_disk_weight = k.durable ? weight(60) : 0;
  k.lost_disk_weight = k.durable ? weight(70) : 0;
  k.at_leader_percent = static_cast<unsigned>(random.below(80));
  k.guardian_percent = static_cast<unsigned>(random.chance(50) ? 0 : random.between(20, 100));
  k.forger_percent = static_cast<unsigned>(random.chance(50) ? 0 : random.between(10, 50));
}

void draw_changes(generator& random, knobs& k) {
  if (random.chance(30))
    k.drain_every = draw(random, k.ttl / 2, k.ttl * 4);
  if (random.chance(45))
    return;
  k.change_every = draw(random, k.ttl / 4, k.ttl * 2);
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
  k.ask_percent = share(25, 40);
  k.why_percent = share(30, 70);
  k.name_percent = share(30, 40);
  k.stuck_percent = share(50, 20);
  k.hold = draw(random, 1ms, k.ttl / 2);
}

constexpr const char* shape_names[] = {"uniform", "constant", "long_tail", "distances"};

std::string write_knob(unsigned value) {
  return std::to_string(value);
}

std::string write_knob(bool value) {
  return value ? "1" : "0";
}

std::string write_knob(duration value) {
  return std::to_string(value.count());
}

std::string write_knob(delay_shape value) {
  return shape_names[static_cast<std::size_t>(value)];
}

bool read_knob(std::string_view text, unsigned& out) {
  return read_number(text, out);
}

bool read_knob(std::string_view text, bool& out) {
  out = text == "1";
  return text == "1" || text == "0";
}

bool read_knob(std::string_view text, duration& out) {
  duration::rep number = 0;
  if (!read_number(text, number) || number < 0)
    return false;
  out = duration{number};
  return true;
}

bool read_knob(std::string_view text, delay_shape& out) {
  const auto* found = std::find(std::begin(shape_names), std::end(shape_names), text);
  out = static_cast<delay_shape>(found - std::begin(shape_names));
  return found != std::end(shape_names);
}

} // namespace

knobs knobs::draw(generator random) {
  knobs k;
  k.voters = draw_voters(random);
  k.clients = draw_clients(random);
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
  k.known_decided = static_cast<unsigned>(random.chance(50) ? random.between(1, 8) : 256);
  k.promise_bytes = static_cast<unsigned>(random.chance(50) ? random.between(1, 1000) : 1 << 16);
  return k;
}

std::string knobs::text() const {
  std::string out;
  each(*this, [&out](const char* name, const auto& value) {
    out += (out.empty() ? "" : " ") + std::string{name} + "=" + write_knob(value);
  });
  return out;
}

bool knobs::set(std::string_view name, std::string_view value) {
  auto done = false;
  each(*this, [&](const char* mine, auto& field) {
    if (name == mine)
      done = read_knob(value, field);
  });
  return done;
}

std::string knobs::problem() const {
  if (voters < 1 || voters > 7 || clients > 20)
    return "there are 1 to 7 voters and 0 to 20 clients";
  if (standbys > clients)
    return "standbys are clients";
  cluster::lease_options leases;
  leases.ttl = ttl;
  std::string why;
  if (ttl > max_ttl || !cluster::validate(leases, cluster::timing_for(ttl), why))
    return "ttl_us: " + (ttl > max_ttl ? "more than a minute" : why);
  if (clock_skew_ppm > most_skew_ppm)
    return "clock_skew_ppm: the rates of two clocks differ by 1 % at most";
  if (delay_min > delay_max || write_min > write_max)
    return "a range ends before it begins";
  if (fault_every <= duration{0} || spawn_every <= duration{0} || hold <= duration{0})
    return "fault_every_us, spawn_every_us and hold_us are above 0";
  if (keys == 0 || names == 0 || snapshot_entries == 0 || slots_kept == 0 || effect_bytes == 0)
    return "keys, names, snapshot_entries, slots_kept and effect_bytes are above 0";
  if (salt > most_salt)
    return "salt: more than a thousand";
  if (!durable && (full_disk_weight + bad_disk_weight + lost_disk_weight + blackout_weight) != 0)
    return "where no voter is durable there are no disks to fail, and no blackouts";
  std::string above;
  each(*this, [&above](const char* field, const auto& value) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, unsigned>)
      if (std::string_view{field}.ends_with("_percent") && value > 100)
        above = std::string{field} + ": more than 100";
  });
  return above;
}

} // namespace paxtor::sim
