#include "test/sim/voter_side.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "test/sim/process.hpp"

namespace paxtor::sim {

voter_side::voter_side(scene& all, process& home, model_store& store, generator random)
    : all_(all), home_(home), store_(store), random_(random), id_(store.read().self) {
  voter_ = std::make_unique<cluster::voter>(store_.read(), all_.voters, all_.times, all_.bounds,
                                            all_.leases, random_.fork(), home_.read_clock(),
                                            all_.how.effect_bytes);
  voter_->get_steward().introduce(node_name(home_.number()), home_.name() + ":1");
  voter_->ask_of(home_.known_voter_ids());
}

void voter_side::start() {
  home_.later(draw(random_, duration{0}, all_.times.tick), [this] { tick(); });
  drain();
}

void voter_side::tick() {
  voter_->tick(home_.read_clock());
  drain();
  home_.later(all_.times.tick, [this] { tick(); });
}

void voter_side::receive(const cluster::paxos_frame& what) {
  // A frame for an earlier voter of this process: the production link refuses it by its id as well.
  if (what.to != id_)
    return;
  voter_->step(home_.read_clock(), paxos::envelope{what.from, what.to, what.to_role, what.what});
  drain();
}

void voter_side::receive(process_number from, const cluster::node_frame& what) {
  routes_[what.from] = from;
  const auto& known = voter_->state();
  if (!known.leading && !what.relayed_by.valid() && known.leader.valid() && known.leader != id_) {
    auto relayed = what;
    relayed.relayed_by = id_;
    auto leader = all_.where.voters.find(known.leader);
    if (leader != all_.where.voters.end())
      all_.net.send(home_.number(), leader->second, std::move(relayed));
  }
  // A voter that passed it on tells the node as well who leads, so that the node can go there by
  // itself.
  if (known.leading || !what.relayed_by.valid()) {
    voter_->step(home_.read_clock(), what.from, what.what);
    drain();
  }
}

void voter_side::pass_on(const cluster::voter_frame& what) {
  auto node = all_.where.nodes.find(what.to);
  if (node != all_.where.nodes.end() && node->second != home_.number())
    all_.net.send(home_.number(), node->second, what);
}

void voter_side::watch_log() {
  const auto& learner = voter_->replica().get_learner();
  for (; judged_upto_ < learner.decided_upto(); judged_upto_ = judged_upto_.next()) {
    const auto where = judged_upto_.next();
    // What came as a snapshot is judged by its image.
    if (const auto* value = learner.value_of(where))
      all_.judge.hear(all_.agreement.decided(id_, where, *value));
  }
  if (learner.voters_since() > home_.known_voters().since) {
    home_.hear_voters({learner.voters_since(), learner.voters()});
    if (leads())
      all_.voters_changed();
  }
}

void voter_side::drain() {
  auto out = voter_->take_output();
  watch_log();
  for (auto& sent : out.send) {
    if (const auto* taught = std::get_if<paxos::learned_values>(&sent.what)) {
      auto where = taught->first;
      for (const auto& value : taught->values) {
        all_.judge.hear(all_.agreement.decided(id_, where, value));
        where = where.next();
      }
    }
    for (auto to : sent.to) {
      auto place = all_.where.voters.find(to);
      if (place != all_.where.voters.end())
        all_.net.send(home_.number(), place->second,
                      cluster::paxos_frame{cluster_id{1}, id_, to, sent.to_role, sent.what});
    }
  }
  if (leads() && !out.to_nodes.empty())
    all_.log.reads().told(last_index());
  for (auto& sent : out.to_nodes) {
    auto route = routes_.find(sent.node);
    if (route != routes_.end())
      all_.net.send(home_.number(), route->second,
                    cluster::voter_frame{cluster_id{1}, id_, sent.node, std::move(sent.what)});
  }
  for (auto& sent : out.to_voters) {
    auto place = all_.where.voters.find(sent.voter);
    if (place != all_.where.voters.end())
      all_.net.send(
        home_.number(), place->second,
        cluster::node_frame{cluster_id{1}, home_.node().id(), voter_id{}, std::move(sent.what)});
  }
  for (auto& write : out.writes)
    store_.append(std::move(write));
  write_next();
  watch_registry();
}

void voter_side::write_next() {
  if (writing_ || store_.idle())
    return;
  writing_ = true;
  store_.begin_sync(all_.how.group_commit ? std::numeric_limits<std::size_t>::max() : 1);
  auto takes = std::min(draw(random_, all_.how.write_min, all_.how.write_max) * home_.disk_slowness,
                        all_.how.ttl * 4);
  home_.later(takes, [this] {
    writing_ = false;
    // An error is final: nothing may be assumed of what was written, so the voter stops.
    if (home_.disk != disk_health::fine)
      return home_.crash(home_.disk == disk_health::full ? "its disk is full" : "its disk fails");
    // L1: durability is told after the fact, here and nowhere else.
    voter_->persisted(home_.read_clock(), store_.complete_sync());
    drain();
  });
}

void voter_side::watch_registry() {
  auto last = last_index();
  if (last == watched_)
    return;
  watched_ = last;
  if (picked_for_images(last))
    all_.judge.hear(all_.agreement.image(id_, last, digest_of(voter_->machine().image().view())));
}

} // namespace paxtor::sim
