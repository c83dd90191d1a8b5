#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include <paxtor/error.hpp>

#include "actors/agent_actor.hpp"
#include "actors/answers.hpp"
#include "actors/arguments.hpp"
#include "actors/host_actor.hpp"
#include "actors/specs.hpp"
#include "net/endpoint.hpp"

namespace paxtor::actors {

namespace {

std::optional<time_point> deadline_at(time_point now,
                                      const std::optional<std::chrono::milliseconds>& after) {
  // A year is for ever; more would overflow somewhere.
  constexpr std::chrono::milliseconds longest = std::chrono::hours{24 * 365};
  if (!after)
    return std::nullopt;
  return now + std::min(*after, longest);
}

caf::error invalid(std::string text) {
  return make_error(errc::invalid, std::move(text));
}

} // namespace

caf::message_handler agent_actor::requests() {
  return {
    [this](const detail::lock_request& what) {
      input turn{this};
      return lock(turn.now, what);
    },
    [this](const detail::whereis_request& what) {
      input turn{this};
      return whereis(turn.now, what);
    },
    [this](const detail::put_request& what) {
      input turn{this};
      return put(turn.now, what);
    },
    [this](const detail::ask_request& what) {
      input turn{this};
      return ask(turn.now, what);
    },
    [this](const detail::release_request& what) {
      input turn{this};
      return release(turn.now, what);
    },
    [this](const detail::voters_request& what) {
      input turn{this};
      return voters(turn.now, what);
    },
    [this](const detail::drain_request& what) {
      input turn{this};
      return drain(turn.now, what);
    },
    // Of another node's host: what was sent there must be on its way before the answer is.
    [this](let_go_atom, const std::string& name, std::uint64_t grant) -> caf::atom_value {
      input turn{this};
      keeper_->let_go(turn.now, term::from_canonical(name), token{grant});
      return let_go_atom::value;
    },
  };
}

std::optional<local_actor_id> agent_actor::watch_sender() {
  const auto& sender = current_sender();
  if (!sender || sender->node() != system().node())
    return std::nullopt;
  const auto id = sender->id();
  // Once for each: its end says `owner_exited`, whatever it holds by then.
  const auto address = caf::actor_cast<caf::actor_addr>(sender);
  if (owners_.emplace(id, address).second)
    monitor(address);
  return local_actor_id{id};
}

caf::result<caf::message> agent_actor::wait_for(cluster::request_id id, bool entry) {
  auto promise = make_response_promise();
  waiting_.emplace(id, pending{promise, entry, {}, {}});
  return caf::delegated<caf::message>{};
}

// -- requests -------------------------------------------------------------------------------------

caf::result<caf::message> agent_actor::lock(time_point now, const detail::lock_request& what) {
  if (!what.problem.empty())
    return invalid(what.problem);
  std::vector<term> keys;
  keys.reserve(what.keys.size());
  for (const auto& text : what.keys)
    keys.push_back(term::from_canonical(text));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const auto owner = watch_sender();
  if (!owner)
    return invalid(
      "a lock is owned by the actor that asks: ask with request, from an actor of this process");
  cluster::acquire_options options;
  options.mode =
    what.options.try_once ? registry::acquire_mode::try_once : registry::acquire_mode::wait;
  options.kind = what.options.kind == ownership::strict ? registry::ownership::strict
                                                        : registry::ownership::bounded;
  options.deadline = deadline_at(now, what.options.deadline);
  return wait_for(agent_->acquire(now, *owner, std::move(keys), options));
}

caf::result<caf::message> agent_actor::whereis(time_point now,
                                               const detail::whereis_request& what) {
  if (!what.problem.empty())
    return invalid(what.problem);
  registry::singleton_spec spec;
  if (auto problem = make_spec(system(), what.type, what.args, what.options, spec))
    return problem;
  return wait_for(agent_->resolve(now, term::from_canonical(what.name), std::move(spec)));
}

caf::result<caf::message> agent_actor::put(time_point now, const detail::put_request& what) {
  if (!what.problem.empty())
    return invalid(what.problem);
  std::optional<local_actor_id> owner;
  if (what.options.owned) {
    owner = watch_sender();
    if (!owner)
      return invalid(
        "an owned entry belongs to the actor that puts it: put it from an actor of this process");
  }
  return wait_for(agent_->put(now, what.bucket, term::from_canonical(what.key), what.value, owner,
                              deadline_at(now, what.options.deadline)));
}

caf::result<caf::message> agent_actor::ask(time_point now, const detail::ask_request& what) {
  if (!what.problem.empty())
    return invalid(what.problem);
  const auto key = term::from_canonical(what.key);
  std::optional<registry::query> query;
  if (what.what == "get")
    query = registry::query_get{what.bucket, key};
  else if (what.what == "list")
    query = registry::query_list{what.bucket, what.key, what.limit != 0 ? what.limit : 100};
  else if (what.what == "why")
    query = registry::query_why{key};
  else if (what.what == "members")
    query = registry::query_members{what.limit != 0 ? what.limit : 1000};
  else if (what.what == "name")
    query = registry::query_name{key};
  else if (what.what == "counts")
    query = registry::query_counts{};
  if (!query)
    return invalid("there is no question '" + what.what
                   + "'; there are get, list, why, members, name and counts");
  return wait_for(agent_->ask(now, std::move(*query), deadline_at(now, what.deadline)),
                  what.what == "get");
}

// L6: the leader's steward decides; here only what it cannot know is checked.
caf::result<caf::message> agent_actor::voters(time_point now, const detail::voters_request& what) {
  cluster::change_voters wish;
  wish.name = what.node;
  wish.address = what.address;
  wish.with = what.with;
  switch (what.kind) {
    case voter_change::look:
      break;
    case voter_change::add:
      wish.kind = cluster::voter_change::add;
      break;
    case voter_change::remove:
      wish.kind = cluster::voter_change::remove;
      break;
    case voter_change::replace:
      wish.kind = cluster::voter_change::replace;
      break;
  }
  if (what.kind != voter_change::look && what.node.empty())
    return invalid("which node? its name is empty");
  if (!what.address.empty()) {
    auto where = net::parse_endpoint(what.address);
    if (!where)
      return invalid("the address of " + what.node + ": " + describe(where.error()));
    if (where->port == 0)
      return invalid("the address " + what.address + " has port 0: others need one they know");
    wish.address = to_string(*where);
  }
  return wait_for(agent_->change(now, std::move(wish), deadline_at(now, what.deadline)));
}

// F4: the operator's word is about a session that silence has ended; which that is, the key tells.
caf::result<caf::message> agent_actor::release(time_point now,
                                               const detail::release_request& what) {
  if (!what.problem.empty())
    return invalid(what.problem);
  auto id = agent_->ask(now, registry::query_why{term::from_canonical(what.key)},
                        deadline_at(now, what.deadline));
  auto promise = make_response_promise();
  waiting_.emplace(id, pending{promise, false, what, {}});
  return caf::delegated<caf::message>{};
}

caf::result<caf::message> agent_actor::drain(time_point now, const detail::drain_request& what) {
  return wait_for(agent_->drain(now, what.node, what.on, deadline_at(now, what.deadline)));
}

void agent_actor::release_holder(pending one, const nlohmann::json& why) {
  const auto request = std::exchange(one.release, std::nullopt).value();
  one.holder = why.value("holder", nlohmann::json{});
  registry::certify_end proof;
  if (one.holder.is_object()) {
    proof.session = session_id{one.holder.value("session", std::uint64_t{0})};
    if (const auto node = one.holder.find("node_id"); node != one.holder.end() && node->is_string())
      proof.node = node_id{std::strtoull(node->get<std::string>().c_str(), nullptr, 10)};
  }
  if (!proof.session.valid() || !proof.node.valid()) {
    one.promise.deliver(invalid("nobody holds " + request.key + ": there is nothing to release"));
    return;
  }
  proof.proof = registry::end_reason::forced;
  proof.detail = "by " + request.by;
  const auto id = agent_->prove_end(now_, proof, deadline_at(now_, request.deadline));
  waiting_.emplace(id, std::move(one));
}

// -- answers --------------------------------------------------------------------------------------

auto agent_actor::take_pending(cluster::request_id id) -> std::optional<pending> {
  auto node = waiting_.extract(id);
  if (node.empty())
    return std::nullopt;
  return std::move(node.mapped());
}

bool agent_actor::settle_proof(cluster::request_id id, const std::string& problem) {
  const auto proof = proving_.extract(id);
  if (proof.empty())
    return false;
  if (problem.empty())
    log_.info("the end of this node's process before is certified",
              {{"node", proof.mapped().value}});
  else
    log_.warn("the end of this node's process before was not certified", {{"why", problem}});
  if (setup_.proof_settled)
    setup_.proof_settled(proof.mapped());
  return true;
}

void agent_actor::complete(const cluster::failed& what) {
  if (what.code == cluster::failure::not_joined && proving_.erase(what.id) > 0)
    return; // This node leaves: the next one brings it again.
  if (keeper_->failed(what) || settle_proof(what.id, what.detail))
    return;
  if (auto one = take_pending(what.id))
    one->promise.deliver(error_for(what));
}

void agent_actor::complete(const cluster::granted& what) {
  // I36: flush() has armed the watchdog and published the lease before it told anybody.
  if (auto one = take_pending(what.id))
    one->promise.deliver(grant_for(what, agent_->session(), setup_.lease));
}

void agent_actor::complete(const cluster::located& what) {
  if (keeper_->located(now_, what))
    return;
  if (auto one = take_pending(what.id))
    one->promise.deliver(whereabouts_for(what.where));
}

void agent_actor::complete(const cluster::stored& what) {
  if (auto one = take_pending(what.id))
    one->promise.deliver(document_for(what));
}

void agent_actor::complete(const cluster::replied& what) {
  if (settle_proof(what.id, {}))
    return;
  auto one = take_pending(what.id);
  if (!one)
    return;
  auto answer = document_for(what, one->entry);
  if (!answer) {
    one->promise.deliver(std::move(answer.error()));
  } else if (one->release) {
    release_holder(std::move(*one), answer->value);
  } else {
    if (one->holder.is_object())
      answer->value["holder"] = std::move(one->holder);
    one->promise.deliver(std::move(*answer));
  }
}

} // namespace paxtor::actors
