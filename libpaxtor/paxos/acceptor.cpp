#include "libpaxtor/paxos/acceptor.hpp"

#include <algorithm>
#include <utility>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/paxos/bounds.hpp"
#include "libpaxtor/paxos/visit.hpp"

namespace paxtor::paxos {

acceptor::acceptor(const recovered& state, std::size_t part_bytes)
    : self_(state.self),
      promised_(state.promised),
      accepted_(state.accepted),
      truncated_upto_(state.truncated_upto),
      part_bytes_(part_bytes) {
  // An acceptance implies the promise of its ballot.
  for (const auto& [where, value] : accepted_)
    promised_ = std::max(promised_, value.at);
}

void acceptor::step(voter_id from, const message& what) {
  [[maybe_unused]] const auto before = promised_;
  auto not_mine = [this] { ++dropped_; };
  std::visit(overloaded{
               [&](const prepare& x) { on_prepare(from, x); },
               [&](const accept& x) { on_accept(from, x); },
               [&](const heartbeat& x) { on_heartbeat(from, x); },
               [&](const truncate& x) { on_truncate(from, x); },
               [&](const prevote_request&) { not_mine(); },
               [&](const prevote_reply&) { not_mine(); },
               [&](const promise&) { not_mine(); },
               [&](const rejected&) { not_mine(); },
               [&](const accepted&) { not_mine(); },
               [&](const heartbeat_reply&) { not_mine(); },
               [&](const learn&) { not_mine(); },
               [&](const learned_values&) { not_mine(); },
               [&](const snapshot_chunk&) { not_mine(); },
               [&](const learn_snapshot&) { not_mine(); },
               [&](const proposed&) { not_mine(); },
               [&](const accepted_here&) { not_mine(); },
               [&](const observed&) { not_mine(); },
               [&](const advanced&) { not_mine(); },
               [&](const already_decided&) { not_mine(); },
             },
             what);
  PAXTOR_CHECK("I1", promised_ >= before);
}

bool acceptor::below_promise([[maybe_unused]] ballot at) const {
#ifdef PAXTOR_CANARY_ACCEPTOR_FORGETS_PROMISE
  return false;
#else
  return at < promised_;
#endif
}

void acceptor::on_prepare(voter_id from, const prepare& asked) {
  if (asked.at.voter != from || !plausible(asked.at, promised_) || !asked.from.valid()) {
    ++dropped_;
    return;
  }
  // L2: an acceptor keeps its highest promise. The same ballot again is a repeated question.
  if (below_promise(asked.at)) {
    reject(from, asked.at);
    return;
  }
  raise_promise(asked.at);
  send_promise(from, asked);
}

void acceptor::on_accept(voter_id from, const accept& asked) {
  if (asked.at.voter != from || !plausible(asked.at, promised_)
      || asked.decided_upto >= asked.where) {
    ++dropped_;
    return;
  }
  // L2: an acceptor accepts nothing below its promise.
  if (below_promise(asked.at)) {
    reject(from, asked.at);
    return;
  }
  observe(asked.at, asked.decided_upto, false);
  // What is truncated is decided; a leader that still asks will learn it from a learner.
  if (asked.where <= truncated_upto_)
    return;
  if (asked.where.value - asked.decided_upto.value > max_slots_ahead
      || asked.where.value - truncated_upto_.value > max_slots_held) {
    ++dropped_;
    return;
  }
  auto [pos, added] = accepted_.try_emplace(asked.where);
  auto& here = pos->second;
  if (!added && here.at == asked.at) {
    // One ballot has one value per slot; a leader that says otherwise is not believed.
    if (!(here.value == asked.value)) {
      ++dropped_;
      return;
    }
  } else {
#ifndef PAXTOR_CANARY_ACCEPTOR_FORGETS_PROMISE
    PAXTOR_CHECK("I1", asked.at >= promised_);
    PAXTOR_CHECK("I2", here.at < asked.at);
#endif
    raise_promise(asked.at);
    here = accepted_value{asked.at, asked.value};
    cut_.reset();
    ops_.emplace_back(write_accepted{asked.where, here});
  }
  // L1: only after the acceptance is durable. It is counted where the ballot is led.
  send_after(rests_on(), asked.at.voter, role::learner, accepted{asked.at, asked.where});
  // The own learner hears at once: which value the ballot has in this slot does not rest on our
  // disk, and nothing is concluded from it until a leader says that the slot is decided. The
  // leader's own learner has it from its proposer.
  if (asked.at.voter != self_)
    send(self_, role::learner, accepted_here{asked.at, asked.where, asked.value});
}

void acceptor::on_heartbeat(voter_id from, const heartbeat& asked) {
  if (asked.at.voter != from || !plausible(asked.at, promised_)) {
    ++dropped_;
    return;
  }
#ifndef PAXTOR_CANARY_CONFIRMS_BELOW_PROMISE
  // S1: a heartbeat is confirmed only while nothing above its ballot is promised.
  if (below_promise(asked.at)) {
    reject(from, asked.at);
    return;
  }
#endif
  observe(asked.at, asked.decided_upto, true);
  // I3: the confirmation rests on the promise alone.
  send_after(promise_write_, from, role::proposer, heartbeat_reply{asked.at, asked.round});
}

void acceptor::on_truncate(voter_id from, const truncate& asked) {
  if (from != self_) {
    ++dropped_;
    return;
  }
  // L4: the own learner says so only once its snapshot is durable.
  if (asked.upto <= truncated_upto_)
    return;
  truncated_upto_ = asked.upto;
  cut_.reset();
  accepted_.erase(accepted_.begin(), accepted_.upper_bound(truncated_upto_));
  PAXTOR_CHECK("I4", accepted_.empty() || accepted_.begin()->first > truncated_upto_);
  ops_.emplace_back(write_truncate{truncated_upto_});
}

void acceptor::raise_promise(ballot at) {
  if (at <= promised_)
    return;
  promised_ = at;
  ops_.emplace_back(write_promise{at});
  promise_write_ = rests_on();
}

void acceptor::reject(voter_id proposer, ballot asked) {
  send(proposer, role::proposer, rejected{asked, promised_});
}

const acceptor::cut& acceptor::cut_from(slot from) {
  if (cut_ && cut_->from == from)
    return *cut_;
  cut_ = cut{from, {from}};
  std::size_t bytes = 0;
  for (auto i = accepted_.lower_bound(from); i != accepted_.end(); ++i) {
    if (bytes > part_bytes_) {
      cut_->begins.push_back(i->first);
      bytes = 0;
    }
    bytes += i->second.value.size() + sizeof(accepted_value);
  }
  return *cut_;
}

void acceptor::send_promise(voter_id proposer, const prepare& asked) {
  // Between two questions nothing is accepted below the promise; a truncation cuts anew, and says
  // so.
  const auto& begins = cut_from(asked.from).begins;
  const auto parts = static_cast<std::uint32_t>(begins.size());
  const auto first = asked.part < parts ? asked.part : 0;
  for (auto part = first; part < parts && part - first < promise_parts_at_once; ++part) {
    promise what{asked.at, part, parts, {}, truncated_upto_, asked.from};
    const auto end = part + 1 < parts ? accepted_.lower_bound(begins[part + 1]) : accepted_.end();
    for (auto i = accepted_.lower_bound(begins[part]); i != end; ++i)
      what.accepted.emplace_hint(what.accepted.end(), *i);
    send_after(rests_on(), proposer, role::proposer, std::move(what));
  }
}

void acceptor::send(voter_id to, role to_role, message what) {
  out_.send.push_back(outgoing{{to}, to_role, std::move(what)});
}

void acceptor::send_after(write_id after, voter_id to, role to_role, message what) {
#ifdef PAXTOR_CANARY_ANSWER_BEFORE_PERSISTED
  after = durable_;
#endif
  if (after <= durable_) {
    send(to, to_role, std::move(what));
    return;
  }
  if (held_.size() >= max_replies_held) {
    ++dropped_;
    return;
  }
  // Kept in order of `after`, so that `persisted` releases a prefix.
  if (!held_.empty())
    after = std::max(after, held_.back().after);
  held_.push_back(held{after, outgoing{{to}, to_role, std::move(what)}});
}

write_id acceptor::rests_on() const {
  return ops_.empty() ? last_write_ : last_write_.next();
}

void acceptor::persisted(write_id id) {
  PAXTOR_CHECK("I3", id <= last_write_);
  durable_ = std::max(durable_, id);
  while (!held_.empty() && held_.front().after <= durable_) {
    out_.send.push_back(std::move(held_.front().what));
    held_.pop_front();
  }
}

void acceptor::observe(ballot at, slot decided_upto, bool sign_of_life) {
  // What two leaders say in one turn is told one after the other.
  if (heard_ && heard_->at != at)
    tell_observed();
  if (!heard_)
    heard_ = observed{at, decided_upto};
  heard_->decided_upto = std::max(heard_->decided_upto, decided_upto);
  sign_of_life_ = sign_of_life_ || sign_of_life;
}

void acceptor::tell_observed() {
  if (!heard_)
    return;
  auto what = *std::exchange(heard_, std::nullopt);
  const bool alive = std::exchange(sign_of_life_, false) || what.at != told_.at;
  const bool news = what.at != told_.at || what.decided_upto > told_.decided_upto;
  told_ = what;
  // The leader's own learner counts for itself, and its proposer knows that it leads.
  if (what.at.voter == self_) {
    if (alive)
      send(self_, role::learner, what);
    return;
  }
  if (alive || news)
    send(self_, role::learner, what);
  if (alive)
    send(self_, role::proposer, what);
}

acceptor_output acceptor::take_output() {
  tell_observed();
  if (!ops_.empty()) {
    last_write_ = last_write_.next();
    out_.writes.push_back(write{last_write_, std::exchange(ops_, {})});
  }
  return std::exchange(out_, {});
}

} // namespace paxtor::paxos
