#include "test/sim/process.hpp"

#include "test/sim/describe.hpp"

#include <chrono>
#include <utility>

namespace paxtor::sim {

process::process(scene& all, process_number number, skewed_clock clock, generator random)
    : all_(all), number_(number), clock_(clock), random_(random) {}

void process::give_store(voter_id id) {
  all_.where.voters[id] = number_;
  lost_store_ = false;
  store_.emplace(id, [this, id](const paxos::write& what) {
    for (const auto& op : what.ops)
      if (const auto* x = std::get_if<paxos::write_accepted>(&op))
        all_.judge.hear(all_.agreement.accepted(id, x->where, x->value.at, x->value.value));
    all_.judge.hear(all_.durability.wrote(id, what));
    all_.judge.hear(all_.log.follow());
  });
}

void process::start() {
  alive_ = true;
  paused_ = false;
  ++life_;
  all_.note(life_, name() + " starts, life " + std::to_string(life_));
  known_voters_ = {slot{}, all_.voters};
  // L5: a voter's id is made with its store and dies with it. So a blank store is a new voter's,
  // which no configuration counts before it is brought in (L6).
  if (stands_by && !has_store()) {
    auto id = random_.make_id<voter_id>();
#ifdef PAXTOR_CANARY_BLANK_STORE_VOTES
    // The canary: L5 taken out; the old voter goes on with a blank store.
    if (store_)
      id = store_id();
#endif
    give_store(id);
    all_.note(id.value, name() + " has a blank store, of voter " + to_string(id));
  }
  if (has_store()) {
    all_.judge.hear(all_.durability.starts(store_->read().self, store_->read()));
    voter_ = std::make_unique<voter_side>(all_, *this, *store_, random_.fork());
  }
  node_ = std::make_unique<node_side>(all_, *this, random_.fork());
  if (voter_)
    voter_->start();
  node_->start();
}

void process::end_life() {
  // Ownerships first: they end with the process, at this instant.
  node_->process_ended();
  ended_lives_.push_back({node_->id(), node_->secret()});
  all_.outcomes.process_ended(number_, life_);
  if (store_) {
    if (all_.how.durable)
      store_->crash(random_, all_.how.disk_any_order ? crash_order::any : crash_order::as_synced);
    else
      forget_store();
  }
  // The objects themselves go at the next event: one of them may be the caller.
  std::shared_ptr<voter_side> old_voter = std::move(voter_);
  std::shared_ptr<node_side> old_node = std::move(node_);
  all_.events.after(duration{0}, [old_voter, old_node] {});
  postponed_.clear();
  all_.post.process_ended(number_);
  alive_ = false;
  paused_ = false;
  all_.process_ended(number_);
}

void process::crash(const std::string& why) {
  if (!alive_)
    return;
  all_.note(life_, name() + " ends: " + why);
  end_life();
}

void process::lose_disk() {
  all_.note(life_, name() + " loses its disk for good");
  ++all_.counts.disks_lost;
  // An old life's store is not touched again: it ends here, or has ended before.
  crash("its disk is gone");
  forget_store();
}

void process::forget_store() {
  lost_store_ = true;
  all_.durability.lost(store_->read().self);
}

std::vector<voter_id> process::known_voter_ids() const {
  std::vector<voter_id> ids;
  for (const auto& m : known_voters_.voters.members)
    ids.push_back(m.id);
  return ids;
}

void process::hear_voters(const cluster::voters_now& news) {
  if (!alive_ || !news.newer_than(known_voters_))
    return;
  known_voters_ = news;
  if (voter_)
    voter_->ask_of(known_voter_ids());
  node_->voters_are(known_voter_ids());
}

void process::pause() {
  if (!alive_ || paused_)
    return;
  ++all_.counts.pauses;
  all_.note(life_, name() + " is paused");
  paused_ = true;
  all_.exclusion.paused(number_);
}

void process::thaw() {
  if (!alive_ || !paused_)
    return;
  all_.note(life_, name() + " is thawed");
  paused_ = false;
  all_.exclusion.thawed(all_.events.now(), number_);
  all_.events.after(thaw_grace,
                    [this] { all_.judge.hear(all_.exclusion.look(all_.events.now())); });
  // What came due in the meantime happens now, in any order.
  for (auto& late : std::exchange(postponed_, {}))
    all_.events.after(draw(random_, duration{0}, thaw_jitter),
                      [this, late = std::move(late)] { run(late.life, late.what); });
}

void process::leave() {
  if (!alive_)
    return;
  ++all_.counts.leaves;
  all_.note(life_, name() + " leaves");
  later(duration{0}, [this] { node_->leave(); });
}

void process::run(std::uint64_t life, const action& what) {
  if (!alive_ || life != life_)
    return;
  if (paused_)
    postponed_.push_back({life, what});
  else
    what();
}

void process::later(duration delay, action what) {
  all_.events.after(delay, [this, life = life_, what = std::move(what)] { run(life, what); });
}

void process::at(moment when, action what) {
  all_.events.at(when, [this, life = life_, what = std::move(what)] { run(life, what); });
}

bool process::mail_from(process_number from) {
  if (!alive_)
    return false;
  later(duration{0}, [this, from] {
    if (auto what = all_.post.take(number_, from))
      node_->receive(from, *what);
  });
  return true;
}

void process::receive(process_number from, const packet& what) {
  if (!alive_)
    return;
  run(life_, [this, from, what] {
    all_.story.note(all_.events.now(), what->index(), [&] {
      return name() + " <- p" + std::to_string(from) + " " + describe(*what);
    });
    if (const auto* x = std::get_if<cluster::paxos_frame>(what.get())) {
      if (voter_)
        voter_->receive(*x);
    } else if (const auto* y = std::get_if<cluster::node_frame>(what.get())) {
      if (voter_)
        voter_->receive(from, *y);
    } else if (const auto* z = std::get_if<cluster::voter_frame>(what.get())) {
      if (z->to == node_->id())
        node_->receive(*z);
      else if (voter_)
        voter_->pass_on(*z);
    }
  });
}

} // namespace paxtor::sim
