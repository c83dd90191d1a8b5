#include "test/sim/faults.hpp"

#include <chrono>
#include <utility>

namespace paxtor::sim {

using namespace std::chrono_literals;

void faults::start() {
  next();
}

void faults::next() {
  all_.events.after(draw_around(timing_, all_.how.fault_every), [this] {
    if (stopped_)
      return;
    random_ = timing_.fork();
    if (all_.plan.next_fault()) {
      all_.note(all_.plan.faults(), "fault " + std::to_string(all_.plan.faults()));
      break_something();
    }
    next();
  });
}

void faults::stop() {
  stopped_ = true;
  all_.note(0, "all faults end");
  all_.net.calm();
  for (auto& p : processes_) {
    p->thaw();
    p->disk_slowness = 1;
    p->disk = disk_health::fine;
    if (!p->alive())
      p->start();
  }
  links_.refresh();
}

void faults::break_something() {
  const auto& k = all_.how;
  const std::pair<unsigned, void (faults::*)()> kinds[] = {
    {k.cut_weight, &faults::cut},
    {k.crash_weight, &faults::crash},
    {k.pause_weight, &faults::pause},
    {k.leave_weight, &faults::leave},
    {k.flap_weight, &faults::flap},
    {k.blackout_weight, &faults::blackout},
    {k.slow_disk_weight, &faults::slow_disk},
    {k.full_disk_weight, &faults::full_disk},
    {k.bad_disk_weight, &faults::bad_disk},
    {k.lost_disk_weight, &faults::lost_disk},
  };
  std::uint64_t total = 0;
  for (const auto& [weight, kind] : kinds)
    total += weight;
  if (total == 0)
    return;
  auto pick = random_.below(total);
  for (const auto& [weight, kind] : kinds) {
    if (pick < weight) {
      (this->*kind)();
      break;
    }
    pick -= weight;
  }
  if (random_.chance(all_.how.forger_percent))
    guardian_.forge(victim());
}

process* faults::leader() {
  for (auto& p : processes_)
    if (p->alive() && !p->paused() && p->votes() && p->voter().leads())
      return p.get();
  return nullptr;
}

process& faults::victim() {
  auto* leads = random_.chance(all_.how.at_leader_percent) ? leader() : nullptr;
  return leads != nullptr ? *leads : *processes_[random_.below(processes_.size())];
}

void faults::cut_for(process_number from, process_number to, duration time) {
  all_.net.cut(from, to);
  all_.events.after(time, [this, from, to] {
    if (stopped_)
      return;
    all_.net.heal(from, to);
    links_.refresh();
  });
}

void faults::cut() {
  if (processes_.size() < 2)
    return;
  auto time =
    draw(random_, all_.how.ttl / 20, random_.chance(20) ? all_.how.ttl * 4 : all_.how.ttl);
  cut_shaped(static_cast<cut_shape>(random_.below(6)), victim(), time);
}

void faults::voters_changed() {
  if (stopped_ || processes_.size() < 2)
    return;
  random_ = at_changes_.fork();
  if (!random_.chance(all_.how.at_change_percent))
    return;
  cut_shaped(random_.chance(70) ? cut_shape::split : cut_shape::isolate, victim(),
             draw(random_, all_.how.ttl / 2, all_.how.ttl * 3));
}

void faults::cut_shaped(cut_shape shape, const process& at, duration time) {
  ++all_.counts.cuts;
  auto a = at.number();
  auto b =
    static_cast<process_number>((a + 1 + random_.below(processes_.size() - 1)) % processes_.size());
  auto side = random_.next();
  all_.note(a, "cut of shape " + std::to_string(static_cast<int>(shape)) + " at p"
                 + std::to_string(a) + ", p" + std::to_string(b) + " for "
                 + std::to_string(time.count()) + " us");
  for (process_number x = 0; x < processes_.size(); ++x)
    for (process_number y = 0; y < processes_.size(); ++y) {
      if (x == y)
        continue;
      auto cuts = [&] {
        switch (shape) {
          case cut_shape::isolate:
            return x == a || y == a;
          case cut_shape::one_link:
            return (x == a && y == b) || (x == b && y == a);
          case cut_shape::one_way:
            return x == a && y == b;
          case cut_shape::deaf:
            return y == a;
          case cut_shape::mute:
            return x == a;
          case cut_shape::split:
            return ((side >> x) & 1) != ((side >> y) & 1);
        }
        return false;
      }();
      if (cuts)
        cut_for(x, y, time);
    }
  links_.refresh();
}

void faults::crash() {
  kill(victim());
}

void faults::kill(process& which) {
  if (!which.alive() || !which.mortal())
    return;
  ++all_.counts.crashes;
  which.crash("killed");
}

void faults::blackout() {
  ++all_.counts.blackouts;
  all_.note(0, "a blackout: all end at once");
  for (auto& p : processes_)
    kill(*p);
}

void faults::flap() {
  ++all_.counts.flaps;
  const auto hits = static_cast<unsigned>(random_.between(3, 12));
  all_.note(hits, "the leader is hit " + std::to_string(hits) + " times");
  hit_again(random_.fork(), static_cast<blow>(random_.below(3)), hits);
}

void faults::hit_again(generator own, blow how, unsigned times) {
  if (times == 0)
    return;
  // About as long as the next one needs to be elected.
  const auto wait = draw(own, all_.times.tick, all_.times.election_max * 3);
  all_.events.after(wait, [this, own, how, times]() mutable {
    if (stopped_)
      return;
    random_ = own.fork();
    if (auto* leads = leader())
      hit(*leads, how);
    hit_again(own, how, times - 1);
  });
}

void faults::hit(process& leads, blow how) {
  switch (how) {
    case blow::cut:
      if (processes_.size() > 1)
        cut_shaped(random_.chance(50) ? cut_shape::isolate : cut_shape::mute, leads,
                   draw(random_, all_.times.tick, all_.times.election_max * 2));
      return;
    case blow::kill:
      return kill(leads);
    case blow::pause:
      return pause_for(leads, draw(random_, all_.times.tick, all_.times.election_max * 2));
  }
}

void faults::process_ended(process& which) {
  guardian_.process_ended(which);
  links_.refresh();
  start_later(which);
}

void faults::start_later(process& which) {
  all_.events.after(draw(restarts_, 0us, all_.how.ttl * 2), [this, &which] {
    if (which.alive())
      return;
    if (!which.can_start())
      return start_later(which);
    which.start();
    links_.refresh();
  });
}

void faults::pause() {
  auto& p = victim();
  pause_for(
    p, draw(random_, all_.how.ttl / 20, random_.chance(50) ? all_.how.ttl * 3 : all_.how.ttl / 2));
}

void faults::pause_for(process& which, duration time) {
  // A thaw after the end of the lease ends the process.
  if (!which.alive() || which.paused() || !which.mortal())
    return;
  which.pause();
  all_.events.after(time, [&which] { which.thaw(); });
}

void faults::leave() {
  auto& p = victim();
  if (!p.alive() || p.node().leaving() || !p.mortal())
    return;
  p.leave();
  // An operator's patience: a node that cannot reach the others never gets to leave.
  all_.events.after(all_.how.ttl * 4, [this, &p, life = p.life()] {
    if (!stopped_ && p.alive() && p.life() == life && !p.node().left())
      p.crash("could not leave");
  });
}

void faults::slow_disk() {
  auto& p = victim();
  // Now and then it does not answer for longer than any patience.
  p.disk_slowness = static_cast<unsigned>(random_.chance(20) ? random_.between(1'000, 20'000)
                                                             : random_.between(10, 300));
  all_.note(p.disk_slowness, p.name() + " has a slow disk");
  all_.events.after(draw(random_, all_.how.ttl / 10, all_.how.ttl * 2),
                    [&p] { p.disk_slowness = 1; });
}

void faults::full_disk() {
  break_disk(disk_health::full);
}

void faults::bad_disk() {
  break_disk(disk_health::broken);
}

void faults::break_disk(disk_health how) {
  auto& p = victim();
  if (!p.has_store() || p.disk != disk_health::fine)
    return;
  ++all_.counts.disk_errors;
  p.disk = how;
  all_.note(static_cast<std::uint64_t>(how),
            p.name() + (how == disk_health::full ? "'s disk is full" : "'s disk fails"));
  all_.events.after(draw(random_, all_.how.ttl / 10, all_.how.ttl * 3),
                    [&p] { p.disk = disk_health::fine; });
}

void faults::lost_disk() {
  auto& p = victim();
  if (p.has_store() && p.may_lose_store)
    p.lose_disk();
}

} // namespace paxtor::sim
