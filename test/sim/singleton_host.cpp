#include "test/sim/singleton_host.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "test/sim/process.hpp"

namespace paxtor::sim {

using namespace std::chrono_literals;

duration draw_dying(generator& random, const scene& all, const process& home) {
  if (!all.calm && home.mortal() && random.chance(all.how.stuck_percent))
    return all.how.ttl * 2;
  return draw(random, 0us, random.chance(10) ? duration{20ms} : duration{500us});
}

singleton_host::singleton_host(scene& all, process& home, node_side& node, generator random)
    : all_(all), home_(home), node_(node), random_(random) {}

claimant singleton_host::me(local_actor_id id) const {
  return {home_.number(), home_.life(), id};
}

singleton_host::hosted* singleton_host::find(const term& name, token grant) {
  auto i = hosted_.find(name);
  if (i == hosted_.end())
    return nullptr;
  auto j = i->second.find(grant);
  return j == i->second.end() ? nullptr : &j->second;
}

void singleton_host::start(const registry::start_singleton& what) {
  // R4: start orders are sent again and again; the agent lets each through once.
  if (!hosted_[what.name]
         .emplace(what.grant, hosted{what.grant, local_actor_id{}, false, {}, false})
         .second) {
    all_.judge.hear(wrong("one start", home_.name() + " was told twice to start " + what.name.text()
                                         + " with token " + to_string(what.grant)));
    return;
  }
  auto takes = draw_around(random_, 2ms);
  auto fails = !all_.calm && random_.chance(10);
  home_.later(takes, [this, name = what.name, grant = what.grant, fails] {
    auto* x = find(name, grant);
    if (x == nullptr)
      return;
    if (!fails && !x->dying)
      return spawn(name, grant);
    hosted_[name].erase(grant);
    node_.use([&](cluster::agent& a, time_point t) { a.start_failed(t, name, grant, "no luck"); });
  });
}

void singleton_host::spawn(const term& name, token grant) {
  auto id = node_.actors().next_actor();
  find(name, grant)->actor = id;
  all_.note(grant.value, home_.name() + " starts singleton " + name.text() + " as a" + to_string(id)
                           + " token " + to_string(grant));
  all_.judge.hear(all_.exclusion.granted(all_.events.now(), "name " + name.text(), me(id), grant));
  if (!all_.calm && random_.chance(60))
    home_.later(draw_around(random_, all_.how.hold * 3),
                [this, name, grant, failed = random_.chance(30)] {
                  end(name, grant, failed, "its own end");
                });
  node_.use([&](cluster::agent& a, time_point t) { a.started(t, name, grant, id); });
}

void singleton_host::hand_over(const registry::hand_over& what) {
  auto* x = find(what.name, what.grant);
  if (x == nullptr || x->dying || x->moves)
    return;
  x->moves = true;
  for (auto user : std::set<process_number>{x->users})
    all_.post.send(home_.number(), user, {letter::kind::let_go, what.name, what.grant, 0});
  end_if_let_go(what.name, what.grant);
  // Whoever does not let go in time counts as gone: what it still sends may be lost.
  home_.later(all_.how.ttl * 2, [this, name = what.name, grant = what.grant] {
    if (const auto* late = find(name, grant); late != nullptr && late->moves && !late->dying)
      end(name, grant, false, "handed over, and not let go of");
  });
}

void singleton_host::end_if_let_go(const term& name, token grant) {
  if (const auto* x = find(name, grant); x == nullptr || !x->moves || !x->users.empty())
    return;
  home_.later(draw_around(random_, 2ms), [this, name, grant] {
    const auto* x = find(name, grant);
    if (x == nullptr || x->dying)
      return;
    moved_away_.emplace(name, grant);
    end(name, grant, false, "handed over");
  });
}

void singleton_host::receive(process_number from, const letter& what) {
  auto* x = find(what.name, what.grant);
  switch (what.what) {
    case letter::kind::fetch: {
      const auto gives = x != nullptr && x->actor.valid() && !x->moves && !x->dying;
      if (gives)
        x->users.insert(from);
      return all_.post.send(
        home_.number(), from,
        {gives ? letter::kind::given : letter::kind::not_given, what.name, what.grant, 0});
    }
    case letter::kind::message:
      return take_message(what);
    case letter::kind::let_gone:
      if (x != nullptr && x->moves && x->users.erase(from) != 0)
        end_if_let_go(what.name, what.grant);
      return;
    case letter::kind::link_ended:
      return link_ended(from);
    default:
      return;
  }
}

void singleton_host::take_message(const letter& what) {
  const auto about =
    home_.name() + " singleton " + what.name.text() + " token " + to_string(what.grant);
  if (const auto* x = find(what.name, what.grant); x != nullptr && x->actor.valid())
    all_.judge.hear(all_.letters.handled(what.message, what.grant, about));
  else if (moved_away_.contains({what.name, what.grant}))
    all_.judge.hear(all_.letters.missed(what.message, about));
  else
    all_.letters.lost(what.message);
}

void singleton_host::link_ended(process_number peer) {
  std::vector<std::pair<term, token>> let_go;
  for (auto& [name, lives] : hosted_)
    for (auto& [grant, x] : lives)
      if (x.users.erase(peer) != 0 && x.moves)
        let_go.emplace_back(name, grant);
  for (const auto& [name, grant] : let_go)
    end_if_let_go(name, grant);
}

void singleton_host::fenced(const std::vector<local_actor_id>& singletons) {
  std::vector<std::pair<term, token>> victims;
  for (auto& [name, lives] : hosted_)
    for (auto& [grant, x] : lives) {
      if (!x.actor.valid())
        // Not spawned yet: some hosts can still stop that; others spawn it and are told to end it.
        x.dying = x.dying || random_.chance(50);
      else if (std::find(singletons.begin(), singletons.end(), x.actor) != singletons.end())
        victims.emplace_back(name, grant);
    }
  for (const auto& [name, grant] : victims)
    kill(name, grant);
}

void singleton_host::kill(const term& name, token grant) {
  auto* x = find(name, grant);
  if (x == nullptr || x->dying)
    return;
  x->dying = true;
  home_.later(draw_dying(random_, all_, home_),
              [this, name, grant] { end(name, grant, true, "killed"); });
}

void singleton_host::end(const term& name, token grant, bool failed, const char* why) {
  auto* x = find(name, grant);
  if (x == nullptr)
    return;
  all_.note(grant.value, home_.name() + " singleton " + name.text() + " a" + to_string(x->actor)
                           + " token " + to_string(grant) + " ends: " + why);
  all_.judge.hear(all_.exclusion.ended(all_.events.now(), "name " + name.text(), me(x->actor)));
  hosted_[name].erase(grant);
  home_.later(draw(random_, 0us, 500us), [this, name, grant, failed] {
    node_.use([&](cluster::agent& a, time_point t) {
      a.singleton_exited(t, name, grant, failed, "ended");
    });
  });
}

void singleton_host::process_ended() {
  for (const auto& [name, lives] : hosted_)
    for (const auto& [grant, x] : lives)
      if (x.actor.valid())
        all_.judge.hear(
          all_.exclusion.ended(all_.events.now(), "name " + name.text(), me(x.actor)));
  hosted_.clear();
}

} // namespace paxtor::sim
