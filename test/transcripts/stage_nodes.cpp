/// The nodes of a stage: session agents, and the actors that a script speaks for.

#include <algorithm>

#include "libpaxtor/paxos/visit.hpp"
#include "test/transcripts/stage.hpp"

namespace paxtor::transcripts {

using namespace std::chrono_literals;
using paxos::overloaded;

namespace {

/// How long an actor takes to end when it is told to.
constexpr duration ending_time = 1ms;

} // namespace

// -- what actors do -------------------------------------------------------------------------------

void stage::lock(const std::string& node, local_actor_id actor, std::vector<term> keys,
                 cluster::acquire_options how) {
  if (how.deadline)
    how.deadline = now_ + how.deadline->time_since_epoch();
  use(node_at(node),
      [&](cluster::agent& a, time_point t) { (void)a.acquire(t, actor, std::move(keys), how); });
}

void stage::exit(const std::string& node, local_actor_id actor) {
  ended(node_at(node), actor, false, "exits");
}

void stage::resolve(const std::string& node, const term& name, const std::string& type) {
  registry::singleton_spec spec;
  spec.type = type;
  use(node_at(node), [&](cluster::agent& a, time_point t) { (void)a.resolve(t, name, spec); });
}

void stage::put(const std::string& node, const term& key, const std::string& value) {
  use(node_at(node), [&](cluster::agent& a, time_point t) {
    (void)a.put(t, "kv", key, value, std::nullopt, std::nullopt);
  });
}

void stage::ask(const std::string& node, registry::query what) {
  use(node_at(node),
      [&](cluster::agent& a, time_point t) { (void)a.ask(t, std::move(what), std::nullopt); });
}

void stage::drain(const std::string& node, const std::string& which) {
  use(node_at(node),
      [&](cluster::agent& a, time_point t) { (void)a.drain(t, which, true, std::nullopt); });
}

duration stage::lease_left(const std::string& node) {
  const auto& agent = *node_at(node).agent;
  return agent.session().valid() ? agent.lease().lease_end - now_ : duration{0};
}

std::string stage::lease(const std::string& node) {
  const auto left = lease_left(node);
  if (left == duration{0})
    return node + " has no session";
  return node + ": session " + to_string(node_at(node).agent->session()) + ", its lease ends in "
         + std::to_string(left / 1ms) + " ms";
}

// -- what the agent wants -------------------------------------------------------------------------

void stage::drain_agent(process& home) {
  auto out = home.agent->take_output();
  for (auto& sent : out.send)
    if (auto* voter = owner_of(sent.voter))
      post(home, *voter,
           cluster::node_frame{cluster_id{1}, home.node, voter_id{}, std::move(sent.what)});
  for (const auto& notice : out.notices)
    handle(home, notice);
  watch(home);
  wake(home);
}

void stage::handle(process& home, const cluster::notice& what) {
  std::visit(
    overloaded{
      [&](const cluster::completion& x) { tell(home.name + ": " + words_.describe(x)); },
      [&](const registry::start_singleton& x) {
        const local_actor_id actor{home.next_singleton++};
        home.singletons[actor] = {x.name, x.grant};
        tell(home.name + ": a" + to_string(actor) + " starts as " + x.name.text() + ", token "
             + to_string(x.grant));
        later(home, ending_time, [this, &home, x, actor] {
          use(home, [&](cluster::agent& a, time_point t) { a.started(t, x.name, x.grant, actor); });
        });
      },
      [&](const registry::hand_over& x) {
        tell(home.name + ": " + x.name.text() + " is handed over");
        for (const auto& [actor, life] : home.singletons)
          if (life.second == x.grant) {
            later(home, ending_time, [this, &home, actor = actor] {
              ended(home, actor, false, "ends behind its last message");
            });
            return;
          }
      },
      [&](const cluster::name_moved& x) {
        tell(home.name + ": " + x.name.text()
             + (x.where ? " lives at " + x.where->node_name + "/a" + to_string(x.where->actor)
                            + ", token " + to_string(x.where->grant)
                        : " does not run" + (x.reason.empty() ? "" : ": " + x.reason)));
      },
      [&](const cluster::fence& x) { fence(home, x); },
      [&](const cluster::session_up& x) {
        tell(home.name + ": session " + to_string(x.session) + " is open");
      },
      [&](const cluster::session_down& x) {
        tell(home.name + ": session " + to_string(x.session) + " is lost: " + x.reason);
      },
      [&](const cluster::session_left&) { tell(home.name + ": has left"); },
    },
    what);
}

void stage::fence(process& home, const cluster::fence& what) {
  auto all = what.owners;
  all.insert(all.end(), what.singletons.begin(), what.singletons.end());
  std::string text;
  for (auto actor : all)
    text += " a" + to_string(actor);
  tell(home.name + ": F1 stops" + (text.empty() ? " nobody" : text) + " (" + what.reason + ")");
  for (auto actor : all) {
    if (home.stubborn.contains(actor))
      continue;
    later(home, ending_time, [this, &home, actor] { ended(home, actor, true, "is stopped"); });
  }
}

void stage::ended(process& home, local_actor_id actor, bool failed, const std::string& why) {
  tell(home.name + ": a" + to_string(actor) + " " + why);
  if (const auto life = home.singletons.find(actor); life != home.singletons.end()) {
    const auto [name, grant] = life->second;
    home.singletons.erase(life);
    use(home,
        [&](cluster::agent& a, time_point t) { a.singleton_exited(t, name, grant, failed, why); });
  } else {
    use(home, [&](cluster::agent& a, time_point t) { a.owner_exited(t, actor, why); });
  }
}

void stage::watch(process& home) {
  // F2: a thread of its own, which is paused with its process.
  const auto lease = home.agent->lease();
  if (!lease.armed || lease.lease_end == home.watched)
    return;
  home.watched = lease.lease_end;
  later(home, std::max(lease.lease_end - now_, duration{0}), [this, &home] {
    const auto current = home.agent->lease();
    if (!current.armed || now_ < current.lease_end)
      return;
    tell(home.name + ": F2 the watchdog ends the process: an owner lives at the end of the lease");
    crash(home.name);
  });
}

void stage::wake(process& home) {
  const auto when = std::max(home.agent->next_wake(), now_ + 100us);
  if (when >= home.wake_at)
    return;
  home.wake_at = when;
  later(home, when - now_, [this, &home, when] {
    if (home.wake_at != when)
      return;
    home.wake_at = time_point::max();
    use(home, [](cluster::agent& a, time_point t) { a.tick(t); });
  });
}

} // namespace paxtor::transcripts
