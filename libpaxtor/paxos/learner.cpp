#include "libpaxtor/paxos/learner.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/paxos/batches.hpp"
#include "libpaxtor/paxos/bounds.hpp"
#include "libpaxtor/paxos/visit.hpp"

namespace paxtor::paxos {

namespace {

/// Ticks until an unanswered question is asked again, of another peer.
constexpr int patience_ticks = 4;

/// Election timeouts for which a superseded snapshot is kept for whoever is in the middle of it.
constexpr int older_snapshot_timeouts = 4;

} // namespace

learner::learner(voter_id self, const recovered& state, configuration voters, timing times,
                 limits bounds, time_point now)
    : self_(self),
      voters_(std::move(voters)),
      times_(times),
      bounds_(bounds),
      heard_at_(now),
      progress_at_(now),
      ask_again_at_(now) {
  if (state.snapshot) {
    decided_upto_ = state.snapshot->upto;
    last_index_ = state.snapshot->last;
    voters_ = state.snapshot->voters;
    changed_at_ = state.snapshot->voters_since;
    log_first_ = decided_upto_.next();
    out_.install = state.snapshot;
    source_.publish(*state.snapshot);
  }
  for (const auto& [where, value] : state.accepted) {
    if (where > decided_upto_ && where.value - decided_upto_.value <= max_slots_ahead)
      on_value(now, value.at, where, value.value);
  }
}

void learner::step(time_point now, voter_id from, const message& what) {
  auto drop = [this] { ++dropped_; };
  auto local = [&](auto&& handle) { from == self_ ? handle() : drop(); };
  auto remote = [&](auto&& handle) { from != self_&& from.valid() ? handle() : drop(); };
  std::visit(
    overloaded{
      [&](const accepted& x) { on_accepted(now, from, x); },
      [&](const proposed& x) {
        local([&] {
          heard_at_ = now;
          on_value(now, x.at, x.where, x.value);
        });
      },
      [&](const accepted_here& x) { local([&] { on_value(now, x.at, x.where, x.value); }); },
      [&](const already_decided& x) { local([&] { on_already_decided(now, x); }); },
      [&](const observed& x) { local([&] { on_observed(now, x); }); },
      [&](const learn& x) { remote([&] { on_learn(now, from, x); }); },
      [&](const learned_values& x) { remote([&] { on_learned(now, from, x); }); },
      [&](const snapshot_chunk& x) { remote([&] { on_chunk(now, from, x); }); },
      [&](const learn_snapshot& x) {
        remote([&] {
          if (auto part = source_.chunk(now, x, bounds_.chunk_bytes))
            send(from, role::learner, std::move(*part));
        });
      },
      [&](const prevote_request&) { drop(); },
      [&](const prevote_reply&) { drop(); },
      [&](const prepare&) { drop(); },
      [&](const promise&) { drop(); },
      [&](const rejected&) { drop(); },
      [&](const accept&) { drop(); },
      [&](const heartbeat&) { drop(); },
      [&](const heartbeat_reply&) { drop(); },
      [&](const advanced&) { drop(); },
      [&](const truncate&) { drop(); },
    },
    what);
}

learner::pending* learner::find(time_point now, slot where) {
  if (where <= decided_upto_)
    return nullptr;
  const auto ahead = where.value - decided_upto_.value;
  if (ahead > max_slots_ahead) {
    ++dropped_;
    return nullptr;
  }
  if (window_.empty())
    progress_at_ = now;
  if (window_.size() < ahead)
    window_.resize(ahead);
  return &window_[ahead - 1];
}

void learner::on_value(time_point now, ballot at, slot where, const batch& value) {
  auto* here = find(now, where);
  // I8: what is decided stays; else the highest ballot's value is the one that counts.
  if (here == nullptr || here->decided || at < here->value_at)
    return;
  here->value_at = at;
  here->value = value;
  // A leader's word overtook its value.
  if (where <= heard_.decided_upto && at == heard_.at)
    here->decided = here->told = true;
  advance(now);
}

void learner::on_accepted(time_point now, voter_id from, const accepted& told) {
  // Only the leader of the ballot counts, and only voters count (L2).
  if (told.at.voter != self_ || !told.at.valid()) {
    ++dropped_;
    return;
  }
  const auto member = std::find_if(voters_.members.begin(), voters_.members.end(),
                                   [from](const auto& x) { return x.id == from; });
  if (member == voters_.members.end()) {
    ++dropped_;
    return;
  }
  auto* here = find(now, told.where);
  if (here == nullptr || told.at < here->votes_at)
    return;
  if (told.at > here->votes_at) {
    here->votes_at = told.at;
    here->votes = 0;
  }
  // L2: distinct voters: the same one twice sets the same bit.
#ifdef PAXTOR_CANARY_VOTERS_COUNT_TWICE
  here->votes = here->votes << 1 | 1;
#else
  here->votes |= std::uint64_t{1} << (member - voters_.members.begin());
#endif
  advance(now);
}

void learner::on_already_decided(time_point now, const already_decided& found) {
  heard_at_ = now;
  for (const auto& [where, value] : found.values) {
    auto* here = find(now, where);
    if (here == nullptr)
      continue;
    // I8: votes counted here, and votes told by promises, are for one value.
    PAXTOR_CHECK("I8", !here->decided || here->told || here->value == value);
    if (here->decided)
      continue;
    here->value = value;
    // Counted by this voter: nothing of it was told by another's learner.
    here->decided = true;
  }
  advance(now);
}

void learner::on_observed(time_point now, const observed& told) {
  heard_at_ = now;
  if (told.decided_upto > behind_upto_)
    behind_upto_ = told.decided_upto;
  // The leader of `told.at` says so only of slots that it counted, or had learned before it could
  // propose there (`advanced::told_upto`). So what it proposed in such a slot in this very ballot
  // is the decided value. What was accepted in another ballot may be something else: that is asked
  // for.
  for (std::size_t i = 0; i < window_.size(); ++i) {
    if (decided_upto_.value + 1 + i > told.decided_upto.value)
      break;
    auto& here = window_[i];
    if (!here.decided && here.value_at.valid() && here.value_at == told.at)
      here.decided = here.told = true;
  }
  if (told.at >= heard_.at)
    heard_ = told;
  advance(now);
}

bool learner::settled(pending& front) const {
  if (front.decided)
    return true;
  // L2: a majority of the slot's configuration, in one ballot, whose value is known here. This is
  // asked only of the first slot that is open, so `voters_` follows from the whole log before it
  // (L6).
  auto needed = voters_.majority();
#ifdef PAXTOR_CANARY_OLD_VOTERS_COUNT
  // After a voter was added it counts as if it had not been.
  if (changed_at_.valid())
    needed = (voters_.members.size() - 1) / 2 + 1;
#endif
  if (front.votes_at.valid() && front.votes_at == front.value_at
      && static_cast<std::size_t>(std::popcount(front.votes)) >= needed)
    front.decided = true;
  return front.decided;
}

void learner::advance(time_point now) {
  while (!window_.empty() && settled(window_.front())) {
    auto value = std::move(window_.front().value);
    if (window_.front().told)
      told_upto_ = decided_upto_.next();
    window_.pop_front();
    hand_out(std::move(value));
    progress_at_ = now;
  }
}

void learner::hand_out(batch value) {
  decided_upto_ = decided_upto_.next();
  std::vector<entry> entries;
  if (!entries_of(value, entries)) {
    // Decided garbage is empty on every replica alike.
    ++dropped_;
    entries.clear();
  }
  entries_since_ += entries.size();
  bytes_since_ += value.size();
  for (auto& what : entries) {
    if (auto voters = configuration_of(what)) {
      // L6: in force from the next slot on. Votes counted by the old numbering are void.
      voters_ = std::move(*voters);
      changed_at_ = decided_upto_;
      for (auto& open : window_)
        open.votes = 0;
    }
    last_index_ = last_index_.next();
    out_.decided.push_back(decided_entry{last_index_, decided_upto_, std::move(what)});
  }
  log_.push_back(std::move(value));
}

void learner::on_learn(time_point now, voter_id from, const learn& asked) {
  if (!asked.from.valid()) {
    ++dropped_;
    return;
  }
  if (asked.from > decided_upto_)
    return;
  if (asked.from < log_first_) {
#ifndef PAXTOR_CANARY_LAGGARDS_GET_NO_IMAGE
    // L4: behind our log: only a snapshot helps.
    if (auto part = source_.chunk(now, {source_.upto(), 0}, bounds_.chunk_bytes))
      send(from, role::learner, std::move(*part));
#endif
    return;
  }
  learned_values answer{asked.from, {}, decided_upto_};
  std::size_t bytes = 0;
  for (auto i = asked.from.value - log_first_.value; i < log_.size(); ++i) {
    if (bytes >= bounds_.chunk_bytes || answer.values.size() >= max_slots_learned)
      break;
    bytes += log_[i].size();
    answer.values.push_back(log_[i]);
  }
  send(from, role::learner, std::move(answer));
}

void learner::on_learned(time_point now, voter_id from, const learned_values& told) {
  if (!told.first.valid() || told.first.value > decided_upto_.value + max_slots_ahead) {
    ++dropped_;
    return;
  }
  const auto before = decided_upto_;
  auto where = told.first;
  for (const auto& value : told.values) {
    if (auto* here = find(now, where)) {
      if (!here->decided) {
        here->value = value;
        here->decided = here->told = true;
      }
    }
    where = where.next();
  }
  advance(now);
  if (decided_upto_ > before && told.decided_upto > decided_upto_)
    ask(now, from, patience_ticks * times_.tick);
}

void learner::on_chunk(time_point now, voter_id from, const snapshot_chunk& part) {
  if (!snapshot_sink::acceptable(part)) {
    ++dropped_;
    return;
  }
  if (part.upto <= decided_upto_)
    return;
  if (!sink_ || !sink_->matches(from, part)) {
    // One source at a time; it may have moved on to a newer snapshot.
    if (sink_ && (sink_->source() != from || part.upto <= sink_->upto()))
      return;
    if (part.offset != 0)
      return;
    // Only from who was asked: an image is believed, so a stranger's must not get in.
    if (std::find(asked_.begin(), asked_.end(), from) == asked_.end()) {
      ++dropped_;
      return;
    }
    sink_.emplace(from, part);
  }
  if (!sink_->add(part))
    return;
  if (sink_->complete()) {
    auto image = sink_->take();
    sink_.reset();
    if (image.upto <= decided_upto_)
      return;
    if (image.last < last_index_) {
      ++dropped_;
      return;
    }
    install(now, std::move(image));
    ask(now, from, patience_ticks * times_.tick);
    return;
  }
  send(from, role::learner, sink_->next());
  ask_again_at_ = now + patience_ticks * times_.tick;
}

void learner::install(time_point now, write_snapshot image) {
  PAXTOR_CHECK("I9", image.upto > decided_upto_ && image.last >= last_index_);
  while (!window_.empty() && decided_upto_ < image.upto) {
    window_.pop_front();
    decided_upto_ = decided_upto_.next();
  }
  decided_upto_ = image.upto;
  told_upto_ = image.upto;
  last_index_ = image.last;
  voters_ = image.voters;
  changed_at_ = image.voters_since;
  for (auto& open : window_)
    open.votes = 0;
  log_.clear();
  log_first_ = decided_upto_.next();
  // The image holds what was decided in this turn and not yet handed out.
  out_.decided.clear();
  out_.install = image;
  // What is being made would be older than this.
  out_.want_snapshot.reset();
  making_.reset();
  entries_since_ = 0;
  bytes_since_ = 0;
  progress_at_ = now;
  last_write_ = last_write_.next();
  out_.writes.push_back(write{last_write_, {image}});
  writing_.emplace_back(last_write_, std::move(image));
  advance(now);
}

snapshot_task learner::begin_snapshot() {
  making_ = write_snapshot{decided_upto_, last_index_, voters_, {}, changed_at_};
  entries_since_ = 0;
  bytes_since_ = 0;
  snapshot_task task{source_.newest(), {}, decided_upto_, last_index_};
  const auto first = source_.upto().next();
  // I10: so all that is behind the snapshot before is still here.
  PAXTOR_CHECK("I10", log_first_ <= first && first <= decided_upto_.next());
  const auto skipped = static_cast<std::ptrdiff_t>(first.value - log_first_.value);
  task.since.assign(log_.begin() + skipped, log_.end());
  return task;
}

void learner::snapshot_made(slot upto, blob image) {
  if (!making_ || making_->upto != upto)
    return;
  auto made = *std::exchange(making_, std::nullopt);
  made.image = std::move(image);
  last_write_ = last_write_.next();
  out_.writes.push_back(write{last_write_, {made}});
  writing_.emplace_back(last_write_, std::move(made));
}

void learner::persisted(write_id id) {
  while (!writing_.empty() && writing_.front().first <= id) {
    auto image = std::move(writing_.front().second);
    writing_.pop_front();
    const auto upto = image.upto;
    source_.publish(std::move(image));
    // I10, L4: never before the snapshot is durable, and some slots are kept for those slightly
    // behind.
    if (upto.value > bounds_.slots_kept)
      cut_log(slot{upto.value - bounds_.slots_kept});
  }
}

void learner::cut_log(slot upto) {
  PAXTOR_CHECK("I10", upto <= source_.upto());
  while (log_first_ <= upto && !log_.empty()) {
    log_.pop_front();
    log_first_ = log_first_.next();
  }
  send(self_, role::acceptor, truncate{upto});
}

void learner::tick(time_point now) {
  source_.tick(now, older_snapshot_timeouts * times_.election_max);
  if (now < ask_again_at_)
    return;
  const auto patience = patience_ticks * times_.tick;
  if (sink_) {
    if (sink_->give_up()) {
      sink_.reset();
    } else {
      send(sink_->source(), role::learner, sink_->next());
      ask_again_at_ = now + patience;
      return;
    }
  }
  const bool behind = decided_upto_ < behind_upto_;
  // Votes that got lost, or slots that were decided without us: somebody else may know.
  const bool stuck = !window_.empty() && now - progress_at_ >= times_.election_min;
  const bool silent = now - heard_at_ >= times_.election_max;
  const bool standby = !voters_.contains(self_);
  if (!behind && !stuck && !silent && !standby)
    return;
  // A leader's word is answered soon; without one this is only a look around.
  ask(now, next_peer(), behind ? patience : standby ? times_.heartbeat : times_.election_max);
}

voter_id learner::next_peer() {
  const auto turn = peer_turn_++;
  // The leader first, then the others by turns: one of them is reachable under a partial cut.
  if (turn % 2 == 0 && heard_.at.voter.valid() && heard_.at.voter != self_)
    return heard_.at.voter;
  // This log may be behind what others say of the voters, or ahead of it; a voter's, too: all those
  // that it names may be gone.
  auto all = known_voters_;
  for (const auto& member : voters_.members)
    if (std::find(all.begin(), all.end(), member.id) == all.end())
      all.push_back(member.id);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto id = all[(turn / 2 + i) % all.size()];
    if (id != self_)
      return id;
  }
  return {};
}

