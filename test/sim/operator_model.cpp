#include "test/sim/operator_model.hpp"

#include <utility>

#include "test/sim/describe.hpp"

namespace paxtor::sim {

namespace {

/// Nobody: answers to it are dropped.
constexpr node_id operator_node{0x6f6f6f6f6f6f6f6fULL};

constexpr std::size_t most_voters = 7;

} // namespace

void operator_model::start() {
  if (all_.how.change_every != duration{})
    next_change();
  if (all_.how.drain_every != duration{})
    next_drain();
}

void operator_model::next_change() {
  all_.events.after(draw_around(changes_, all_.how.change_every), [this] {
    if (all_.calm)
      return;
    random_ = changes_.fork();
    if (all_.plan.next_fault())
      want_something();
    next_change();
  });
}

void operator_model::next_drain() {
  all_.events.after(draw_around(drains_, all_.how.drain_every), [this] {
    if (all_.calm)
      return;
    random_ = drains_.fork();
    if (all_.plan.next_fault())
      drain_something();
    next_drain();
  });
}

void operator_model::drain_something() {
  auto& from = *processes_[random_.below(processes_.size())];
  const auto name = node_name(processes_[random_.below(processes_.size())]->number());
  const auto on = random_.chance(70);
  const auto patience = draw(random_, all_.how.ttl / 4, all_.how.ttl * 4);
  if (!from.alive())
    return;
  ++all_.counts.drains;
  all_.note(all_.plan.faults(), "fault " + std::to_string(all_.plan.faults()) + ": an operator at "
                                  + from.name() + (on ? " drains " : " drains no more ") + name);
  from.later(duration{0}, [&from, name, on, patience] { from.node().drain(name, on, patience); });
}

std::vector<process*> operator_model::leaving() const {
  std::vector<process*> result;
  const auto& now = all_.agreement.newest_voters();
  for (const auto& p : processes_)
    for (const auto& m : now.members)
      if (m.name == node_name(p->number()) && !p->core)
        result.push_back(p.get());
  return result;
}

std::vector<process*> operator_model::coming() const {
  std::vector<process*> result;
  const auto& now = all_.agreement.newest_voters();
  for (const auto& p : processes_)
    if (p->has_store() && !now.contains(p->store_id()))
      result.push_back(p.get());
  return result;
}

process& operator_model::one_of(const std::vector<process*>& some) {
  // The leader now and then.
  if (random_.chance(all_.how.at_leader_percent / 2))
    for (auto* p : some)
      if (p->alive() && p->votes() && p->voter().leads())
        return *p;
  return *some[random_.below(some.size())];
}

void operator_model::want_something() {
  const auto out = leaving();
  const auto in = coming();
  const auto size = all_.agreement.newest_voters().members.size();
  cluster::change_voters wish;
  wish.id = all_.plan.faults();
  const auto pick = random_.below(3);
  if (pick == 0 && !in.empty() && size < most_voters) {
    wish.kind = cluster::voter_change::add;
    wish.name = node_name(one_of(in).number());
  } else if (pick == 1 && !out.empty() && size > 1) {
    wish.kind = cluster::voter_change::remove;
    wish.name = node_name(one_of(out).number());
  } else if (!out.empty() && !in.empty()) {
    wish.kind = cluster::voter_change::replace;
    wish.name = node_name(one_of(out).number());
    if (auto with = node_name(one_of(in).number()); with != wish.name)
      wish.with = with;
  } else {
    return;
  }
  const auto times = static_cast<unsigned>(random_.between(1, 12));
  ask(wish, times, random_.fork());
}

void operator_model::ask(const cluster::change_voters& what, unsigned times, generator own) {
  auto& from = *processes_[own.below(processes_.size())];
  auto& to = *processes_[own.below(processes_.size())];
  if (from.alive() && to.alive() && to.votes()) {
    cluster::frame wish = cluster::node_frame{cluster_id{1}, operator_node, voter_id{}, what};
    all_.note(what.id, "fault " + std::to_string(what.id) + ": an operator at " + from.name()
                         + " wants of " + to.name() + ": " + describe(wish));
    all_.net.send(from.number(), to.number(), std::move(wish));
  }
  if (times > 1)
    all_.events.after(draw(own, all_.how.ttl / 8, all_.how.ttl / 2), [this, what, times, own] {
      if (!all_.calm)
        ask(what, times - 1, own);
    });
}

} // namespace paxtor::sim
