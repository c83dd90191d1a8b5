#include "actors/agent_actor.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>
#include <nlohmann/json.hpp>

#include <paxtor/error.hpp>

#include "actors/voter_actor.hpp"
#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/cluster/frame.hpp"
#include "net/hub.hpp"
#include "net/log.hpp"

namespace paxtor::actors {

namespace {

/// Outputs that cause inputs (a moved name is resolved anew) end after a few rounds; a bound keeps
/// a mistake from becoming a busy loop. What is left goes with the next turn.
constexpr int max_rounds = 16;

} // namespace

agent_actor::agent_actor(caf::actor_config& cfg, agent_setup setup)
    : net::inline_actor(cfg), setup_(std::move(setup)), log_(setup_.info.name) {}

caf::behavior agent_actor::make_behavior() {
  set_error_handler([](caf::error&) {});
  // A node without its agent holds locks that nobody guards.
  set_exception_handler(
    [](std::exception_ptr& problem) -> caf::error { net::die("session agent", problem); });
  set_down_handler([this](const caf::down_msg& what) {
    input turn{this};
    owner_down(what);
  });
  // Links may be told before this node's own address is known: they wait in the mailbox, in order.
  set_default_handler(caf::skip);
  return {
    [this](const begin& what) { begin_with(what); },
    // It could not start, for an address in use for example: there is no session to close.
    [this](leave_atom) {
      setup_.lease->leave();
      setup_.progress->left();
    },
    [this](quit_atom) { quit(); },
  };
}

void agent_actor::begin_with(const begin& what) {
  hub_ = what.hub;
  host_ = what.host;
  voter_ = what.voter;
  setup_.info.endpoint = what.endpoint;
  const auto now = boot_now();
  agent_.emplace(setup_.info, setup_.leases, std::vector<voter_id>{}, generator{setup_.seed}, now);
  keeper_.emplace(this, &*agent_, setup_.book, setup_.names);
  keeper_->hub_is(hub_);
  keeper_->on_reply = [this](const std::function<void(time_point)>& act) {
    input turn{this};
    act(turn.now);
  };
  set_default_handler(
    [this](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      // Anybody who is linked to this node can send anything here.
      ++bad_frames_;
      return caf::sec::unexpected_message;
    });
  become(caf::behavior{requests().or_else(network()).or_else(local())});
  input turn{this};
  for (const auto& proof : setup_.proofs)
    proving_.emplace(agent_->prove_end(turn.now, proof, std::nullopt), proof.node);
}

caf::message_handler agent_actor::network() {
  return {
    [this](net::frame_atom, const std::string& bytes) {
      input turn{this};
      frame(turn.now, bytes);
    },
    [this](net::link_up_atom, const std::string& bytes) {
      input turn{this};
      link_changed(turn.now, bytes, true);
    },
    [this](net::link_down_atom, const std::string& bytes) {
      input turn{this};
      link_changed(turn.now, bytes, false);
    },
    [this](net::refused_atom, const std::string& why) {
      log_.warn("a link was refused", {{"why", why}});
      setup_.progress->turned_away(why);
    },
    [](net::formation_atom, const std::string&) {
      // The voter's supervisor gets these too; they are its business.
    },
    [this](formed_atom, std::uint64_t id, const std::string& bytes) {
      input turn{this};
      cluster_ = cluster_id{id};
      anon_send(hub_, net::cluster_is_atom::value, id);
      setup_.progress->formed();
      log_.info("the cluster has formed", {{"cluster", id}});
      cluster::voters_now initial;
      if (decode(bytes, initial.voters))
        voters_are(turn.now, initial);
    },
    [this](net::voters_atom, const std::string& bytes) {
      input turn{this};
      cluster::voters_now news;
      if (decode(bytes, news))
        voters_are(turn.now, news);
    },
    [this](net::outsider_atom, const std::string& why) {
      input turn{this};
      log_.warn("this node does not vote: it goes on as a client node", {{"why", why}});
      anon_send(hub_, net::outsider_atom::value);
    },
  };
}

caf::message_handler agent_actor::local() {
  return {
    [this](tick_atom, std::uint64_t number) {
      if (number != tick_number_)
        return;
      armed_for_.reset();
      input turn{this};
      agent_->tick(turn.now);
      keeper_->tick(turn.now);
    },
    [this](flush_atom) {
      flush_sent_ = false;
      inputs_ = 0;
      flush(boot_now());
    },
    [this](name_wanted_atom, const std::shared_ptr<name_cell>& cell) {
      input turn{this};
      keeper_->wanted(turn.now, cell);
    },
    [this](name_lost_atom, const std::shared_ptr<name_cell>& cell) {
      input turn{this};
      keeper_->lost(turn.now, cell);
    },
    [this](name_idle_atom, const std::shared_ptr<name_cell>& cell) {
      input turn{this};
      keeper_->idle(turn.now, cell);
    },
    [this](const singleton_started& what) {
      input turn{this};
      agent_->started(turn.now, what.name, what.grant, what.actor);
    },
    [this](const singleton_failed& what) {
      input turn{this};
      agent_->start_failed(turn.now, what.name, what.grant, what.error);
    },
    [this](const singleton_ended& what) {
      input turn{this};
      agent_->singleton_exited(turn.now, what.name, what.grant, what.failed, what.reason);
    },
    [this](leave_atom) {
      input turn{this};
      leaving_ = true;
      agent_->leave(turn.now);
    },
    [this](net::status_atom) { return status(); },
    [this](quit_atom) { quit(); },
  };
}

void agent_actor::on_exit() {
  const auto why = make_error(errc::not_joined, "this node has left the cluster");
  for (auto& [id, one] : waiting_)
    one.promise.deliver(why);
  waiting_.clear();
  setup_.names->close(why);
  setup_.lease->leave();
  setup_.progress->left();
  keeper_.reset();
  hub_ = host_ = voter_ = nullptr;
}

// -- turns ----------------------------------------------------------------------------------------

void agent_actor::settle(time_point now) {
  if (flushing_ || !agent_)
    return;
  if (++inputs_ < max_inputs_per_turn && !mailbox().empty()) {
    // What waits may be no input (a stale tick, a question of status): only a message of our own,
    // behind all that waits now, is sure to let the outputs go.
    if (!flush_sent_)
      send(this, flush_atom::value);
    flush_sent_ = true;
    return;
  }
  inputs_ = 0;
  flush(now);
}

void agent_actor::flush(time_point now) {
  flushing_ = true;
  now_ = now;
  for (int round = 0; round < max_rounds; ++round) {
    const auto out = agent_->take_output();
    // I36: first the watchdog, then the owners.
    update_lease(now);
    if (out.send.empty() && out.notices.empty())
      break;
    send_frames(out.send);
    for (const auto& one : out.notices)
      std::visit([this](const auto& notice) { take(notice); }, one);
  }
  flushing_ = false;
  arm(now);
}

void agent_actor::update_lease(time_point now) {
  const auto lease = agent_->lease();
  setup_.dog->owners(owners_.size());
  setup_.dog->update(lease.lease_end, lease.armed);
  if (std::exchange(armed_, lease.armed) != lease.armed)
    setup_.progress->guarded(lease.armed);
  if (agent_->valid(now))
    setup_.lease->publish(agent_->session(), lease.lease_end - setup_.leases.margin());
  else
    setup_.lease->fence();
}

void agent_actor::send_frames(const std::vector<cluster::to_voter>& all) {
  // Before the cluster is known nobody would take them; the agent asks again by itself.
  if (!cluster_.valid())
    return;
  for (const auto& one : all) {
    cluster::frame wire = cluster::node_frame{cluster_, setup_.info.id, voter_id{}, one.what};
    setup_.book->to_voter(
      one.voter, paxos::role::proposer,
      net::peers::wrap(encode_frame(wire, setup_.book->version_for(one.voter))));
  }
}

void agent_actor::arm(time_point now) {
  auto next = agent_->next_wake();
  if (auto wake = keeper_->next_wake())
    next = std::min(next, *wake);
  if (left_ || (armed_for_ && *armed_for_ <= next))
    return;
  armed_for_ = next;
  const auto delay = std::max(next - now, duration{std::chrono::milliseconds{1}});
  delayed_send(this, std::min(delay, duration{std::chrono::hours{1}}), tick_atom::value,
               ++tick_number_);
}

// -- outputs --------------------------------------------------------------------------------------

void agent_actor::take(const cluster::completion& what) {
  std::visit([this](const auto& outcome) { complete(outcome); }, what);
}

void agent_actor::take(const registry::start_singleton& what) {
  send(host_, what);
}

void agent_actor::take(const registry::hand_over& what) {
  send(host_, what);
}

void agent_actor::take(const cluster::name_moved& what) {
  keeper_->moved(now_, what);
}

void agent_actor::take(const cluster::fence& what) {
  ++fences_;
  // F1: kill cannot be trapped.
  for (auto id : what.owners) {
    const auto known = owners_.find(id.value);
    const auto owner =
      known != owners_.end() ? caf::actor_cast<caf::strong_actor_ptr>(known->second) : nullptr;
    if (!owner)
      continue;
    const auto blocks = owner->get()->getf(caf::abstract_actor::is_blocking_flag);
    log_.warn(blocks ? "an owner that blocks must end by itself, or the watchdog ends the process"
                     : "an owner is killed",
              {{"actor", id.value}, {"why", what.reason}});
    caf::anon_send_exit(owner, caf::exit_reason::kill);
  }
  if (!what.singletons.empty())
    send(host_, stop_singletons{what.singletons, what.reason});
}

void agent_actor::take(const cluster::session_up& what) {
  log_.info("joined the cluster", {{"session", what.session.value}});
  setup_.progress->joined();
}

void agent_actor::take(const cluster::session_down& what) {
  constexpr std::string_view taken = "name_taken: ";
  if (leaving_)
    return;
  if (what.session.valid()) {
    log_.warn("the session is lost", {{"session", what.session.value}, {"why", what.reason}});
    return;
  }
  if (what.reason.starts_with(taken)) {
    log_.warn("another node has this node's name", {{"where", what.reason.substr(taken.size())}});
    setup_.progress->name_taken(what.reason.substr(taken.size()));
    return;
  }
  log_.error("the cluster does not take this node", {{"why", what.reason}});
  setup_.progress->refused(
    make_error(errc::invalid, "the cluster does not take this node: " + what.reason));
}

void agent_actor::take(const cluster::session_left&) {
  log_.info("left the cluster");
  left_ = true;
  setup_.lease->leave();
  setup_.progress->left();
}

// -- inputs ---------------------------------------------------------------------------------------

void agent_actor::link_changed(time_point now, const std::string& bytes, bool up) {
  cluster::frame what;
  if (decode_frame(bytes, what) != cluster::frame_error::none
      || !std::holds_alternative<cluster::hello_frame>(what))
    return;
  const auto& hello = std::get<cluster::hello_frame>(what);
  if (hello.cluster.valid() && !cluster_.valid()) {
    cluster_ = hello.cluster;
    setup_.progress->formed();
    anon_send(hub_, net::cluster_is_atom::value, cluster_.value);
  }
  const auto ours = hello.node == setup_.info.id;
  auto& known = links_[hello.node];
  const auto before = std::exchange(known, up ? hello.voter : voter_id{});
  if (before.valid() && before != known)
    agent_->link_down(now, before);
  if (known.valid())
    agent_->link_up(now, known);
  if (!up)
    links_.erase(hello.node);
  if (ours)
    return;
  log_.debug(up ? "link is up" : "link is down", {{"peer", hello.node_name}});
  if (up) {
    setup_.progress->linked(hello.node_name);
    keeper_->link_up(now, hello.node);
  } else {
    setup_.progress->unlinked(hello.node_name);
    keeper_->link_down(now, hello.node);
  }
}

void agent_actor::voters_are(time_point now, const cluster::voters_now& news) {
  if (!news.newer_than(voters_))
    return;
  voters_ = news;
  std::vector<voter_id> ids;
  for (const auto& who : voters_.voters.members)
    ids.push_back(who.id);
  agent_->voters_are(now, std::move(ids));
  if (setup_.voters_changed)
    setup_.voters_changed(voters_.voters);
}

void agent_actor::frame(time_point now, const std::string& bytes) {
  cluster::frame what;
  if (decode_frame(bytes, what) != cluster::frame_error::none
      || !std::holds_alternative<cluster::voter_frame>(what)) {
    ++bad_frames_;
    return;
  }
  const auto& one = std::get<cluster::voter_frame>(what);
  if (one.to != setup_.info.id || one.cluster != cluster_) {
    ++bad_frames_;
    return;
  }
  agent_->step(now, one.from, one.what);
}

void agent_actor::owner_down(const caf::down_msg& what) {
  const auto id = what.source.id();
  if (owners_.erase(id) == 0)
    return;
  agent_->owner_exited(boot_now(), local_actor_id{id}, describe(what.reason));
}

std::string agent_actor::status() const {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto now = boot_now();
  const auto lease = agent_->lease();
  nlohmann::json result;
  result["node"] = setup_.info.name;
  result["node_id"] = std::to_string(setup_.info.id.value);
  result["cluster"] = std::to_string(cluster_.value);
  result["endpoint"] = setup_.info.endpoint;
  result["leader"] = nullptr;
  result["voters"] = nlohmann::json::array();
  for (const auto& who : voters_.voters.members) {
    result["voters"].push_back(who.name);
    if (who.id == agent_->leader())
      result["leader"] = who.name;
  }
  const auto self = setup_.book->self().hello.voter;
  result["role"] = !self.valid() ? "client" : voters_.voters.contains(self) ? "voter" : "standby";
  result["session"] = agent_->session().value;
  result["valid"] = agent_->valid(now);
  result["lease_left_ms"] =
    agent_->valid(now) ? duration_cast<milliseconds>(lease.lease_end - now).count() : 0;
  result["lease_left_least_ms"] = duration_cast<milliseconds>(agent_->least_left()).count();
  result["guarded"] = lease.armed;
  result["owners_watched"] = owners_.size();
  result["requests_waiting"] = waiting_.size();
  result["names_in_use"] = keeper_->size();
  result["dropped_messages"] = setup_.names->dropped();
  result["dropped_frames"] = setup_.book->dropped();
  result["bad_frames"] = bad_frames_;
  result["fences"] = fences_;
  return result.dump();
}

} // namespace paxtor::actors
