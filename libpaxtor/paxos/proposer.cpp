#include "libpaxtor/paxos/proposer.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "libpaxtor/paxos/bounds.hpp"
#include "libpaxtor/paxos/visit.hpp"

namespace paxtor::paxos {

namespace {

/// Ticks until what was not answered is sent again; for accepts this doubles, up to an election
/// timeout.
constexpr int resend_ticks = 4;

} // namespace

proposer::proposer(voter_id self, configuration voters, slot decided_upto, ballot highest_seen,
                   timing times, limits bounds, generator random, time_point now)
    : self_(self),
      voters_(std::move(voters)),
      decided_upto_(decided_upto),
      highest_seen_(highest_seen),
      times_(times),
      bounds_(bounds),
      now_(now),
      election_(self, times, random, now),
      prepared_at_(now),
      round_at_(now),
      majority_at_(now) {}

void proposer::step(time_point now, voter_id from, const message& what) {
  now_ = now;
  auto drop = [this] { ++dropped_; };
  auto local = [&](auto&& handle) { from == self_ ? handle() : drop(); };
  std::visit(overloaded{
               [&](const prevote_request& x) { on_prevote_request(from, x); },
               [&](const prevote_reply& x) { on_prevote_reply(from, x); },
               [&](const promise& x) { on_promise(from, x); },
               [&](const rejected& x) { on_rejected(from, x); },
               [&](const heartbeat_reply& x) { on_heartbeat_reply(from, x); },
               [&](const observed& x) { local([&] { on_observed(x); }); },
               [&](const advanced& x) { local([&] { on_advanced(x); }); },
               [&](const prepare&) { drop(); },
               [&](const accept&) { drop(); },
               [&](const accepted&) { drop(); },
               [&](const heartbeat&) { drop(); },
               [&](const learn&) { drop(); },
               [&](const learned_values&) { drop(); },
               [&](const snapshot_chunk&) { drop(); },
               [&](const learn_snapshot&) { drop(); },
               [&](const proposed&) { drop(); },
               [&](const accepted_here&) { drop(); },
               [&](const truncate&) { drop(); },
               [&](const already_decided&) { drop(); },
             },
             what);
}

void proposer::tick(time_point now) {
  now_ = now;
  switch (phase_) {
    case phase::following:
    case phase::asking:
      // L6: who is no voter does not campaign.
      if (election_.due(now_) && voters_.contains(self_))
        ask_votes();
      break;
    case phase::preparing:
      if (election_.due(now_)) {
        stand_down();
        ask_votes();
      } else if (now_ - prepared_at_ >= resend_ticks * times_.tick) {
        send_prepares();
      }
      break;
    case phase::leading:
      lead_on();
      break;
  }
}

// -- election (L3)
// ----------------------------------------------------------------------------------

void proposer::ask_votes() {
  phase_ = phase::asking;
  follow({false, state_.at, {}});
  // A round above all that was seen: so a voter uses a round at most once.
  const ballot next{highest_seen_.round + 1, self_};
  election_.begin(now_, next);
  if (auto to = others(); !to.empty())
    send(std::move(to), role::proposer, prevote_request{next, decided_upto_});
#ifdef PAXTOR_CANARY_NO_PREVOTE
  start_phase_one();
#else
  if (election_.won(voters_))
    start_phase_one();
#endif
}

void proposer::on_prevote_request(voter_id from, const prevote_request& asked) {
  if (asked.next.voter != from || from == self_ || !plausible(asked.next, highest_seen_)) {
    ++dropped_;
    return;
  }
  // L3: nobody is helped against a leader that is heard, or that we are: a leader counts as heard
  // while a majority confirms it. A candidate that has won a pre-vote is given its time too.
  const bool reigning = phase_ == phase::leading && now_ - majority_at_ < times_.election_min;
  const bool busy = reigning || phase_ == phase::preparing || election_.hears_other(now_, from);
  const bool granted = !busy && voters_.contains(from) && asked.next > highest_seen_;
  send({from}, role::proposer, prevote_reply{asked.next, granted, highest_seen_});
}

void proposer::on_prevote_reply(voter_id from, const prevote_reply& told) {
  const bool absurd = told.highest_seen.valid() && !plausible(told.highest_seen, highest_seen_);
  if (from == self_ || absurd) {
    ++dropped_;
    return;
  }
  if (phase_ != phase::asking || told.next != election_.asked() || !voters_.contains(from))
    return;
  saw(told.highest_seen);
  if (!told.granted)
    return;
  election_.grant(from, voters_);
  if (election_.won(voters_) && election_.asked() > highest_seen_)
    start_phase_one();
}

void proposer::saw(ballot at) {
  highest_seen_ = std::max(highest_seen_, at);
}

void proposer::follow(leadership next) {
  state_ = next;
}

void proposer::on_observed(const observed& told) {
  if (told.at < state_.at || told.at.voter == self_)
    return;
  if ((phase_ == phase::leading || phase_ == phase::preparing) && told.at < ballot_)
    return;
  saw(told.at);
  stand_down();
  phase_ = phase::following;
  follow({false, told.at, told.at.voter});
  election_.heard(now_, told.at.voter);
}

void proposer::stand_down() {
  phase_one_.reset();
  pipeline_.reset();
  rounds_ = {};
  out_.confirmations.clear();
  phase_ = phase::following;
  if (state_.leading)
    follow({false, state_.at, {}});
}

void proposer::reign_in_force(time_point now, [[maybe_unused]] ballot at) {
  now_ = now;
#ifndef PAXTOR_CANARY_REIGNS_BELOW_THE_LOG
  saw(at);
  // Learned too late: no renewal would ever be answered in a reign that nobody takes for one.
  if ((phase_ == phase::preparing || phase_ == phase::leading) && at > ballot_) {
    stand_down();
    election_.retreat(now_);
  }
#endif
}

void proposer::on_rejected(voter_id from, const rejected& told) {
  if (!plausible(told.promised, highest_seen_) || told.promised <= told.asked) {
    ++dropped_;
    return;
  }
  if ((phase_ != phase::preparing && phase_ != phase::leading) || told.asked != ballot_)
    return;
  // In phase 1 voters may have been asked that only the recovered log names (L6).
  const auto all = in_force();
  const bool asked_of = phase_ == phase::preparing
                        || std::any_of(all.begin(), all.end(), [from](const configuration& part) {
                             return part.contains(from);
                           });
  if (!asked_of) {
    ++dropped_;
    return;
  }
  saw(told.promised);
  stand_down();
  // Its leader shows soon; if there is none, we try above it.
  election_.retreat(now_);
}

// -- phase 1
// ----------------------------------------------------------------------------------------

void proposer::start_phase_one() {
  ballot_ = election_.asked();
  saw(ballot_);
  election_.campaign(now_);
  phase_ = phase::preparing;
  phase_one_.emplace(self_, ballot_, decided_upto_.next());
  send_prepares();
}

void proposer::send_prepares() {
  prepared_at_ = now_;
  // Whoever has begun to answer is asked for the rest.
  std::map<std::uint32_t, std::vector<voter_id>> to;
  for (const auto id : phase_one_->missing(decided_upto_, voters_))
    to[phase_one_->next_part(id)].push_back(id);
  for (auto& [part, ids] : to)
    send(std::move(ids), role::acceptor, prepare{ballot_, phase_one_->from(), part});
}

void proposer::on_promise(voter_id from, const promise& told) {
  if (phase_ != phase::preparing)
    return;
  const auto before = phase_one_->missing(decided_upto_, voters_);
  const auto parts = phase_one_->parts();
  if (!phase_one_->add(from, told)) {
    ++dropped_;
    return;
  }
  if (phase_one_->parts() > parts && !phase_one_->promised(from))
    ask_on(from);
  // What was truncated elsewhere is learned first: our learner asks for it.
  if (phase_one_->truncated_upto() > decided_upto_)
    send({self_}, role::learner, observed{ballot_, phase_one_->truncated_upto()});
  // L6: the recovered log may pass through voters that were not asked yet.
  const auto after = phase_one_->missing(decided_upto_, voters_);
  const bool more = std::any_of(after.begin(), after.end(), [&before](voter_id id) {
    return std::find(before.begin(), before.end(), id) == before.end();
  });
  if (more)
    send_prepares();
  try_finish_phase_one();
}

void proposer::ask_on(voter_id from) {
  if (const auto part = phase_one_->ask_on(from))
    send({from}, role::acceptor, prepare{ballot_, phase_one_->from(), *part});
#ifndef PAXTOR_CANARY_LONG_LOGS_TIME_OUT
  // L3: a long log may take longer to tell than an election timeout. While it comes the candidate
  // goes on, and a sign of life keeps the others from trying: who tells its log would promise them,
  // and all would begin anew.
  election_.campaign(now_);
  prepared_at_ = now_;
  if (now_ - round_at_ < times_.heartbeat)
    return;
  round_at_ = now_;
  // A round that confirms nothing.
  if (auto to = others(); !to.empty())
    send(std::move(to), role::acceptor, heartbeat{ballot_, 0, decided_upto_});
#endif
}

void proposer::try_finish_phase_one() {
  if (phase_ != phase::preparing || !phase_one_->complete(decided_upto_, voters_))
    return;
  phase_ = phase::leading;
  pipeline_.emplace(ballot_, bounds_, decided_upto_,
                    phase_one_->take_values(decided_upto_, voters_));
  phase_one_.reset();
  rounds_ = {};
  majority_at_ = now_;
  follow({true, ballot_, self_});
  start_round();
}

// -- phase 2
// ----------------------------------------------------------------------------------------

bool proposer::propose(entry what) {
  return phase_ == phase::leading && pipeline_->add(what);
}

bool proposer::settled() const {
  return phase_ == phase::leading && decided_upto_ >= pipeline_->reign_slot()
         && !pipeline_->changing();
}

bool proposer::idle() const {
  return phase_ == phase::leading && pipeline_->idle();
}

void proposer::confirm(time_point now, std::uint64_t id) {
  now_ = now;
  // What anybody can know as decided at this moment lies at or below what we have proposed, and our
  // own reign's entry is part of it (S2).
  if (phase_ == phase::leading)
    rounds_.ask(id, pipeline_->bound());
}

std::vector<configuration> proposer::in_force() const {
  // L6: while a configure is in flight its voters may already have decided without our hearing it,
  // so a confirmation needs a majority of both.
  std::vector<configuration> result{voters_};
#ifndef PAXTOR_CANARY_OLD_VOTERS_CONFIRM
  if (pipeline_ && pipeline_->changing())
    result.push_back(*pipeline_->changing());
#endif
  return result;
}

void proposer::start_round() {
  round_at_ = now_;
  announced_upto_ = decided_upto_;
  std::vector<voter_id> to;
  for (const auto& part : in_force()) {
    for (const auto& member : part.members) {
      if (std::find(to.begin(), to.end(), member.id) == to.end())
        to.push_back(member.id);
    }
  }
  send(std::move(to), role::acceptor, heartbeat{ballot_, rounds_.start(), decided_upto_});
}

void proposer::on_heartbeat_reply(voter_id from, const heartbeat_reply& told) {
  if (phase_ != phase::leading || told.at != ballot_ || told.round == 0)
    return;
  if (!rounds_.reply(from, told.round)) {
    ++dropped_;
    return;
  }
  if (!rounds_.settle(in_force()))
    return;
  majority_at_ = now_;
  auto done = rounds_.take_confirmed();
  out_.confirmations.insert(out_.confirmations.end(), done.begin(), done.end());
}

void proposer::lead_on() {
#ifndef PAXTOR_CANARY_UNHEARD_LEADER_STAYS
  // L3: a leader that has not heard a majority for an election timeout steps down.
  if (now_ - majority_at_ >= times_.election_max) {
    stand_down();
    election_.campaign(now_);
    return;
  }
#endif
  // What was decided travels with the next accept or heartbeat; it waits no longer than a tick for
  // one.
  if (now_ - round_at_ >= times_.heartbeat || announced_upto_ < decided_upto_)
    start_round();
  send_accepts(pipeline_->overdue(now_, resend_ticks * times_.tick, times_.election_max), false);
}

void proposer::send_accepts(const std::vector<pipeline::proposal>& all, bool first_time) {
  if (all.empty())
    return;
  std::vector<voter_id> to;
  for (const auto& member : voters_.members)
    to.push_back(member.id);
  for (const auto& what : all) {
    send(to, role::acceptor, accept{ballot_, what.where, what.value, decided_upto_});
    if (first_time)
      send({self_}, role::learner, proposed{ballot_, what.where, what.value});
  }
  announced_upto_ = decided_upto_;
}

void proposer::on_advanced(const advanced& told) {
  if (told.upto <= decided_upto_)
    return;
  decided_upto_ = told.upto;
  voters_ = told.voters;
  if (phase_ == phase::preparing) {
    try_finish_phase_one();
  } else if (phase_ == phase::leading) {
    // Told by another that a slot of our reign is decided: a later leader may have decided
    // something else there than we proposed, and our followers would believe that it was ours. The
    // reign is over. So it is when we are no voter any more.
    if (told.told_upto >= pipeline_->first() || !voters_.contains(self_)) {
      stand_down();
      election_.retreat(now_);
      return;
    }
    pipeline_->decided(now_, told.upto);
  }
}

// -- output
// -----------------------------------------------------------------------------------------

std::vector<voter_id> proposer::others() const {
  std::vector<voter_id> result;
  for (const auto& member : voters_.members) {
    if (member.id != self_)
      result.push_back(member.id);
  }
  return result;
}

void proposer::send(std::vector<voter_id> to, role to_role, message what) {
  out_.send.push_back(outgoing{std::move(to), to_role, std::move(what)});
}

proposer_output proposer::take_output() {
  if (phase_ == phase::leading) {
    send_accepts(pipeline_->cut(now_), true);
    if (auto found = pipeline_->take_already_decided(); !found.values.empty())
      send({self_}, role::learner, std::move(found));
    if (rounds_.wanted())
      start_round();
  }
  if (!(state_ == reported_)) {
    reported_ = state_;
    out_.changed = state_;
  }
  return std::exchange(out_, {});
}

} // namespace paxtor::paxos
