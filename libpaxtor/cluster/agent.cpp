#include "libpaxtor/cluster/agent.hpp"

#include <algorithm>
#include <utility>

#include "libpaxtor/cluster/agent_impl.hpp"

namespace paxtor::cluster {

agent::impl::impl(node_info info_, lease_options options_, std::vector<voter_id> voters,
                  generator random, time_point now_)
    : info(std::move(info_)),
      options(options_),
      least_left(options_.ttl),
      finder(std::move(voters), timing_for(options_.ttl).heartbeat, options_.renew_every(), random,
             now_),
      now(now_),
      drive_at(now_) {}

// -- inputs ------------------------------------------------------------------------------------

void agent::impl::advance(time_point to) {
  now = std::max(now, to);
  // F1: before anything else is looked at, so that no input can be taken under a lease that is
  // over.
  if (at == phase::open && lease_end && now >= fence_at())
    lose_session("no majority answered a renewal in time", false);
}

void agent::impl::timers() {
  if (leave_by && at != phase::left && now >= *leave_by)
    finish_leaving();
  if (at == phase::left)
    return;
  if (hold_until && now >= *hold_until) {
    hold_until.reset();
    commands.send_again();
  }
  if (finder.tick(now))
    probe();
  else if (now >= drive_at)
    drive();
  if (at == phase::open || at == phase::leaving)
    commands.send_again_if_due(now, finder.quick(), finder.slow());
  run_deadlines();
  run_suspicions();
  for (auto id : questions) {
    auto& question = std::get<ask_request>(requests.at(id));
    if (now - question.sent_at >= 2 * finder.quick())
      question.to_send = true;
  }
}

void agent::impl::probe() {
  for (auto id : questions)
    std::get<ask_request>(requests.at(id)).to_send = true;
  drive();
}

void agent::impl::heard_leader(voter_id from, ballot by) {
  const bool looked_for = !finder.known();
  const bool other = finder.heard_leader(from, by);
  // The renewals sent while it was looked for went to voters that do not lead: the lease must not
  // wait for the next one, or a leader that lives shorter than that never renews it.
  const bool renews = at == phase::open || at == phase::leaving;
  if ((other || (looked_for && finder.known())) && renews && !renewals.empty())
    drive_at = now;
  if (!other)
    return;
  commands.send_again();
  for (auto id : questions)
    std::get<ask_request>(requests.at(id)).to_send = true;
}

// -- messages ----------------------------------------------------------------------------------

void agent::impl::handle(voter_id from, const answers& what) {
  if (!what.session.valid()) {
    for (auto& item : what.items) {
      bool ours = !item.number.valid() || item.number == seq{nth};
      bool stale = item.opened.valid() && item.opened <= newest;
      if (at != phase::opening || !ours || stale) {
        ++dropped;
        continue;
      }
      heard_leader(from, ballot{});
      opened(item);
    }
    return;
  }
  for (auto& item : what.items) {
    // Looked at for each: an answer can end the session.
    if (what.session != session || !(at == phase::leaving || usable(now))) {
      ++dropped; // I18
      continue;
    }
    heard_leader(from, ballot{});
    answered(item);
  }
  if (at == phase::leaving)
    progress();
}

void agent::impl::handle(voter_id from, const registry::effects_for& what) {
  if (what.session != session || what.node != info.id || !up || !usable(now)) {
    ++dropped; // I18
    return;
  }
  heard_leader(from, ballot{});
  take_effects(what);
}

void agent::impl::handle(voter_id from, const renewed& what) {
  if (what.session != session) {
    ++dropped;
    return;
  }
  // First the lease: what is answered need not be sent again to a leader just found.
  lease_answered(what);
  heard_leader(from, what.by);
}

void agent::impl::handle(voter_id from, const session_over& what) {
  if (!what.session.valid() || what.session != session) {
    ++dropped;
    return;
  }
  heard_leader(from, ballot{});
  switch (at) {
    case phase::open:
      lose_session("the cluster ended the session", true);
      return;
    case phase::leaving:
    case phase::fenced:
    case phase::closing:
      over = true;
      progress();
      return;
    case phase::opening:
    case phase::left:
      ++dropped;
      return;
  }
}

void agent::impl::handle(voter_id from, const read_answer& what) {
  heard_leader(from, ballot{});
  request_id id{what.id};
  if (questions.count(id) != 0)
    complete(id, replied{id, what.json});
  else
    ++dropped;
}

void agent::impl::handle(voter_id from, const certified& what) {
  heard_leader(from, ballot{});
  std::vector<request_id> answered;
  for (auto id : questions) {
    auto* proof = std::get_if<registry::certify_end>(&std::get<ask_request>(requests.at(id)).what);
    if (proof != nullptr && proof->node == what.node && proof->session == what.session)
      answered.push_back(id);
  }
  if (answered.empty())
    ++dropped;
  for (auto id : answered) {
    if (what.problem.empty())
      complete(id, replied{id, "{\"closed\":" + std::to_string(what.closed) + "}"});
    else
      fail(id, failure::invalid, what.problem);
  }
}

void agent::impl::handle(voter_id from, const not_leading& what) {
  // F5: a renewal that did not reach the leader keeps no session open, so another may follow at
  // once.
  if (at == phase::closing)
    renewed_at.reset();
  if (finder.heard_not_leading(now, from, what.leader, what.at))
    probe();
}

void agent::impl::handle(voter_id from, const overloaded&) {
  heard_leader(from, ballot{});
  hold_until = now + 2 * finder.quick();
}

// -- outputs -----------------------------------------------------------------------------------

void agent::impl::send(node_message what) {
  if (finder.target().valid())
    out.send.push_back({finder.target(), std::move(what)});
}

void agent::impl::flush_commands() {
  bool connected = (up && usable(now)) || at == phase::leaving;
  if (!connected || !finder.known() || hold_until)
    return;
  auto first = [this](const registry::command& what) {
    // From here on the registry may know the owner.
    if (auto* x = std::get_if<registry::acquire>(&what))
      owners[x->actor].known_there = true;
    else if (auto* y = std::get_if<registry::put>(&what); y != nullptr && y->owner)
      owners[local_actor_id{*y->owner}].known_there = true;
  };
  submit batch;
  std::size_t bytes = 0;
  for (auto& command : commands.take(now, session, first)) {
    if (!batch.commands.empty() && bytes + command.size() > max_submit_bytes) {
      send(std::exchange(batch, {}));
      bytes = 0;
    }
    bytes += command.size();
    batch.commands.push_back(std::move(command));
  }
  if (batch.commands.empty())
    return;
  send(std::move(batch));
  finder.sent(now);
}

void agent::impl::flush() {
  if (at == phase::left || !finder.target().valid())
    return;
  flush_commands();
  for (auto id : questions) {
    auto& question = std::get<ask_request>(requests.at(id));
    if (!std::exchange(question.to_send, false))
      continue;
    question.sent_at = now;
    if (auto* query = std::get_if<registry::query>(&question.what)) {
      send(read{id.value, *query});
    } else if (auto* change = std::get_if<change_voters>(&question.what)) {
      change->id = id.value;
      send(*change);
    } else {
      send(certify{std::get<registry::certify_end>(question.what)});
    }
    finder.sent(now);
  }
}

time_point agent::impl::next_wake() const {
  auto result = time_point::max();
  auto at_latest = [&result](std::optional<time_point> x) {
    if (x)
      result = std::min(result, *x);
  };
  if (at == phase::left)
    return result;
  if (at == phase::open && lease_end)
    at_latest(fence_at());
  if (at != phase::fenced)
    at_latest(drive_at);
  at_latest(finder.next_wake());
  at_latest(leave_by);
  at_latest(hold_until);
  if (at == phase::open || at == phase::leaving)
    at_latest(commands.next_wake(finder.quick()));
  if (!deadlines.empty())
    at_latest(deadlines.begin()->first);
  for (auto& [name, when] : suspects)
    at_latest(when);
  if (!questions.empty())
    at_latest(now + 2 * finder.quick());
  // A driver that wakes exactly then must not spin.
  return std::max(result, now + std::chrono::milliseconds{1});
}

// -- the door ----------------------------------------------------------------------------------

agent::agent(node_info info, lease_options options, std::vector<voter_id> voters, generator random,
             time_point now)
    : impl_(std::make_unique<impl>(std::move(info), options, std::move(voters), random, now)) {}

agent::agent(agent&&) noexcept = default;

agent& agent::operator=(agent&&) noexcept = default;

agent::~agent() = default;

request_id agent::acquire(time_point now, local_actor_id actor, std::vector<term> keys,
                          acquire_options options) {
  impl_->advance(now);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  acquire_request what;
  what.actor = actor;
  what.keys = std::move(keys);
  what.options = options;
  return impl_->admit(std::move(what));
}

void agent::owner_exited(time_point now, local_actor_id actor, std::string reason) {
  impl_->advance(now);
  impl_->owner_ended(actor, std::move(reason));
}

request_id agent::resolve(time_point now, term name, registry::singleton_spec spec) {
  impl_->advance(now);
  return impl_->admit(resolve_request{std::move(name), std::move(spec)});
}

void agent::forget(time_point now, const term& name) {
  impl_->advance(now);
  impl_->forget_name(name);
}

void agent::suspect(time_point now, const term& name) {
  impl_->advance(now);
  impl_->suspected(name);
}

void agent::started(time_point now, const term& name, token grant, local_actor_id actor) {
  impl_->advance(now);
  impl_->singleton_started(name, grant, actor);
}

void agent::start_failed(time_point now, const term& name, token grant, std::string error) {
  impl_->advance(now);
  error.resize(std::min(error.size(), registry::max_text_bytes));
  impl_->singleton_ended(name, grant, registry::start_failed{{}, name, grant, std::move(error)});
}

void agent::singleton_exited(time_point now, const term& name, token grant, bool failed,
                             std::string reason) {
  impl_->advance(now);
  reason.resize(std::min(reason.size(), registry::max_text_bytes));
  impl_->singleton_ended(name, grant,
                         registry::singleton_exited{{}, name, grant, failed, std::move(reason)});
}

request_id agent::put(time_point now, std::string bucket, term key, std::string value,
                      std::optional<local_actor_id> owner, std::optional<time_point> deadline) {
  impl_->advance(now);
  put_request what;
  what.what.bucket = std::move(bucket);
  what.what.key = std::move(key);
  what.what.value = std::move(value);
  if (owner)
    what.what.owner = owner->value;
  what.deadline = deadline;
  return impl_->admit(std::move(what));
}

request_id agent::ask(time_point now, registry::query what, std::optional<time_point> deadline) {
  impl_->advance(now);
  return impl_->admit(ask_request{std::move(what), deadline, true, now});
}

request_id agent::drain(time_point now, std::string node, bool on,
                        std::optional<time_point> deadline) {
  impl_->advance(now);
  return impl_->admit(drain_request{std::move(node), on, deadline});
}

request_id agent::prove_end(time_point now, registry::certify_end proof,
                            std::optional<time_point> deadline) {
  impl_->advance(now);
  return impl_->admit(ask_request{std::move(proof), deadline, true, now});
}

request_id agent::change(time_point now, change_voters what, std::optional<time_point> deadline) {
  impl_->advance(now);
  return impl_->admit(ask_request{std::move(what), deadline, true, now});
}

void agent::cancel(time_point now, request_id id) {
  impl_->advance(now);
  impl_->deadline_passed(id, "cancelled");
}

void agent::leave(time_point now) {
  impl_->advance(now);
  impl_->start_leaving();
}

void agent::step(time_point now, voter_id from, const voter_message& what) {
  impl_->advance(now);
  std::visit([&](const auto& x) { impl_->handle(from, x); }, what);
}

void agent::link_up(time_point now, voter_id voter) {
  impl_->advance(now);
  if (impl_->finder.link_up(impl_->now, voter))
    impl_->probe();
}

void agent::link_down(time_point now, voter_id voter) {
  impl_->advance(now);
  if (impl_->finder.link_down(impl_->now, voter))
    impl_->probe();
}

void agent::voters_are(time_point now, std::vector<voter_id> voters) {
  impl_->advance(now);
  if (impl_->finder.voters_are(impl_->now, std::move(voters)))
    impl_->probe();
}

void agent::tick(time_point now) {
  impl_->advance(now);
  impl_->timers();
}

agent_output agent::take_output() {
  impl_->flush();
  return std::exchange(impl_->out, {});
}

lease_state agent::lease() const {
  lease_state result;
  result.lease_end = impl_->lease_end.value_or(time_point{});
  result.armed = !impl_->bounded.empty() || !impl_->nothing_to_end();
  return result;
}

session_id agent::session() const {
  return impl_->up ? impl_->session : session_id{};
}

bool agent::valid(time_point now) const {
  return impl_->up && impl_->usable(std::max(now, impl_->now));
}

duration agent::least_left() const {
  return impl_->least_left;
}

voter_id agent::leader() const {
  return impl_->finder.leader();
}

time_point agent::next_wake() const {
  return impl_->next_wake();
}

std::uint64_t agent::dropped() const {
  return impl_->dropped;
}

} // namespace paxtor::cluster
