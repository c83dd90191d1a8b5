#include "test/transcripts/stage.hpp"

#include <algorithm>
#include <stdexcept>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/paxos/batches.hpp"

namespace paxtor::transcripts {

using namespace std::chrono_literals;

namespace {

/// Every message takes this long.
constexpr duration step_time = 1ms;

const cluster_id the_cluster{1};

} // namespace

stage::stage(const stage_options& how) : times_(cluster::timing_for(how.ttl)), types_(how.types) {
  leases_.ttl = how.ttl;
  leases_.tick = times_.tick;
  if (how.snapshot_entries != 0) {
    bounds_.snapshot_entries = how.snapshot_entries;
    bounds_.slots_kept = 0;
  }
  std::uint64_t number = 0;
  for (const auto& name : how.voters) {
    const voter_id id{++number};
    voters_.members.push_back({id, name, name + ":1"});
    auto& home = processes_[name];
    home.votes = id;
    home.store = std::make_unique<storage::memory_store>(id);
    words_.learn(id, name);
  }
  std::sort(voters_.members.begin(), voters_.members.end(),
            [](const auto& x, const auto& y) { return x.name < y.name; });
  for (const auto& name : how.nodes)
    processes_[name].hosts = true;
  for (auto& [name, home] : processes_) {
    home.name = name;
    start(home);
  }
}

// -- time -----------------------------------------------------------------------------------------

void stage::run(duration how_long) {
  const auto end = now_ + how_long;
  while (!events_.empty() && events_.begin()->first.first <= end) {
    now_ = events_.begin()->first.first;
    auto next = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    next();
  }
  now_ = end;
}

void stage::later(process& home, duration delay, action what) {
  at_time(now_ + delay, [this, &home, life = home.life, what = std::move(what)] {
    if (home.life != life || !home.alive())
      return;
    if (home.paused)
      home.postponed.push_back(what);
    else
      what();
  });
}

void stage::tell(const std::string& what) {
  const auto since = (now_ - told_at_) / 1ms;
  const auto time = std::to_string(since) + " ms";
  told_.push_back(std::string(9 - std::min<std::size_t>(9, time.size()), ' ') + time + "  " + what);
}

std::vector<std::string> stage::take_told() {
  told_at_ = now_;
  return std::exchange(told_, {});
}

// -- processes ------------------------------------------------------------------------------------

stage::process& stage::at(const std::string& name) {
  const auto known = processes_.find(name);
  if (known == processes_.end())
    throw std::invalid_argument("there is no process '" + name + "'");
  return known->second;
}

stage::process& stage::living(const std::string& name) {
  auto& home = at(name);
  if (!home.alive())
    throw std::invalid_argument("'" + name + "' does not run");
  return home;
}

stage::process& stage::node_at(const std::string& name) {
  auto& home = living(name);
  if (!home.agent)
    throw std::invalid_argument("'" + name + "' is no node: name it in cluster nodes=");
  return home;
}

std::vector<std::string> stage::all_names() const {
  std::vector<std::string> result;
  for (const auto& [name, home] : processes_)
    result.push_back(name);
  return result;
}

stage::process* stage::owner_of(node_id node) {
  for (auto& [name, home] : processes_)
    if (home.agent && home.node == node)
      return &home;
  return nullptr;
}

stage::process* stage::owner_of(voter_id voter) {
  for (auto& [name, home] : processes_)
    if (home.votes == voter)
      return &home;
  return nullptr;
}

void stage::start(process& home) {
  ++home.life;
  home.runs = true;
  if (home.votes) {
    home.voter = std::make_unique<cluster::voter>(home.store->load().state, voters_, times_,
                                                  bounds_, leases_, random_.fork(), now_);
    home.judged_upto = home.voter->replica().get_learner().decided_upto();
    home.voter->get_steward().introduce(home.name, home.name + ":1");
    later(home, times_.tick, [this, &home] { tick(home); });
    drain_voter(home);
  }
  if (home.hosts)
    start_agent(home);
  // Links, as the network makes them; a cut that comes later tells nobody.
  for (auto& [name, other] : processes_) {
    if (home.agent && other.alive() && other.votes)
      use(home, [&](cluster::agent& a, time_point t) { a.link_up(t, *other.votes); });
    if (home.votes && other.agent && &other != &home)
      use(other, [&](cluster::agent& a, time_point t) { a.link_up(t, *home.votes); });
  }
}

void stage::start_agent(process& home) {
  home.node = node_id{1000 + ++last_node_};
  words_.learn(home.node, home.name);
  cluster::node_info info;
  info.id = home.node;
  info.name = home.name;
  info.endpoint = home.name + ":1";
  info.types = types_;
  std::vector<voter_id> ids;
  for (const auto& who : voters_.members)
    ids.push_back(who.id);
  home.agent =
    std::make_unique<cluster::agent>(std::move(info), leases_, ids, random_.fork(), now_);
}

void stage::start(const std::string& name) {
  auto& home = at(name);
  if (home.alive())
    throw std::invalid_argument("'" + name + "' runs already");
  tell(name + " starts");
  start(home);
}

void stage::crash(const std::string& name) {
  auto& home = living(name);
  tell(name + " crashes");
  ++home.life;
  home.voter.reset();
  home.agent.reset();
  home.writing.clear();
  home.postponed.clear();
  home.singletons.clear();
  home.stubborn.clear();
  home.routes.clear();
  home.paused = home.syncing = home.leads = home.runs = false;
  home.watched = {};
  home.wake_at = time_point::max();
  if (home.votes)
    for (auto& [other_name, other] : processes_)
      if (other.agent)
        use(other, [&](cluster::agent& a, time_point t) { a.link_down(t, *home.votes); });
}

void stage::pause(const std::string& name) {
  living(name).paused = true;
  tell(name + " is paused");
}

void stage::thaw(const std::string& name) {
  auto& home = living(name);
  home.paused = false;
  tell(name + " is thawed");
  for (auto& what : std::exchange(home.postponed, {}))
    later(home, 0us, std::move(what));
}

void stage::leave(const std::string& name) {
  use(node_at(name), [](cluster::agent& a, time_point t) { a.leave(t); });
}

void stage::make_stubborn(const std::string& name, local_actor_id actor) {
  living(name).stubborn.insert(actor);
}

// -- the network ----------------------------------------------------------------------------------

void stage::post(process& from, process& to, cluster::frame what) {
  const direction way{from.name, to.name};
  if (cuts_.contains(way))
    return;
  auto sent = std::make_shared<const cluster::frame>(std::move(what));
  const auto [first, last] = holds_.equal_range(way);
  if (std::any_of(first, last, [&](const auto& hold) {
        return hold.second.empty() || hold.second == names::kind_of(*sent);
      })) {
    held_.emplace_back(from.name, to.name, std::move(sent));
    return;
  }
  at_time(now_ + step_time,
          [this, from = from.name, to = to.name, sent] { arrive(from, to, *sent); });
}

void stage::let_go() {
  holds_.clear();
  for (auto& [from, to, what] : std::exchange(held_, {}))
    at_time(now_ + step_time,
            [this, from = from, to = to, what = what] { arrive(from, to, *what); });
}

void stage::lose_held() {
  holds_.clear();
  held_.clear();
}

void stage::arrive(const std::string& from, const std::string& to, const cluster::frame& what) {
  auto& home = at(to);
  if (!home.alive() || cuts_.contains({from, to}))
    return;
  if (home.paused)
    home.postponed.push_back(
      [this, &home, &sender = at(from), what] { receive(home, sender, what); });
  else
    receive(home, at(from), what);
}

void stage::receive(process& home, process& from, const cluster::frame& what) {
  if (const auto* paxos = std::get_if<cluster::paxos_frame>(&what)) {
    if (!home.voter)
      return;
    home.voter->step(now_, paxos::envelope{paxos->from, paxos->to, paxos->to_role, paxos->what});
    drain_voter(home);
  } else if (const auto* node = std::get_if<cluster::node_frame>(&what)) {
    if (!home.voter)
      return;
    home.routes[node->from] = from.name;
    const auto& known = home.voter->state();
    const bool relayed = node->relayed_by.valid();
    if (!known.leading && !relayed && known.leader.valid() && known.leader != *home.votes) {
      auto passed_on = *node;
      passed_on.relayed_by = *home.votes;
      if (auto* leader = owner_of(known.leader))
        post(home, *leader, std::move(passed_on));
    }
    if (known.leading || !relayed) {
      home.voter->step(now_, node->from, node->what);
      drain_voter(home);
    }
  } else if (const auto* voter = std::get_if<cluster::voter_frame>(&what)) {
    if (home.agent && home.node == voter->to)
      use(home, [&](cluster::agent& a, time_point t) { a.step(t, voter->from, voter->what); });
    else if (auto* other = owner_of(voter->to))
      post(home, *other, *voter);
  }
}

// -- voters ---------------------------------------------------------------------------------------

void stage::tick(process& home) {
  home.voter->tick(now_);
  drain_voter(home);
  later(home, times_.tick, [this, &home] { tick(home); });
}

void stage::drain_voter(process& home) {
  auto out = home.voter->take_output();
  watch_log(home);
  for (auto& sent : out.send)
    for (auto to : sent.to)
      if (auto* other = owner_of(to))
        post(home, *other,
             cluster::paxos_frame{the_cluster, *home.votes, to, sent.to_role, sent.what});
  for (auto& sent : out.to_nodes)
    if (const auto route = home.routes.find(sent.node); route != home.routes.end())
      post(home, at(route->second),
           cluster::voter_frame{the_cluster, *home.votes, sent.node, std::move(sent.what)});
  for (auto& sent : out.to_voters)
    if (auto* other = owner_of(sent.voter))
      post(home, *other,
           cluster::node_frame{the_cluster, home.node, voter_id{}, std::move(sent.what)});
  for (auto& write : out.writes)
    home.writing.push_back(std::move(write));
  write_next(home);
  const auto& state = home.voter->state();
  if (state.leading != home.leads) {
    home.leads = state.leading;
    tell(home.name + (home.leads ? " leads, ballot " + words_.of(state.at) : " leads no more"));
  }
}

void stage::write_next(process& home) {
  if (home.writing.empty() || home.syncing)
    return;
  home.syncing = true;
  later(home, home.write_time, [this, &home] {
    home.syncing = false;
    const auto done = std::move(home.writing.front());
    home.writing.pop_front();
    // L1: `persisted` comes when the store has it, and not before.
    PAXTOR_CHECK("transcripts", home.store->append({done}).ok());
    home.voter->persisted(now_, done.id);
    drain_voter(home);
    write_next(home);
  });
}

void stage::watch_log(process& home) {
  const auto& learner = home.voter->replica().get_learner();
  for (; home.judged_upto < learner.decided_upto(); home.judged_upto = home.judged_upto.next()) {
    const auto where = home.judged_upto.next();
    if (const auto* value = learner.value_of(where)) {
      note_log(home, where, *value);
    } else {
      tell(home.name + " takes a snapshot from another voter, up to entry "
           + to_string(learner.last_index()));
      home.judged_upto = learner.decided_upto();
      return;
    }
  }
}

void stage::note_log(process& home, slot where, const paxos::batch& value) {
  if (const auto known = log_.find(where); known != log_.end()) {
    if (!(known->second.first == value))
      tell("WRONG: " + home.name + " has another value in slot " + to_string(where));
    return;
  }
  auto& [kept, lines] = log_[where];
  kept = value;
  std::vector<paxos::entry> entries;
  (void)paxos::entries_of(value, entries);
  for (const auto& what : entries) {
    const index number{++last_index_};
    registry::command command;
    if (what.kind == paxos::entry_kind::command && decode(what.data, command))
      if (const auto* open = std::get_if<registry::open_session>(&command))
        words_.learn(session_id{number.value}, open->node);
    lines.push_back(to_string(number) + " " + words_.describe(what));
    tell("log " + lines.back());
  }
}

std::string stage::leader() const {
  std::string result;
  ballot highest;
  for (const auto& [name, home] : processes_)
    if (home.voter && home.voter->state().leading && home.voter->state().at > highest) {
      highest = home.voter->state().at;
      result = name;
    }
  if (result.empty())
    throw std::invalid_argument("no voter leads");
  return result;
}

const registry::machine& stage::registry_of_leader() const {
  return processes_.at(leader()).voter->machine();
}

std::vector<std::string> stage::voters() const {
  std::vector<std::string> result;
  for (const auto& who : voters_.members) {
    const auto& home = processes_.at(who.name);
    if (!home.alive()) {
      result.push_back(who.name + " does not run");
      continue;
    }
    const auto& state = home.voter->state();
    const auto& learner = home.voter->replica().get_learner();
    result.push_back(who.name
                     + (state.leading          ? " leads"
                        : state.leader.valid() ? " follows " + words_.of(state.leader)
                                               : " knows no leader")
                     + ", has decided up to entry " + to_string(learner.last_index())
                     + ", log from slot " + to_string(learner.log_first()));
  }
  return result;
}

std::vector<std::string> stage::log(std::uint64_t first) const {
  std::vector<std::string> result;
  std::uint64_t number = 0;
  for (const auto& [where, entry] : log_)
    for (const auto& line : entry.second)
      if (++number >= first)
        result.push_back(line);
  return result;
}

} // namespace paxtor::transcripts