void learner::ask(time_point now, voter_id peer, duration patience) {
  ask_again_at_ = now + patience;
  if (!peer.valid())
    return;
  if (std::find(asked_.begin(), asked_.end(), peer) == asked_.end()) {
    if (asked_.size() >= max_asked)
      asked_.erase(asked_.begin());
    asked_.push_back(peer);
  }
  send(peer, role::learner, learn{decided_upto_.next()});
}

void learner::send(voter_id to, role to_role, message what) {
  out_.send.push_back(outgoing{{to}, to_role, std::move(what)});
}

bool learner::snapshot_near() const {
  return entries_since_ >= bounds_.snapshot_entries / 10 * 9
         || bytes_since_ >= bounds_.snapshot_bytes / 10 * 9;
}

bool learner::snapshot_due() const {
  if (entries_since_ >= bounds_.snapshot_entries || bytes_since_ >= bounds_.snapshot_bytes)
    return true;
  // L6: a change of the voters is complete once a majority of them has stored an image that covers
  // it: what only those before them had accepted is not needed from then on.
  const auto newest = writing_.empty() ? source_.upto() : writing_.back().second.upto;
  return changed_at_ > newest;
}

learner_output learner::take_output() {
  PAXTOR_CHECK("I9", out_.decided.empty() || out_.decided.back().at == last_index_);
  PAXTOR_CHECK("I9", out_.install || out_.decided.empty()
                       || out_.decided.front().at == handed_index_.next());
  if (advanced_upto_ < decided_upto_) {
    advanced_upto_ = decided_upto_;
    // First of all, so that no decision is seen before the own proposer can know of it.
    advanced news{decided_upto_, voters_, told_upto_};
    out_.send.insert(out_.send.begin(), outgoing{{self_}, role::proposer, std::move(news)});
  }
  handed_index_ = last_index_;
  // One at a time: the next one is made of the one before, and of the log that it lets us cut.
  if (!making_ && writing_.empty() && snapshot_due()) {
    out_.want_snapshot = begin_snapshot();
#ifdef PAXTOR_CANARY_TRUNCATE_BEFORE_SNAPSHOT
    if (decided_upto_.value > bounds_.slots_kept)
      send(self_, role::acceptor, truncate{slot{decided_upto_.value - bounds_.slots_kept}});
#endif
  }
  return std::exchange(out_, {});
}

} // namespace paxtor::paxos
