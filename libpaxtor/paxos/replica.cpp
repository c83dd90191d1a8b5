#include "libpaxtor/paxos/replica.hpp"

#include <algorithm>
#include <iterator>

#include "libpaxtor/base/check.hpp"

namespace paxtor::paxos {

replica::replica(const recovered& state, configuration voters, timing times, limits bounds,
                 generator random, time_point now)
    : self_(state.self),
      acceptor_(state, bounds.promise_bytes),
      learner_(state.self, state, std::move(voters), times, bounds, now),
      proposer_(state.self, learner_.voters(), learner_.decided_upto(), acceptor_.promised(), times,
                bounds, random, now),
      now_(now) {}

void replica::step(time_point now, const envelope& what) {
  now_ = now;
  if (what.to != self_ || what.from == self_ || !what.from.valid() || is_local(what.what)) {
    ++dropped_;
    return;
  }
  deliver(what.from, what.to_role, what.what);
}

void replica::deliver(voter_id from, role to_role, const message& what) {
  switch (to_role) {
    case role::acceptor:
      acceptor_.step(from, what);
      return;
    case role::proposer:
      proposer_.step(now_, from, what);
      return;
    case role::learner:
      learner_.step(now_, from, what);
      return;
  }
  ++dropped_;
}

void replica::tick(time_point now) {
  now_ = now;
  learner_.tick(now);
  proposer_.tick(now);
}

bool replica::propose(time_point now, entry what) {
  now_ = now;
  return proposer_.propose(std::move(what));
}

void replica::confirm(time_point now, std::uint64_t id) {
  now_ = now;
  proposer_.confirm(now, id);
}

void replica::reign_in_force(time_point now, ballot at) {
  now_ = now;
  proposer_.reign_in_force(now, at);
}

void replica::persisted(time_point now, write_id id) {
  now_ = now;
  while (!writing_.empty() && writing_.front().id <= id) {
    const auto done = writing_.front();
    writing_.pop_front();
    if (done.by_acceptor.valid())
      acceptor_.persisted(done.by_acceptor);
    if (done.by_learner.valid())
      learner_.persisted(done.by_learner);
  }
}

void replica::snapshot_made(time_point now, slot upto, blob image) {
  now_ = now;
  learner_.snapshot_made(upto, std::move(image));
}

void replica::route(std::vector<outgoing>& all) {
  for (auto& what : all) {
    auto& to = what.to;
    const auto pos = std::find(to.begin(), to.end(), self_);
    if (pos != to.end()) {
      to.erase(pos);
      if (to.empty()) {
        queue_.push_back(local{what.to_role, std::move(what.what)});
        continue;
      }
      queue_.push_back(local{what.to_role, what.what});
    }
    PAXTOR_CHECK("L1", !is_local(what.what));
    out_.send.push_back(std::move(what));
  }
}

void replica::gather(std::vector<write>& all, write_id covered::*by) {
  for (auto& part : all) {
    open_.*by = part.id;
    std::move(part.ops.begin(), part.ops.end(), std::back_inserter(ops_));
  }
}

void replica::collect() {
  auto proposed = proposer_.take_output();
  route(proposed.send);
  std::move(proposed.confirmations.begin(), proposed.confirmations.end(),
            std::back_inserter(out_.confirmations));
  if (proposed.changed)
    out_.changed = proposed.changed;
  // What the proposer says to its own acceptor belongs to the same turn, and so to the same write.
  while (!queue_.empty()) {
    const auto next = std::move(queue_.front());
    queue_.pop_front();
    deliver(self_, next.to_role, next.what);
  }
  auto accepted = acceptor_.take_output();
  route(accepted.send);
  gather(accepted.writes, &covered::by_acceptor);

  auto learned = learner_.take_output();
  route(learned.send);
  gather(learned.writes, &covered::by_learner);
  if (learned.install) {
    out_.install = std::move(learned.install);
    out_.decided.clear();
    out_.want_snapshot.reset();
  }
  std::move(learned.decided.begin(), learned.decided.end(), std::back_inserter(out_.decided));
  if (learned.want_snapshot)
    out_.want_snapshot = std::move(learned.want_snapshot);
}

replica_output replica::take_output() {
  do {
    collect();
  } while (!queue_.empty());
  // One more look: the proposer may cut a batch for a slot that has just become free.
  for (bool silent = false; !silent;) {
    const auto before = out_.send.size();
    collect();
    silent = queue_.empty() && out_.send.size() == before;
  }
  if (!ops_.empty()) {
    last_write_ = last_write_.next();
    open_.id = last_write_;
    out_.writes.push_back(write{last_write_, std::exchange(ops_, {})});
    writing_.push_back(std::exchange(open_, {}));
  }
  return std::exchange(out_, {});
}

} // namespace paxtor::paxos
