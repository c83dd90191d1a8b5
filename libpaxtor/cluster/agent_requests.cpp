/// \file
/// The agent's requests: locks with their deadlines, puts, questions; and the ends of owners.

#include <algorithm>
#include <utility>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/cluster/agent_impl.hpp"

namespace paxtor::cluster {

namespace {

/// Any valid origin: what a command is checked with before it has its own.
const registry::origin some_origin{session_id{1}, seq{1}, seq{1}};

registry::acquire command_of(const acquire_request& x) {
  return {some_origin, x.actor, x.keys, x.options.mode, x.options.kind};
}

registry::command to_check(const acquire_request& x) {
  return command_of(x);
}

registry::command to_check(const resolve_request& x) {
  return registry::resolve{some_origin, x.name, x.spec};
}

registry::command to_check(const put_request& x) {
  auto what = x.what;
  what.from = some_origin;
  return what;
}

registry::command to_check(const drain_request& x) {
  return registry::drain{some_origin, x.node, x.on};
}

/// Questions are checked by the registry, which answers them with an error text.
bool well_formed(const ask_request& x, std::string& why) {
  auto* proof = std::get_if<registry::certify_end>(&x.what);
  return proof == nullptr || registry::validate(*proof, why);
}

template <class T>
bool well_formed(const T& x, std::string& why) {
  return registry::validate(to_check(x), why);
}

std::optional<time_point> deadline_of(const acquire_request& x) {
  return x.withdrawing ? std::optional{x.give_up} : x.options.deadline;
}

std::optional<time_point> deadline_of(const resolve_request&) {
  return std::nullopt;
}

std::optional<time_point> deadline_of(const put_request& x) {
  return x.deadline;
}

std::optional<time_point> deadline_of(const ask_request& x) {
  return x.deadline;
}

std::optional<time_point> deadline_of(const drain_request& x) {
  return x.deadline;
}

} // namespace

// -- in and out --------------------------------------------------------------------------------

request_id agent::impl::admit(request what) {
  auto id = last_request = last_request.next();
  auto refuse = [&](failure code, std::string detail) {
    tell(completion{failed{id, code, std::move(detail)}});
    return id;
  };
  if (leave_by || at == phase::left)
    return refuse(failure::not_joined, "this node is leaving the cluster, or has left it");
  if (commands.full() || requests.size() >= max_requests)
    return refuse(failure::overloaded, "too many requests wait on this node: try again later");
  std::string why;
  if (!std::visit([&](const auto& x) { return well_formed(x, why); }, what))
    return refuse(failure::invalid, why);
  auto deadline = std::visit([](const auto& x) { return deadline_of(x); }, what);
  if (deadline && *deadline <= now)
    return refuse(failure::timed_out, "the deadline had passed before the request was made");
  if (auto* lock = std::get_if<acquire_request>(&what)) {
    auto is_theirs = [&](const owner_id& x) { return x.actor == lock->actor; };
    if (ending.count(lock->actor) != 0)
      return refuse(failure::session_lost, "the node lost its session, and its owners are stopped");
    if (std::any_of(old_strict.begin(), old_strict.end(), is_theirs))
      return refuse(failure::session_lost,
                    "the actor holds strict locks of a session that was lost: "
                    "end it, then lock anew");
  }
  if (auto* name = std::get_if<resolve_request>(&what);
      name != nullptr && names.size() >= max_names && names.count(name->name) == 0)
    return refuse(failure::overloaded, "too many names are in use on this node");
  auto& kept = requests.emplace(id, std::move(what)).first->second;
  if (deadline)
    deadlines.insert({*deadline, id});
  queue_request(id, kept);
  return id;
}

void agent::impl::queue_request(request_id id, const request& what) {
  if (auto* lock = std::get_if<acquire_request>(&what)) {
    auto& owner = owners[lock->actor];
    owner.requests.insert(id);
    if (lock->options.kind == registry::ownership::strict)
      owner.asked_strict = true;
    commands.push(command_of(*lock), id);
  } else if (auto* name = std::get_if<resolve_request>(&what)) {
    resolve(id, *name);
  } else if (auto* put = std::get_if<put_request>(&what)) {
    if (put->what.owner)
      owners[local_actor_id{*put->what.owner}].requests.insert(id);
    commands.push(put->what, id);
  } else if (auto* drain = std::get_if<drain_request>(&what)) {
    commands.push(registry::drain{{}, drain->node, drain->on}, id);
  } else {
    questions.insert(id);
  }
}

void agent::impl::complete(request_id id, completion what) {
  auto i = requests.find(id);
  PAXTOR_CHECK("I20", i != requests.end());
  auto leave_owner = [&](local_actor_id actor) {
    auto owner = owners.find(actor);
    if (owner == owners.end())
      return;
    owner->second.requests.erase(id);
    // R6: nobody who has nothing.
    if (owner->second.requests.empty() && owner->second.held.empty() && !owner->second.known_there)
      owners.erase(owner);
  };
  if (auto deadline = std::visit([](const auto& x) { return deadline_of(x); }, i->second))
    deadlines.erase({*deadline, id});
  if (auto* lock = std::get_if<acquire_request>(&i->second)) {
    queued.erase(lock->queued_as);
    leave_owner(lock->actor);
  } else if (auto* put = std::get_if<put_request>(&i->second)) {
    if (put->what.owner)
      leave_owner(local_actor_id{*put->what.owner});
  } else if (auto* name = std::get_if<resolve_request>(&i->second)) {
    if (auto state = names.find(name->name); state != names.end())
      state->second.waiting.erase(id);
  } else {
    questions.erase(id);
  }
  requests.erase(i);
  tell(std::move(what));
}

void agent::impl::fail(request_id id, failure code, std::string detail) {
  complete(id, failed{id, code, std::move(detail)});
}

void agent::impl::fail_all(failure code, const std::string& detail) {
  while (!requests.empty()) {
    auto id = requests.begin()->first;
    commands.drop(id);
    fail(id, code, detail);
  }
}

void agent::impl::grant(request_id id, token with) {
  auto& what = std::get<acquire_request>(requests.at(id));
  // I18: checked by the door of each message, and here.
  PAXTOR_CHECK("I18", usable(now));
  auto& owner = owners[what.actor];
  owner.known_there = true;
  // With one token for several locks of both kinds, the kind that must be stopped counts.
  auto& kind = owner.held.try_emplace(with, what.options.kind).first->second;
  if (what.options.kind == registry::ownership::bounded) {
    kind = registry::ownership::bounded;
    bounded.insert(what.actor);
  }
  complete(id, granted{id, what.actor, with, what.keys, what.options.kind});
}

// -- ends --------------------------------------------------------------------------------------

void agent::impl::owner_ended(local_actor_id actor, std::string reason) {
  reason.resize(std::min(reason.size(), registry::max_text_bytes));
  // F5: at last, the proof for what it held strictly in sessions that were lost.
  std::vector<owner_id> old;
  for (auto& x : old_strict)
    if (x.actor == actor)
      old.push_back(x);
  for (auto& x : old) {
    old_strict.erase(x);
    commands.push(registry::owner_exited{{}, x.session, actor, reason});
  }
  ending.erase(actor);
  bounded.erase(actor);
  if (auto i = owners.find(actor); i != owners.end()) {
    // Held by value: completing the last request may drop the owner.
    auto state = i->second;
    for (auto id : state.requests) {
      // R1: never sent (again); a copy on its way finds its owner ended.
      commands.drop(id);
      fail(id, failure::owner_gone, "the actor has ended");
    }
    owners.erase(actor);
    // Once, and only if the registry may know of it. A session that is being closed needs no
    // report.
    if (state.known_there && at == phase::open)
      commands.push(registry::owner_exited{{}, session, actor, std::move(reason)});
  }
  // The last strict owner may have been all that kept a session from being closed.
  if (at == phase::closing && !old.empty() && !strict_owners_alive())
    drive();
  progress();
}

// -- deadlines ---------------------------------------------------------------------------------

void agent::impl::run_deadlines() {
  while (!deadlines.empty() && deadlines.begin()->first <= now) {
    auto id = deadlines.begin()->second;
    deadlines.erase(deadlines.begin());
    deadline_passed(id, "the deadline passed");
  }
}

void agent::impl::deadline_passed(request_id id, std::string why) {
  auto i = requests.find(id);
  if (i == requests.end())
    return; // It has its outcome.
  if (std::holds_alternative<resolve_request>(i->second)
      || std::holds_alternative<ask_request>(i->second)) {
    fail(id, failure::timed_out, std::move(why));
    return;
  }
  auto number = commands.number_of(id);
  bool sent = number && commands.find(*number)->ever_sent;
  auto* lock = std::get_if<acquire_request>(&i->second);
  if (lock == nullptr) {
    if (!sent)
      commands.drop(id);
    // A put or drain that was sent stays on its way; nobody hears how it ends.
    fail(id, sent ? failure::outcome_unknown : failure::timed_out, std::move(why));
    return;
  }
  if (lock->withdrawing) {
    // A second cancel comes to nothing; the clock ends the patience.
    if (now < lock->give_up)
      return;
    fail(
      id, failure::outcome_unknown,
      why
        + ", and the cluster has not said whether the grant came first: end the actor to be sure");
    return;
  }
  if (!sent && !lock->queued_as.valid()) {
    commands.drop(id);
    fail(id, failure::timed_out, std::move(why));
    return;
  }
  if (lock->options.deadline)
    deadlines.erase({*lock->options.deadline, id});
  lock->withdrawing = true;
  lock->why = std::move(why);
  lock->give_up = now + withdraw_patience;
  deadlines.insert({lock->give_up, id});
  withdraw_if_queued(id, *lock);
}

void agent::impl::withdraw_if_queued(request_id id, acquire_request& what) {
  // Only after the acquire's own answer: until then nothing tells whether there is a wait to end.
  if (!what.withdrawing || what.withdraw_sent || !what.queued_as.valid())
    return;
  what.withdraw_sent = true;
  commands.push(registry::withdraw{{}, what.actor, what.queued_as}, id);
}

// -- answers -----------------------------------------------------------------------------------

void agent::impl::answered(const registry::answer& what) {
  auto item = commands.done(what.number);
  if (!item) {
    ++dropped; // Repeated, or dropped by us.
    return;
  }
  if (what.code == registry::status::no_session) {
    // The log has refused it: nothing was done, and the session is over.
    if (at == phase::open) {
      lose_session("the cluster ended the session", true);
    } else {
      over = true;
      progress();
    }
    return;
  }
  std::visit([&](const auto& was) { answer_to(item->request, was, what); }, item->what);
}

// These three have no number of a session, so no answer leads here.
void agent::impl::answer_to(request_id, const registry::open_session&, const registry::answer&) {
  ++dropped;
}

void agent::impl::answer_to(request_id, const registry::close_session&, const registry::answer&) {
  ++dropped;
}

void agent::impl::answer_to(request_id, const registry::expire_session&, const registry::answer&) {
  ++dropped;
}

void agent::impl::answer_to(request_id, const registry::certify_end&, const registry::answer&) {
  ++dropped; // It is no command of a session: `certified` answers it.
}

void agent::impl::answer_to(request_id id, const registry::acquire& was,
                            const registry::answer& what) {
  auto i = requests.find(id);
  if (i == requests.end()) {
    // Given up after `withdraw_patience`, and now it waits: it must not be granted to nobody.
    if (what.code == registry::status::queued && owners.count(was.actor) != 0)
      commands.push(registry::withdraw{{}, was.actor, what.number});
    return;
  }
  auto& lock = std::get<acquire_request>(i->second);
  switch (what.code) {
    case registry::status::granted:
      grant(id, what.grant);
      return;
    case registry::status::queued:
      lock.queued_as = what.number;
      queued[what.number] = id;
      withdraw_if_queued(id, lock);
      return;
    case registry::status::withdrawn:
      fail(id, failure::timed_out, lock.withdrawing ? lock.why : "the wait was withdrawn");
      return;
    case registry::status::busy:
      fail(id, failure::busy, what.detail);
      return;
    case registry::status::deadlock:
      fail(id, failure::deadlock, what.detail);
      return;
    case registry::status::not_owner:
      fail(id, failure::owner_gone, what.detail);
      return;
    case registry::status::ok:
    case registry::status::located:
    case registry::status::starting:
    case registry::status::no_host:
    case registry::status::type_mismatch:
    case registry::status::name_taken:
    case registry::status::no_session:
    case registry::status::ended:
    case registry::status::no_node:
    case registry::status::invalid:
      break;
  }
  fail(id, failure::invalid, what.detail);
}

void agent::impl::answer_to(request_id id, const registry::withdraw&,
                            const registry::answer& what) {
  auto i = requests.find(id);
  if (i == requests.end())
    return; // The grant was told already, or the patience had ended.
  if (what.code == registry::status::granted)
    grant(id, what.grant);
  else
    fail(id, failure::timed_out, std::get<acquire_request>(i->second).why);
}

void agent::impl::answer_to(request_id, const registry::owner_exited&, const registry::answer&) {
  // Told once; nobody waits for it.
}

void agent::impl::answer_to(request_id id, const registry::put&, const registry::answer& what) {
  if (requests.count(id) == 0)
    return;
  if (what.code == registry::status::ok)
    complete(id, stored{id, what.value});
  else if (what.code == registry::status::not_owner)
    fail(id, failure::owner_gone, what.detail);
  else
    fail(id, failure::invalid, what.detail);
}

void agent::impl::answer_to(request_id id, const registry::drain&, const registry::answer& what) {
  if (requests.count(id) == 0)
    return;
  if (what.code == registry::status::ok)
    complete(id, replied{id, what.value});
  else
    fail(id, failure::invalid, what.detail);
}

void agent::impl::handle(const registry::lock_granted& what) {
  // By the number of its acquire, whether or not its `queued` has arrived.
  request_id id;
  if (auto i = queued.find(what.of); i != queued.end())
    id = i->second;
  else if (auto* item = commands.find(what.of))
    id = item->request;
  auto i = requests.find(id);
  if (i == requests.end() || !std::holds_alternative<acquire_request>(i->second))
    return; // Told already, or its owner has ended and its report is on its way.
  grant(id, what.grant);
}

} // namespace paxtor::cluster
