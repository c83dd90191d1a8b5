#include "actors/host_actor.hpp"

#include <exception>
#include <optional>
#include <utility>

#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>

#include <paxtor/error.hpp>

#include "actors/arguments.hpp"
#include "libpaxtor/base/check.hpp"

namespace paxtor::actors {

namespace {

/// What this thread has made and not yet let run, while it is parking.
thread_local std::optional<std::vector<caf::resumable*>> parked;

/// An end that the singleton chose itself, or was asked for, is no failure.
bool is_failure(const caf::error& reason) {
  return reason && reason != caf::exit_reason::normal && reason != caf::exit_reason::user_shutdown
         && reason != caf::exit_reason::unreachable;
}

} // namespace

// -- parking -------------------------------------------------------------------------------------

void parking_unit::exec_later(caf::resumable* what) {
  if (parked)
    parked->push_back(what);
  else
    caf::scoped_execution_unit::exec_later(what);
}

void parking_unit::park() {
  if (!parked)
    parked.emplace();
}

void parking_unit::release() {
  if (!parked)
    return;
  const auto all = std::move(*parked);
  parked.reset();
  for (auto* what : all)
    caf::scoped_execution_unit::exec_later(what);
}

// -- the host ------------------------------------------------------------------------------------

host_actor::host_actor(caf::actor_config& cfg, std::string node, parking_unit* unit,
                       hand_over_patience patience)
    : caf::event_based_actor(cfg), log_(std::move(node)), unit_(unit), patience_(patience) {}

caf::behavior host_actor::make_behavior() {
  set_down_handler([this](const caf::down_msg& what) { ended(what); });
  // Anybody who is linked to this node can send anything here.
  set_default_handler([](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    return caf::sec::unexpected_message;
  });
  set_error_handler([](caf::error&) {});
  return {
    [this](const begin& what) { agent_ = what.agent; },
    [this](const registry::start_singleton& order) { start(order); },
    [this](const registry::hand_over& order) { hand_over(order); },
    [this](const stop_singletons& order) {
      for (auto id : order.actors)
        if (auto i = residents_.find(id.value); i != residents_.end())
          kill(i->second, order.reason);
    },
    [this](caf::get_atom, const std::string& name, std::uint64_t grant) {
      return give(term::from_canonical(name), token{grant});
    },
    [this](overdue_atom, caf::actor_id which) { overdue(which); },
    [this](quit_atom) { quit(); },
  };
}

void host_actor::on_exit() {
  // Nothing that a node started outlives its stay.
  for (const auto& [id, one] : residents_)
    kill(one, "the node is stopping");
  residents_.clear();
  agent_ = nullptr;
}

auto host_actor::find(const term& name, token grant) -> resident* {
  for (auto& [id, one] : residents_)
    if (one.grant == grant && one.name == name)
      return &one;
  return nullptr;
}

void host_actor::start(const registry::start_singleton& order) {
  // R4: orders come again after a leader change.
  if (const auto* running = find(order.name, order.grant)) {
    send(agent_, singleton_started{order.name, order.grant, local_actor_id{running->actor->id()}});
    return;
  }
  resident made{order.name, order.grant, nullptr, {}, {}, {}};
  if (auto problem = make(order.spec, made)) {
    log_.warn("singleton could not be started",
              {{"name", order.name.text()}, {"type", order.spec.type}, {"why", describe(problem)}});
    send(agent_, singleton_failed{order.name, order.grant, describe(problem)});
    return;
  }
  const auto id = made.actor->id();
  log_.info("singleton started", {{"name", order.name.text()},
                                  {"type", order.spec.type},
                                  {"actor", id},
                                  {"token", order.grant.value}});
  // I34: said before its end can be heard of.
  send(agent_, singleton_started{order.name, order.grant, local_actor_id{id}});
  auto address = caf::actor_cast<caf::actor_addr>(made.actor);
  const auto fresh = residents_.emplace(id, std::move(made)).second;
  PAXTOR_CHECK("I34", fresh);
  monitor(address);
}

caf::error host_actor::make(const registry::singleton_spec& spec, resident& out) {
  const auto& factories = system().config().actor_factories;
  const auto factory = factories.find(spec.type);
  if (factory == factories.end())
    return make_error(errc::start_failed, "this node has no actor type '" + spec.type
                                            + "': it was not given to add_actor_type");
  caf::message args;
  if (auto problem = unpack_arguments(system(), spec.args, args))
    return make_error(errc::start_failed, "the arguments cannot be read: " + describe(problem));
  caf::actor_config cfg{unit_};
  unit_->park();
  try {
    auto [actor, interface] = factory->second(cfg, args);
    out.actor = std::move(actor);
    out.interface = std::move(interface);
  } catch (const std::exception& ex) {
    unit_->release();
    return make_error(errc::start_failed, "its constructor threw: " + std::string{ex.what()});
  } catch (...) {
    unit_->release();
    return make_error(errc::start_failed, "its constructor threw");
  }
  // It has not run yet (parked), so nobody else looks at its flags. A blocking actor has a thread
  // that runs already: it goes on to count, as all of CAF's.
  if (out.actor && !out.actor->get()->getf(caf::abstract_actor::is_blocking_flag))
    out.actor->get()->unregister_from_system();
  unit_->release();
  if (!out.actor)
    return make_error(errc::start_failed,
                      "actor type '" + spec.type
                        + "' does not take these arguments: the function or class that was given "
                          "to add_actor_type must take as many, of the same types, each by value "
                          "(CAF finds no match for a const T&)");
  return {};
}

void host_actor::ended(const caf::down_msg& what) {
  const auto i = residents_.find(what.source.id());
  // Ids are unique in one process only, and nodes that got a handle are watched too.
  if (i == residents_.end() || caf::actor_cast<caf::actor_addr>(i->second.actor) != what.source) {
    user_gone(what.source);
    return;
  }
  const auto gone = std::move(i->second);
  residents_.erase(i);
  const auto reason = describe(what.reason);
  log_.info("singleton ended",
            {{"name", gone.name.text()}, {"token", gone.grant.value}, {"why", reason}});
  if (agent_)
    send(agent_, singleton_ended{gone.name, gone.grant, is_failure(what.reason), reason});
}

void host_actor::kill(const resident& one, const std::string& reason) {
  log_.info("singleton is stopped",
            {{"name", one.name.text()}, {"token", one.grant.value}, {"why", reason}});
  // F1: kill cannot be trapped.
  caf::anon_send_exit(one.actor, caf::exit_reason::kill);
}

} // namespace paxtor::actors
