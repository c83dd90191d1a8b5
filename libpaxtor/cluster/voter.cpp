#include "libpaxtor/cluster/voter.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "libpaxtor/base/codec.hpp"

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/cluster/replay.hpp"

namespace paxtor::cluster {

namespace {

template <class T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

} // namespace

voter::voter(const paxos::recovered& state, paxos::configuration voters, paxos::timing times,
             paxos::limits bounds, lease_options leases, generator random, time_point now,
             std::size_t effect_bytes)
    : now_(now),
      replica_(state, std::move(voters), times, bounds, random, now),
      keeper_(state.self, leases),
      steward_(state.self, times),
      registrar_(effect_bytes) {
  pump();
}

void voter::step(time_point now, const paxos::envelope& what) {
  now_ = std::max(now_, now);
  replica_.step(now_, what);
}

void voter::step(time_point now, node_id from, node_message what) {
  now_ = std::max(now_, now);
  if (auto* change = std::get_if<change_voters>(&what))
    steward_.step(now_, from, *change);
  else if (auto* report = std::get_if<voter_report>(&what))
    steward_.step(now_, *report);
  else
    keeper_.step(now_, from, std::move(what));
}

void voter::tick(time_point now) {
  now_ = std::max(now_, now);
  make_snapshot();
  replica_.tick(now_);
  // What the log did in this tick (a leader that steps down) comes before what silence tells.
  pump();
  keeper_.tick(now_);
  steward_.tick(now_);
}

void voter::persisted(time_point now, write_id id) {
  now_ = std::max(now_, now);
  replica_.persisted(now_, id);
}

voter_output voter::take_output() {
  pump();
  return std::exchange(out_, {});
}

void voter::pump() {
  for (bool busy = true; busy;) {
    busy = pump_replica();
    busy = pump_registrar() || busy;
    busy = pump_keeper() || busy;
    busy = pump_steward() || busy;
  }
}

void voter::make_snapshot() {
  if (!making_)
    return;
  const auto task = *std::exchange(making_, std::nullopt);
  auto made = make_image(task);
  PAXTOR_CHECK("I50", made && (!expected_ || *made == *expected_));
  expected_.reset();
  replica_.snapshot_made(now_, task.upto, std::move(*made));
}

bool voter::pump_replica() {
  auto x = replica_.take_output();
  bool busy =
    x.changed || x.install || !x.decided.empty() || x.want_snapshot || !x.confirmations.empty();
  append(out_.send, std::move(x.send));
  append(out_.writes, std::move(x.writes));
  // Leadership first: what is confirmed or decided in the same turn belongs to the new state.
  if (x.changed) {
    registrar_.lead(x.changed->leading);
    keeper_.leadership_changed(now_, *x.changed);
    steward_.leadership_changed(now_, *x.changed);
  }
  if (x.install) {
    registrar_.install(*x.install);
    making_.reset();
  }
  registrar_.apply(x.decided);
  if (x.want_snapshot) {
    making_ = std::move(x.want_snapshot);
    expected_.reset();
    // In one turn more may have been decided behind it.
    if (registrar_.last() == making_->last)
      expected_ = registrar_.image();
  }
  for (auto& done : x.confirmations)
    keeper_.confirmed(now_, done);
  return busy;
}

bool voter::pump_registrar() {
  auto x = registrar_.take_output();
  // Notes before answers leave: a node that hears of its session finds it known here.
  for (auto& note : x.notes)
    keeper_.applied(now_, note);
  if (!x.notes.empty())
    replica_.reign_in_force(now_, keeper_.reign());
  append(out_.to_nodes, std::move(x.send));
  return !x.notes.empty();
}

bool voter::pump_keeper() {
  keeper_.log_is_idle(replica_.get_proposer().idle());
  auto x = keeper_.take_output();
  for (auto& proposal : x.proposals)
    if (!replica_.propose(now_, {paxos::entry_kind::command, proposal.command}))
      keeper_.refused(proposal);
  for (auto id : x.confirms)
    if (replica_.state().leading)
      replica_.confirm(now_, id);
  for (auto& note : x.watermarks)
    registrar_.sync(note);
  bool busy =
    !x.proposals.empty() || !x.confirms.empty() || !x.reads.empty() || !x.watermarks.empty();
  for (auto& question : x.reads)
    registrar_.read(std::move(question));
  append(out_.to_nodes, std::move(x.send));
  return busy;
}

bool voter::pump_steward() {
  const auto& learner = replica_.get_learner();
  steward_.voters_are(learner.voters_since(), learner.voters());
  steward_.progress(learner.decided_upto(), learner.stored_upto(),
                    replica_.get_proposer().settled());
  auto x = steward_.take_output();
  const bool busy = x.proposal.has_value();
  if (busy && !replica_.propose(now_, {paxos::entry_kind::configure, encode(*x.proposal)}))
    steward_.refused();
  append(out_.to_nodes, std::move(x.send));
  append(out_.to_voters, std::move(x.reports));
  return busy;
}

void voter::ask_of(std::vector<voter_id> voters) {
  replica_.ask_of(voters);
  steward_.ask_of(std::move(voters));
}

const paxos::replica& voter::replica() const {
  return replica_;
}

const registry::machine& voter::machine() const {
  return registrar_.machine();
}

const paxos::leadership& voter::state() const {
  return replica_.state();
}

} // namespace paxtor::cluster
