#include "test/sim/node_side.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "libpaxtor/base/digest.hpp"
#include "test/sim/cases.hpp"
#include "test/sim/describe.hpp"
#include "test/sim/guardian.hpp"
#include "test/sim/process.hpp"

namespace paxtor::sim {

using namespace std::chrono_literals;

namespace {

cluster::node_info describe_node(generator& random, node_id id, const std::string& secret,
                                 const process& home) {
  cluster::node_info info;
  info.id = id;
  info.seal = sha256(secret);
  info.name = "n" + std::to_string(home.number());
  info.endpoint = home.name() + ":1";
  for (const char* type : {"t0", "t1", "t2"})
    if (random.chance(70))
      info.types.emplace_back(type);
  info.capacity = random.chance(70) ? 0 : random.between(1, 3);
  return info;
}

} // namespace

node_side::node_side(scene& all, process& home, generator random)
    : all_(all),
      home_(home),
      random_(random),
      id_(random_.make_id<node_id>()),
      secret_(make_secret(random_)) {
  all_.where.nodes[id_] = home_.number();
  agent_ =
    std::make_unique<cluster::agent>(describe_node(random_, id_, secret_, home_), all_.leases,
                                     home_.known_voter_ids(), random_.fork(), now());
  actors_ = std::make_unique<actor_model>(all_, home_, *this, random_.fork());
}

time_point node_side::now() const {
  return home_.read_clock();
}

void node_side::start() {
  actors_->start();
  drain();
}

void node_side::process_ended() {
  actors_->process_ended();
}

void node_side::receive(const cluster::voter_frame& what) {
  use([&](cluster::agent& a, time_point t) { a.step(t, what.from, what.what); });
}

void node_side::link(voter_id voter, bool up) {
  all_.note(voter.value,
            home_.name() + " link to voter " + to_string(voter) + (up ? " up" : " down"));
  use([&](cluster::agent& a, time_point t) { up ? a.link_up(t, voter) : a.link_down(t, voter); });
}

void node_side::voters_are(std::vector<voter_id> voters) {
  use([&](cluster::agent& a, time_point t) { a.voters_are(t, std::move(voters)); });
}

void node_side::leave() {
  if (std::exchange(leaving_, true))
    return;
  use([](cluster::agent& a, time_point t) { a.leave(t); });
}

void node_side::drain(const std::string& name, bool on, duration patience) {
  (void)request("drain of " + name, [&](cluster::agent& a, time_point t) {
    return a.drain(t, name, on, t + patience);
  });
}

void node_side::asked(cluster::request_id id, const std::string& what) {
  all_.judge.hear(all_.outcomes.asked(all_.events.now(), {home_.number(), home_.life(), id}, what));
}

void node_side::drain() {
  // Notices never call the agent from here: actors react to them a moment later, from their own
  // mailbox.
  auto out = agent_->take_output();
  for (auto& sent : out.send)
    send(std::move(sent));
  for (const auto& notice : out.notices)
    handle(notice);
  watch();
  wake();
}

void node_side::send(cluster::to_voter what) {
  auto place = all_.where.voters.find(what.voter);
  if (place != all_.where.voters.end())
    all_.net.send(home_.number(), place->second,
                  cluster::node_frame{cluster_id{1}, id_, voter_id{}, std::move(what.what)});
}

void node_side::handle(const cluster::notice& what) {
  std::visit(cases{
               [this](const cluster::completion& x) {
                 auto id = std::visit([](const auto& y) { return y.id; }, x);
                 all_.judge.hear(all_.outcomes.completed({home_.number(), home_.life(), id}));
                 if (const auto* y = std::get_if<cluster::granted>(&x))
                   all_.judge.hear(all_.log.judged().delivered(agent_->session(), *y));
                 actors_->completed(id, x);
               },
               [this](const registry::start_singleton& x) { actors_->start_singleton(x); },
               [this](const registry::hand_over& x) { actors_->hand_over(x); },
               [this](const cluster::name_moved& x) { actors_->moved(x); },
               [this](const cluster::fence& x) {
                 ++all_.counts.fences;
                 all_.note(x.owners.size(), home_.name() + " is fenced: " + x.reason + ", owners "
                                              + std::to_string(x.owners.size()) + ", singletons "
                                              + std::to_string(x.singletons.size()));
                 actors_->fenced(x);
               },
               [this](const cluster::session_up& x) {
                 all_.note(x.session.value, home_.name() + " has session " + to_string(x.session));
               },
               [this](const cluster::session_down& x) {
                 all_.note(x.session.value, home_.name() + " lost session " + to_string(x.session)
                                              + ": " + x.reason);
               },
               [this](const cluster::session_left&) {
                 all_.note(0, home_.name() + " has left");
                 left_ = true;
                 // The program's end. While all is calm, voters stay for the last checks.
                 home_.later(draw(random_, 0us, 1ms), [this] {
                   if (!all_.calm)
                     return home_.crash("left");
                   actors_->process_ended();
                   ended_ = true;
                 });
               },
             },
             what);
}

void node_side::watch() {
#ifdef PAXTOR_CANARY_WATCHDOG_SLEEPS
  return;
#endif
  // F2: a thread of its own, which looks at the lease's end on this node's clock.
  auto lease = agent_->lease();
  if (!lease.armed || lease.lease_end == watched_)
    return;
  watched_ = lease.lease_end;
  home_.at(home_.clock().when(lease.lease_end), [this] {
    auto current = agent_->lease();
    if (!current.armed || now() < current.lease_end)
      return;
    ++all_.counts.watchdog_deaths;
    home_.crash("watchdog: an owner lives at the end of the lease");
  });
}

void node_side::wake() {
  // The production driver sleeps until next_wake and is late by a little.
  auto when = std::max(home_.clock().when(agent_->next_wake()), all_.events.now() + 100us);
  if (when >= wake_at_)
    return;
  wake_at_ = when;
  home_.at(when + draw(random_, 0us, 500us), [this, when] {
    if (wake_at_ != when)
      return;
    wake_at_ = moment::max();
    use([](cluster::agent& a, time_point t) { a.tick(t); });
  });
}

} // namespace paxtor::sim
