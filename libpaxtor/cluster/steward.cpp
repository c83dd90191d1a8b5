#include "libpaxtor/cluster/steward.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/paxos/bounds.hpp"

namespace paxtor::cluster {

namespace {

/// Alive times after which a voter or standby that reports nothing is forgotten.
constexpr int forget_after = 20;

/// Ordered by name: the same members make the same configuration.
void put(paxos::configuration& voters, paxos::member who) {
  auto& all = voters.members;
  const auto pos =
    std::find_if(all.begin(), all.end(), [&who](const auto& x) { return x.name > who.name; });
  all.insert(pos, std::move(who));
}

} // namespace

steward::steward(voter_id self, const paxos::timing& times)
    : self_(self), report_every_(2 * times.heartbeat), alive_within_(3 * times.election_max) {}

// -- what the others say of this voter ------------------------------------------------------------

void steward::introduce(std::string name, std::string address) {
  name_ = std::move(name);
  address_ = std::move(address);
}

void steward::leadership_changed(time_point now, const paxos::leadership& state) {
  now_ = now;
  // Of another reign: it may be decided, or never; the next leader recovers it or not.
  pending_.reset();
  // Who lives is asked anew: it has not reported here before.
  wishes_.clear();
  if (state.leading && !state_.leading)
    leading_since_ = now;
  state_ = state;
}

void steward::voters_are(slot since, const paxos::configuration& voters) {
  since_ = since;
  voters_ = voters;
  if (pending_ && *pending_ == voters_)
    pending_.reset();
}

void steward::ask_of(std::vector<voter_id> voters) {
  ask_of_ = std::move(voters);
}

void steward::progress(slot decided_upto, slot stored_upto, bool settled) {
  decided_upto_ = decided_upto;
  stored_upto_ = stored_upto;
  settled_ = settled;
}

void steward::step(time_point now, const voter_report& what) {
  now_ = now;
  if (!what.voter.valid() || what.voter == self_ || what.name.empty() || what.name.size() > max_text
      || what.address.size() > max_text) {
    ++dropped_;
    return;
  }
  if (known_.count(what.voter) == 0 && known_.size() >= max_known) {
    ++dropped_;
    return;
  }
  auto& who = known_[what.voter];
  who.heard = now;
  who.what = what;
}

void steward::report() {
  voter_report mine{self_, name_, address_, decided_upto_, stored_upto_};
  std::vector<voter_id> to;
  const bool voting = voters_.contains(self_);
  if (voting && state_.leader.valid()) {
    to.push_back(state_.leader);
  } else {
    // A standby: its log may be behind what others say, or ahead of it.
    if (!voting)
      to = ask_of_;
    for (const auto& who : voters_.members)
      if (std::find(to.begin(), to.end(), who.id) == to.end())
        to.push_back(who.id);
  }
  for (auto id : to)
    if (id != self_)
      out_.reports.push_back({id, mine});
}

// -- what is known of the others ------------------------------------------------------------------

const paxos::member* steward::member(const std::string& name) const {
  for (const auto& who : voters_.members)
    if (who.name == name)
      return &who;
  return nullptr;
}

bool steward::alive(voter_id id) const {
  if (id == self_)
    return true;
  const auto who = known_.find(id);
  return who != known_.end() && now_ - who->second.heard <= alive_within_;
}

bool steward::heard_since(time_point since, voter_id id) const {
  const auto who = known_.find(id);
  return id == self_ || (who != known_.end() && who->second.heard >= since);
}

std::size_t steward::living(const paxos::configuration& voters) const {
  return static_cast<std::size_t>(
    std::count_if(voters.members.begin(), voters.members.end(),
                  [this](const auto& who) { return heard_since(fresh_since_, who.id); }));
}

const steward::known* steward::standby(const std::string& name) const {
  const known* best = nullptr;
  for (const auto& [id, who] : known_) {
    if (who.what.name != name || voters_.contains(id) || !alive(id))
      continue;
    if (best == nullptr || best->what.decided_upto < who.what.decided_upto)
      best = &who;
  }
  return best;
}

std::uint64_t steward::behind(const known& who) const {
  return decided_upto_ > who.what.decided_upto ? decided_upto_.value - who.what.decided_upto.value
                                               : 0;
}

std::size_t steward::stored_by() const {
  return static_cast<std::size_t>(
    std::count_if(voters_.members.begin(), voters_.members.end(), [this](const auto& one) {
      if (one.id == self_)
        return stored_upto_ >= since_;
      const auto who = known_.find(one.id);
      return !since_.valid() || (who != known_.end() && who->second.what.stored_upto >= since_);
    }));
}

bool steward::complete() const {
#ifdef PAXTOR_CANARY_DECIDED_IS_COMPLETE
  return true;
#else
  return stored_by() >= voters_.majority();
#endif
}

// -- rulings --------------------------------------------------------------------------------------

steward::ruling steward::in_force(std::string why) const {
  if (!complete())
    return {outcome::waiting,
            "the last change is being stored: " + std::to_string(stored_by()) + " of "
              + std::to_string(voters_.members.size()) + " voters have it, "
              + std::to_string(voters_.majority()) + " must",
            {}};
  return {outcome::done, std::move(why), {}};
}

steward::ruling steward::propose(paxos::configuration next) const {
  // L6: one change at a time, by a leader that knows what it changes.
  if (!settled_ || pending_)
    return {outcome::waiting,
            pending_ ? "a change to the voters " + paxos::names_of(*pending_) + " is being decided"
                     : std::string{"the leader is new and takes over what its predecessor left"},
            {}};
  if (!complete())
    return in_force({});
  if (const auto count = living(next); count < next.majority()) {
    // Who lives says so several times within this.
    if (now_ - judging_since_ <= alive_within_)
      return {outcome::waiting, "seeing who of " + paxos::names_of(next) + " is alive", {}};
    return {outcome::refused,
            "of the voters " + paxos::names_of(next) + " only " + std::to_string(count)
              + " would be alive, and " + std::to_string(next.majority())
              + " are needed: start the others first, or replace those that are lost",
            {}};
  }
  return {outcome::waiting,
          "the change to the voters " + paxos::names_of(next) + " is being decided",
          std::move(next)};
}

steward::ruling steward::admit(const std::string& name, const std::string& address,
                               const std::string& leaves) const {
  const auto* comes = standby(name);
  if (comes == nullptr)
    return {outcome::waiting,
            "no standby named " + name + " has been heard of: start it there (paxtor node --name "
              + name + " --standby, with the voters of now)",
            {}};
  const auto& where = address.empty() ? comes->what.address : address;
  if (where.empty())
    return {
      outcome::refused, "the standby " + name + " listens nowhere: a voter needs an address", {}};
  // It catches up before it votes.
  if (behind(*comes) > max_behind)
    return {outcome::waiting,
            name + " is catching up: " + std::to_string(behind(*comes)) + " of "
              + std::to_string(decided_upto_.value) + " slots are missing",
            {}};
  auto next = voters_;
  std::erase_if(next.members, [&](const auto& who) { return who.name == leaves; });
  put(next, {comes->what.voter, name, where});
  if (next.members.size() > max_voters)
    return {outcome::refused,
            "there are " + std::to_string(max_voters)
              + " voters already, and more are not "
                "allowed: 3 or 5 are enough",
            {}};
  return propose(std::move(next));
}

steward::ruling steward::add(const change_voters& what) const {
  if (const auto* who = member(what.name)) {
    if (!what.address.empty() && !who->address.empty() && who->address != what.address)
      return {outcome::refused,
              what.name + " is a voter already, at " + who->address
                + "; if it has moved: paxtor members replace " + what.name + " " + what.address,
              {}};
    return in_force(what.name + " is a voter");
  }
  return admit(what.name, what.address, {});
}

steward::ruling steward::remove(const change_voters& what) const {
  if (member(what.name) == nullptr)
    return in_force(what.name + " is no voter");
  if (voters_.members.size() == 1)
    return {outcome::refused,
            what.name + " is the last voter: a cluster needs one; add another one first",
            {}};
  auto next = voters_;
  std::erase_if(next.members, [&](const auto& who) { return who.name == what.name; });
  return propose(std::move(next));
}

steward::ruling steward::replace(const change_voters& what) const {
  const auto& comes = what.with.empty() ? what.name : what.with;
  const auto* leaves = member(what.name);
  if (comes != what.name) {
    const auto* there = member(comes);
    if (leaves == nullptr)
      return there != nullptr
               ? in_force(comes + " is a voter in the place of " + what.name)
               : ruling{outcome::refused,
                        what.name + " is no voter; the voters are " + paxos::names_of(voters_),
                        {}};
    if (there != nullptr)
      return {outcome::refused,
              comes + " is a voter already: to do without " + what.name + ", paxtor members remove "
                + what.name,
              {}};
    return admit(comes, what.address, what.name);
  }
  if (leaves == nullptr)
    return {
      outcome::refused, what.name + " is no voter; the voters are " + paxos::names_of(voters_), {}};
  // A new store under the old name; or the old one, which has moved.
  if (standby(what.name) != nullptr)
    return admit(what.name, what.address, what.name);
  if (!alive(leaves->id))
    return {outcome::waiting,
            "neither the voter " + what.name
              + " nor a new one of its name has been heard of: start "
                "it there (paxtor node --name "
              + what.name + ", with the voters of now)",
            {}};
  if (what.address.empty() || leaves->address == what.address)
    return in_force(what.name + " is a voter");
  const auto said = leaves->id == self_ ? address_ : known_.at(leaves->id).what.address;
  if (said != what.address)
    return {outcome::refused,
            "the voter " + what.name + " is alive at " + said + ", not at " + what.address
              + ": stop it, and start the new one there",
            {}};
  auto next = voters_;
  for (auto& who : next.members)
    if (who.name == what.name)
      who.address = what.address;
  return propose(std::move(next));
}

time_point steward::asked_since(const change_voters& what) {
  std::erase_if(wishes_, [this](const wish& x) { return now_ - x.asked > alive_within_; });
  const auto same = [&what](const wish& x) {
    return x.what.kind == what.kind && x.what.name == what.name && x.what.address == what.address
           && x.what.with == what.with;
  };
  auto known = std::find_if(wishes_.begin(), wishes_.end(), same);
  if (known == wishes_.end()) {
    if (wishes_.size() >= max_wishes)
      wishes_.erase(wishes_.begin());
    known = wishes_.insert(wishes_.end(), {what, now_, now_});
  }
  known->asked = now_;
  return known->since;
}

steward::ruling steward::judge(const change_voters& what) const {
  if (what.name.size() > max_text || what.address.size() > max_text || what.with.size() > max_text)
    return {outcome::refused, "a name or an address is too long", {}};
  switch (what.kind) {
    case voter_change::look:
      return {};
    case voter_change::add:
      return add(what);
    case voter_change::remove:
      return remove(what);
    case voter_change::replace:
      return replace(what);
  }
  return {
    outcome::refused, "this leader does not know such a change: it runs an older version", {}};
}

void steward::put_forward(paxos::configuration next) {
  PAXTOR_CHECK("I45", state_.leading && settled_ && !pending_ && complete());
  PAXTOR_CHECK("I46", paxos::usable(next) && next.members.size() <= max_voters
                        && living(next) >= next.majority());
  pending_ = next;
  out_.proposal = std::move(next);
}

void steward::step(time_point now, node_id from, const change_voters& what) {
  now_ = now;
  if (!state_.leading) {
    const auto leader = state_.leader == self_ ? voter_id{} : state_.leader;
    out_.send.push_back({from, not_leading{leader, state_.at}});
    return;
  }
  if (what.kind != voter_change::look) {
    judging_since_ = asked_since(what);
    fresh_since_ = std::max(judging_since_, now_ - alive_within_ / 2);
  }
  auto verdict = judge(what);
  if (verdict.next)
    put_forward(*verdict.next);
  out_.send.push_back({from, read_answer{what.id, describe(verdict)}});
}

// L5, L6: a store that was lost comes back as a new voter under its old node's name, by itself once
// a majority has agreed. The old one may live on somewhere: nothing rests on that it does not.
void steward::replace_lost() {
  if (!state_.leading || !settled_ || pending_ || now_ - leading_since_ <= alive_within_)
    return;
  judging_since_ = leading_since_;
  fresh_since_ = now_ - 3 * report_every_;
  for (const auto& who : voters_.members) {
    if (alive(who.id) || standby(who.name) == nullptr)
      continue;
    auto verdict = admit(who.name, {}, who.name);
    if (!verdict.next)
      continue;
    put_forward(std::move(*verdict.next));
    return;
  }
}

void steward::tick(time_point now) {
  now_ = now;
  std::erase_if(known_, [this](const auto& one) {
    return now_ - one.second.heard > forget_after * alive_within_ && !voters_.contains(one.first);
  });
  replace_lost();
  if (state_.leading || now < report_at_)
    return;
  report_at_ = now + report_every_;
  report();
}

// -- answers --------------------------------------------------------------------------------------

std::string steward::describe(const ruling& what) const {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  nlohmann::json result;
  constexpr const char* words[] = {"done", "waiting", "refused"};
  result["state"] = words[static_cast<std::size_t>(what.what)];
  result["why"] = what.why;
  result["voters"] = nlohmann::json::array();
  result["standbys"] = nlohmann::json::array();
  const auto row = [&](voter_id id) {
    nlohmann::json one{{"voter", std::to_string(id.value)},
                       {"leads", id == self_},
                       {"alive", alive(id)},
                       {"silent_ms", nullptr},
                       {"behind", nullptr},
                       {"stored_upto", nullptr}};
    if (id == self_) {
      one["behind"] = 0;
      one["stored_upto"] = stored_upto_.value;
    } else if (const auto who = known_.find(id); who != known_.end()) {
      one["silent_ms"] = duration_cast<milliseconds>(now_ - who->second.heard).count();
      one["behind"] = behind(who->second);
      one["stored_upto"] = who->second.what.stored_upto.value;
    }
    return one;
  };
  for (const auto& who : voters_.members) {
    auto one = row(who.id);
    one["node"] = who.name;
    one["address"] = who.address;
    result["voters"].push_back(std::move(one));
  }
  for (const auto& [id, who] : known_) {
    if (voters_.contains(id) || !alive(id))
      continue;
    auto one = row(id);
    one["node"] = who.what.name;
    one["address"] = who.what.address;
    result["standbys"].push_back(std::move(one));
  }
  result["decided_upto"] = decided_upto_.value;
  result["since"] = since_.value;
  result["stored_by"] = stored_by();
  result["changing_to"] = nullptr;
  if (pending_)
    result["changing_to"] = paxos::names_of(*pending_);
  // Texts of peers may hold bytes that are not UTF-8: shown with a replacement, never thrown over.
  return result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

steward_output steward::take_output() {
  return std::exchange(out_, {});
}

} // namespace paxtor::cluster
