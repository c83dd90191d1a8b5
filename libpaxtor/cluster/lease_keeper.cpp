#include "libpaxtor/cluster/lease_keeper.hpp"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/base/codec.hpp"

namespace paxtor::cluster {

namespace {

/// What a command says of where it comes from.
struct claim {
  /// The session that it acts for; not valid() for open_session.
  session_id session;
  /// The node that it names itself; open_session only.
  node_id node;
  seq number;
  /// Only a lease keeper proposes these.
  bool reserved = false;
  /// It ends an owner: the only way to release.
  bool release = false;
};

struct claim_of {
  claim operator()(const registry::open_session& x) const {
    return {session_id{}, x.node, seq{x.nth}, false};
  }

  claim operator()(const registry::close_session& x) const {
    return {x.session, node_id{}, seq{}, false};
  }

  claim operator()(const registry::expire_session&) const {
    return {session_id{}, node_id{}, seq{}, true};
  }

  // It comes as a `certify`, which is answered.
  claim operator()(const registry::certify_end&) const {
    return {session_id{}, node_id{}, seq{}, true};
  }

  claim operator()(const registry::owner_exited& x) const {
    return {x.from.session, node_id{}, x.from.number, false, true};
  }

  // All others carry their origin.
  template <class T>
  claim operator()(const T& x) const {
    return {x.from.session, node_id{}, x.from.number, false};
  }
};

/// Only these two show how long sessions have been silent.
struct shows_silence {
  bool operator()(const registry::query_get&) const { return false; }
  bool operator()(const registry::query_list&) const { return false; }
  bool operator()(const registry::query_why&) const { return true; }
  bool operator()(const registry::query_members&) const { return true; }
  bool operator()(const registry::query_name&) const { return false; }
  bool operator()(const registry::query_counts&) const { return false; }
};

} // namespace

lease_keeper::lease_keeper(voter_id self, lease_options options) : self_(self), options_(options) {}

const paxos::leadership& lease_keeper::state() const {
  return state_;
}

bool lease_keeper::barrier_passed() const {
  return state_.leading && reign_ == state_.at;
}

void lease_keeper::leadership_changed([[maybe_unused]] time_point now,
                                      const paxos::leadership& state) {
  bool new_reign = state.leading && (!state_.leading || state_.at != state.at);
  bool reign_ended = state_.leading && (!state.leading || new_reign);
  state_ = state;
  if (reign_ended) {
    void_confirmations();
    // To be refused, if this voter leads no more: their node is told where to go.
    wake();
  }
  if (!new_reign)
    return;
  for (auto& [id, session] : sessions_) {
#ifndef PAXTOR_CANARY_NEW_LEADER_COUNTS_ON
    // S1: a lease that a predecessor granted has run out before this clock does.
    session.heard = now;
#endif
    // S3: what was proposed in an older reign does nothing once this reign is in force, and S2 lets
    // no renewal be answered before.
    session.expiring = false;
  }
}

void lease_keeper::void_confirmations() {
  // Whoever waits here should look for the new leader now.
  auto tell = [this](const round& x) {
    for (auto& y : x.renews)
      say_not_leading(y.node);
    for (auto& y : x.reads)
      say_not_leading(y.node);
  };
  tell(gathering_);
  for (auto& [id, x] : rounds_)
    tell(x);
  for (auto& x : held_)
    say_not_leading(x.what.node);
  for (const auto& [command, askers] : certifying_)
    for (auto node : askers)
      say_not_leading(node);
  gathering_ = {};
  rounds_.clear();
  held_.clear();
  certifying_.clear();
  waiting_ = 0;
}

void lease_keeper::say_not_leading(node_id to) {
  if (!told_not_leading_.insert(to).second)
    return;
  auto leader = state_.leader == self_ ? voter_id{} : state_.leader;
  out_.send.push_back({to, not_leading{leader, state_.at}});
}

void lease_keeper::say_overloaded(node_id to) {
  if (told_overloaded_.insert(to).second)
    out_.send.push_back({to, overloaded{}});
}

// -- what the registry says --------------------------------------------------------------------

void lease_keeper::applied(time_point now, const applied_note& note) {
  for (auto& event : note.events)
    std::visit([&](const auto& x) { handle(now, x); }, event);
  applied_ = std::max(applied_, note.upto);
  lock_waits_ = note.waiting;
  if (lock_waits_ > 0)
    wake();
  settle_held();
}

void lease_keeper::handle(time_point now, const registry::session_opened& what) {
  // S1: opened in this reign, or learned late: it is heard of now, which is not before phase 1
  // ended.
  sessions_.try_emplace(what.session, open{what.node, now, false, {}});
}

void lease_keeper::handle(time_point, const registry::session_closed& what) {
  sessions_.erase(what.session);
  // Decided, so true whoever leads now; told at once so that the node need not ask.
  if (state_.leading)
    out_.send.push_back({what.node, session_over{what.session}});
}

void lease_keeper::handle(time_point, const registry::reign_began& what) {
  reign_ = what.at;
}

// -- what nodes say ----------------------------------------------------------------------------

void lease_keeper::step(time_point now, node_id from, node_message what) {
  if (!state_.leading) {
    say_not_leading(from);
    return;
  }
  std::visit([&](auto& x) { handle(now, from, std::move(x)); }, what);
}

lease_keeper::admission lease_keeper::admit(node_id from, const std::string& bytes) {
  registry::command what;
  if (!decode(bytes, what)) {
    ++dropped_; // Without a number there is nobody to answer.
    return admission::refused;
  }
  auto who = std::visit(claim_of{}, what);
  if (who.reserved) {
    ++dropped_; // S1: only the leader's own clock may say that a session has expired.
    return admission::refused;
  }
  if (who.session.valid()) {
    // Unknown: it is over, or its opening is not applied here yet. Not answered, because a leader
    // that was deposed without knowing cannot tell these apart; the node's renewal can.
    auto i = sessions_.find(who.session);
    if (i == sessions_.end() || i->second.node != from) {
      ++dropped_;
      return admission::refused;
    }
  }
  std::string why;
  bool foreign = who.node.valid() && who.node != from;
  if (foreign)
    why = "a node opens sessions for itself alone";
  if (foreign || !registry::validate(what, why)) {
    registry::answer refusal;
    refusal.number = who.number;
    refusal.code = registry::status::invalid;
    refusal.detail = why;
    out_.send.push_back({from, answers{who.session, {std::move(refusal)}}});
    return admission::refused;
  }
  return who.release ? admission::release : admission::proposed;
}

bool lease_keeper::may_rest() const {
  return log_idle_ && lock_waits_ == 0 && out_.proposals.empty() && resting_.size() < max_resting;
}

void lease_keeper::wake() {
  out_.proposals.insert(out_.proposals.end(), std::make_move_iterator(resting_.begin()),
                        std::make_move_iterator(resting_.end()));
  resting_.clear();
}

void lease_keeper::propose(node_id from, std::string command) {
  wake();
  out_.proposals.push_back({from, std::move(command)});
}

void lease_keeper::handle(time_point, node_id from, submit&& what) {
  if (what.commands.size() > registry::max_window) {
    ++dropped_;
    say_overloaded(from);
    return;
  }
  // Proposed before the own reign is applied, too: a command stands behind it in the log.
  for (auto& bytes : what.commands) {
    const auto verdict = admit(from, bytes);
    if (verdict == admission::release && may_rest())
      resting_.push_back({from, std::move(bytes)});
    else if (verdict != admission::refused)
      propose(from, std::move(bytes));
  }
}

void lease_keeper::handle(time_point now, node_id from, renew&& what) {
  auto i = sessions_.find(what.session);
  if (i != sessions_.end()) {
    auto& session = i->second;
    if (session.node != from) {
      ++dropped_;
      return;
    }
    // R4: what it may have missed does not depend on its lease.
    out_.watermarks.push_back({what.session, what.watermark});
#ifndef PAXTOR_CANARY_RENEWED_WHILE_EXPIRING
    // S2: none while an expire is in flight; it will hear session_over.
    if (session.expiring)
      return;
#endif
    // S1: arrival. Before any confirmation: a later `heard` only ever delays an expire.
    session.heard = std::max(session.heard, now);
  }
  if (waiting_ >= max_waiting) {
    say_overloaded(from);
    return;
  }
  ++waiting_;
#ifdef PAXTOR_CANARY_RENEWED_WITHOUT_ROUND
  settle({{from, what.session, what.n}, applied_});
#else
  gathering_.renews.push_back({from, what.session, what.n});
#endif
}

void lease_keeper::handle(time_point, node_id from, read&& what) {
  // Who asks sees what has reached the leader before.
  wake();
  if (waiting_ >= max_waiting) {
    say_overloaded(from);
    return;
  }
  gathering_.reads.push_back({from, what.id, std::move(what.what)});
  ++waiting_;
}

void lease_keeper::handle(time_point, node_id from, certify&& what) {
  std::string why;
  registry::command command = std::move(what.proof);
  if (!registry::validate(command, why)) {
    auto& bad = std::get<registry::certify_end>(command);
    out_.send.push_back({from, certified{bad.node, bad.session, 0, why}});
    return;
  }
  // Whether it is true is decided where it is applied, on all replicas alike.
  auto bytes = encode(command);
  auto known = certifying_.find(bytes);
  if (known == certifying_.end()) {
    if (certifying_.size() >= max_certifying) {
      say_overloaded(from);
      return;
    }
    propose(from, bytes);
    known = certifying_.try_emplace(std::move(bytes)).first;
  }
  if (known->second.size() < max_askers)
    known->second.insert(from);
  else
    ++dropped_;
}

void lease_keeper::handle(time_point, const registry::end_certified& what) {
  auto asked = certifying_.find(encode(registry::command{what.what}));
  if (asked == certifying_.end())
    return;
  for (auto node : asked->second)
    out_.send.push_back(
      {node, certified{what.what.node, what.what.session, what.closed, what.problem}});
  certifying_.erase(asked);
}

// -- what the proposer says --------------------------------------------------------------------

void lease_keeper::confirmed(time_point now, const paxos::proposer_output::confirmed& done) {
  auto i = rounds_.find(done.id);
  if (i == rounds_.end())
    return; // Of a reign that ended.
  auto what = std::move(i->second);
  rounds_.erase(i);
  waiting_ -= what.reads.size();
  for (auto& x : what.reads) {
    auto silent = silences(now, x.what);
    out_.reads.push_back({x.node, x.id, std::move(x.what), done.upto, std::move(silent)});
  }
  for (auto& x : what.renews)
    settle({x, done.upto});
}

void lease_keeper::settle(confirmed_renew&& what) {
  auto i = sessions_.find(what.what.session);
  bool known = i != sessions_.end();
  // S2: nothing before the own reign is applied. That a session is over is known for sure only when
  // all that was decided by the confirmation is applied: its opening may be among it.
#ifdef PAXTOR_CANARY_RENEWED_BEFORE_REIGN
  const bool too_early = false;
#else
  const bool too_early = !barrier_passed();
#endif
  if (too_early || (!known && applied_ < what.upto)) {
    held_.push_back(std::move(what));
    return;
  }
  --waiting_;
  auto& x = what.what;
#ifdef PAXTOR_CANARY_RENEWED_AFTER_ITS_END
  if (!known) {
    out_.send.push_back({x.node, renewed{x.session, x.n, state_.at}});
    return;
  }
#endif
  if (!known) {
    out_.send.push_back({x.node, session_over{x.session}});
    return;
  }
#ifndef PAXTOR_CANARY_RENEWED_WHILE_EXPIRING
  if (i->second.expiring || i->second.node != x.node)
    return; // S2: none while an expire of it is in flight.
#ifndef PAXTOR_CANARY_RENEWED_BEFORE_REIGN
  PAXTOR_CHECK("I16", state_.leading && reign_ == state_.at && !i->second.expiring);
#endif
#endif
  out_.send.push_back({x.node, renewed{x.session, x.n, state_.at}});
}

void lease_keeper::settle_held() {
  auto list = std::exchange(held_, {});
  for (auto& x : list)
    settle(std::move(x));
}

void lease_keeper::refused(const lease_output::proposal& what) {
  if (what.node.valid()) {
    certifying_.erase(what.command); // It never entered the log.
    if (state_.leading)
      say_overloaded(what.node);
    else
      say_not_leading(what.node);
    return;
  }
  // An expire of our own that never entered the log: it is not in flight.
  registry::command proposed;
  if (!decode(what.command, proposed))
    return;
  if (auto* expire = std::get_if<registry::expire_session>(&proposed))
    if (auto i = sessions_.find(expire->session); i != sessions_.end() && expire->at == state_.at)
      i->second.expiring = false;
}

void lease_keeper::tick(time_point now) {
  wake();
  if (!barrier_passed())
    return;
  std::size_t count = 0;
  for (auto& [id, session] : sessions_) {
    auto silent = now - session.heard;
#ifdef PAXTOR_CANARY_EXPIRES_TOO_EARLY
    silent += options_.ttl / 2;
#endif
    if (silent <= options_.expire_after())
      continue;
    // A proposal within one reign is not lost, but asking again once per ttl costs nothing.
    if (session.expiring && now - session.proposed_at < options_.ttl)
      continue;
    if (++count > max_expires_per_tick)
      return;
    PAXTOR_CHECK("I17", silent > options_.expire_after());
    session.expiring = true;
    session.proposed_at = now;
    registry::command expire = registry::expire_session{id, state_.at};
    propose(node_id{}, encode(expire));
  }
}

std::map<session_id, registry::silence> lease_keeper::silences(time_point now,
                                                               const registry::query& what) const {
  std::map<session_id, registry::silence> result;
  if (!std::visit(shows_silence{}, what))
    return result;
  for (auto& [id, session] : sessions_) {
    auto silent = now - session.heard;
    auto due = std::max(duration{0}, options_.expire_after() - silent);
    result.emplace(id, registry::silence{silent, due});
  }
  return result;
}

lease_output lease_keeper::take_output() {
  PAXTOR_CHECK("I62",
               resting_.empty() || (state_.leading && lock_waits_ == 0 && out_.proposals.empty()));
  // A read sees what came before it: that is in a slot when this is called again.
  if (gathering_.size() > 0 && out_.proposals.empty()) {
    // S1: one confirmation for all that arrived in this turn; it starts after they arrived. Numbers
    // are never used again, so a confirmation of an older reign finds nothing.
    ++last_round_;
    rounds_.emplace(last_round_, std::exchange(gathering_, {}));
    out_.confirms.push_back(last_round_);
  }
  told_not_leading_.clear();
  told_overloaded_.clear();
  return std::exchange(out_, {});
}

} // namespace paxtor::cluster
