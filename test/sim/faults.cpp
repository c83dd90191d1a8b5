#include "test/sim/faults.hpp"

#include <chrono>

namespace paxtor::sim {

using namespace std::chrono_literals;

void faults::start() {
  next();
}

void faults::next() {
  all_.events.after(draw_around(random_, all_.how.fault_every), [this] {
    if (stopped_)
      return;
    break_something();
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
    if (!p->alive())
      p->start();
  }
  links_.refresh();
}

void faults::break_something() {
  const auto& k = all_.how;
  auto total = k.cut_weight + k.crash_weight + k.pause_weight + k.leave_weight + k.slow_disk_weight;
  if (total == 0)
    return;
  auto pick = random_.below(total);
  auto chosen = [&pick](unsigned weight) {
    if (pick < weight)
      return true;
    pick -= weight;
    return false;
  };
  if (chosen(k.cut_weight))
    cut();
  else if (chosen(k.crash_weight))
    crash();
  else if (chosen(k.pause_weight))
    pause();
  else if (chosen(k.leave_weight))
    leave();
  else
    slow_disk();
  if (random_.chance(all_.how.forger_percent))
    guardian_.forge(victim());
}

process& faults::victim() {
  if (random_.chance(all_.how.at_leader_percent))
    for (auto& p : processes_)
      if (p->alive() && p->votes() && p->voter().leads())
        return *p;
  return *processes_[random_.below(processes_.size())];
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
  ++all_.counts.cuts;
  auto time =
    draw(random_, all_.how.ttl / 20, random_.chance(20) ? all_.how.ttl * 4 : all_.how.ttl);
  auto shape = static_cast<cut_shape>(random_.below(6));
  auto a = victim().number();
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
  auto& p = victim();
  if (!p.alive() || !p.mortal)
    return;
  ++all_.counts.crashes;
  p.crash("killed");
}

void faults::process_ended(process& which) {
  guardian_.process_ended(which);
  links_.refresh();
  all_.events.after(draw(random_, 0us, all_.how.ttl * 2), [this, &which] {
    if (which.alive())
      return;
    which.start();
    links_.refresh();
  });
}

void faults::pause() {
  auto& p = victim();
  // A thaw after the end of the lease ends the process.
  if (!p.alive() || p.paused() || !p.mortal)
    return;
  p.pause();
  auto time =
    draw(random_, all_.how.ttl / 20, random_.chance(50) ? all_.how.ttl * 3 : all_.how.ttl / 2);
  all_.events.after(time, [&p] { p.thaw(); });
}

void faults::leave() {
  auto& p = victim();
  if (!p.alive() || p.node().leaving() || !p.mortal)
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
  p.disk_slowness = static_cast<unsigned>(random_.between(10, 300));
  all_.note(p.disk_slowness, p.name() + " has a slow disk");
  all_.events.after(draw(random_, all_.how.ttl / 10, all_.how.ttl * 2),
                    [&p] { p.disk_slowness = 1; });
}

} // namespace paxtor::sim
