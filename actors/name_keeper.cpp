#include "actors/name_keeper.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <paxtor/error.hpp>

#include "actors/answers.hpp"
#include "libpaxtor/base/check.hpp"
#include "net/hub.hpp"

namespace paxtor::actors {

namespace {

/// A host answers from memory; longer means that the link or the host is gone.
constexpr std::chrono::milliseconds fetch_timeout{1000};

/// A link that is being made: look again after this time.
constexpr duration link_patience = std::chrono::milliseconds{100};

/// The hub forgets a link_to after link_to_lasts; say it again well before.
constexpr duration relink_every = std::chrono::seconds{20};

} // namespace

name_keeper::name_keeper(caf::event_based_actor* self, cluster::agent* agent,
                         std::shared_ptr<net::peers> book, std::shared_ptr<name_book> names)
    : self_(self), agent_(agent), book_(std::move(book)), handles_(std::move(names)) {}

auto name_keeper::find(const std::shared_ptr<name_cell>& cell) -> use* {
  const auto i = names_.find(cell->name());
  if (i == names_.end())
    return nullptr;
  const auto j = std::find_if(i->second.begin(), i->second.end(),
                              [&cell](const use& one) { return one.cell == cell; });
  return j != i->second.end() ? &*j : nullptr;
}

void name_keeper::wake_at(time_point when) {
  wake_ = wake_ ? std::min(*wake_, when) : when;
}

// -- from cells -----------------------------------------------------------------------------------

void name_keeper::wanted(time_point now, const std::shared_ptr<name_cell>& cell) {
  auto* one = find(cell);
  if (one == nullptr) {
    auto& all = names_[cell->name()];
    all.push_back({cell, step::idle, {}, {}, {}, {}});
    one = &all.back();
  }
  if (cell->users.load() == 0)
    idle(now, cell);
  switch (one->at) {
    case step::idle:
      resolve(now, *one);
      return;
    case step::direct:
      // Its target has ended; `lost` is behind this in the mailbox.
    case step::resolving:
    case step::fetching:
    case step::suspect:
      return;
  }
}

void name_keeper::lost(time_point now, const std::shared_ptr<name_cell>& cell) {
  if (auto* one = find(cell); one != nullptr && one->at == step::direct && !cell->connected())
    suspect(now, *one);
}

void name_keeper::idle(time_point now, const std::shared_ptr<name_cell>& cell) {
  auto* one = find(cell);
  if (one == nullptr) {
    // Never used: nobody knows of it but the book. False: a new handle has it.
    [[maybe_unused]] const auto gone = handles_->retire(cell);
    return;
  }
  one->unused_since = now;
  wake_at(names_.size() > max_lingering ? now : now + name_lingers);
}

// -- from the agent -------------------------------------------------------------------------------

void name_keeper::resolve(time_point now, use& one) {
  one.at = step::resolving;
  const auto id = agent_->resolve(now, one.cell->name(), one.cell->spec());
  asked_[id] = one.cell;
}

bool name_keeper::located(time_point now, const cluster::located& what) {
  auto node = asked_.extract(what.id);
  if (node.empty())
    return false;
  if (auto* one = find(node.mapped()); one != nullptr && one->at == step::resolving)
    fetch(now, *one, what.where);
  return true;
}

bool name_keeper::failed(const cluster::failed& what) {
  auto node = asked_.extract(what.id);
  if (node.empty())
    return false;
  if (auto* one = find(node.mapped()); one != nullptr && one->at == step::resolving)
    refuse(*one, error_for(what));
  return true;
}

void name_keeper::refuse(use& one, const caf::error& why) {
  // Idle first: the next message asks anew.
  one.at = step::idle;
  one.fetch_again.reset();
  one.cell->refuse(why);
}

void name_keeper::suspect(time_point now, use& one) {
  one.cell->disconnect();
  one.fetch_again.reset();
  one.at = step::suspect;
  agent_->suspect(now, one.cell->name());
}

void name_keeper::moved(time_point now, const cluster::name_moved& what) {
  const auto i = names_.find(what.name);
  if (i == names_.end())
    return;
  for (auto& one : i->second) {
    if (one.at == step::resolving)
      continue; // Its own answer comes.
    const auto same = what.where && one.where.grant == what.where->grant;
    if (same && one.at == step::direct && one.cell->connected())
      continue;
    if (same && one.at == step::fetching)
      continue;
    const auto was = one.at;
    // The old target must not get messages any more (I33), also if it still runs.
    one.cell->disconnect();
    one.fetch_again.reset();
    const auto waits = one.cell->waiting() > 0;
    if (what.where && (waits || was != step::idle)) {
      if (what.where->type == one.cell->spec().type)
        fetch(now, one, *what.where);
      else
        refuse(one, make_error(errc::type_mismatch, what.name.text() + " runs as type "
                                                      + what.where->type + ", not "
                                                      + one.cell->spec().type));
    } else if (waits && what.failed) {
      refuse(one, make_error(errc::start_failed, what.reason));
    } else if (waits) {
      resolve(now, one);
    } else {
      one.at = step::idle;
    }
  }
}

// -- the handle -----------------------------------------------------------------------------------

void name_keeper::fetch(time_point now, use& one, const registry::location& where) {
  one.at = step::fetching;
  one.where = where;
  one.fetch_again.reset();
  const auto host = book_->find(where.node);
  if (!host || !host->boxes.host) {
    // Linked to its voters alone, as yet: make a link, and come back.
    stay_linked(now, one);
    one.fetch_again = now + link_patience;
    wake_at(*one.fetch_again);
    return;
  }
  stay_linked(now, one);
  auto cell = one.cell;
  const auto grant = where.grant;
  self_
    ->request(caf::actor_cast<caf::actor>(host->boxes.host), fetch_timeout, caf::get_atom_v,
              where.name.text(), grant.value)
    .then(
      [this, cell, grant](const caf::strong_actor_ptr& actor,
                          const std::set<std::string>& interface) {
        on_reply([&](time_point later) { fetched(later, cell, grant, actor, interface); });
      },
      [this, cell, grant](const caf::error&) {
        on_reply([&](time_point later) { not_fetched(later, cell, grant); });
      });
}

void name_keeper::stay_linked(time_point now, use& one) {
  const auto local = one.where.node == book_->self().hello.node;
  if (local || one.where.endpoint.empty() || !hub_)
    return;
  if (one.linked_at != time_point{} && now - one.linked_at < relink_every / 2)
    return;
  one.linked_at = now;
  caf::anon_send(hub_, net::link_to_atom::value, one.where.endpoint);
  wake_at(now + relink_every);
}

void name_keeper::fetched(time_point now, const std::shared_ptr<name_cell>& cell, token grant,
                          const caf::strong_actor_ptr& actor,
                          const std::set<std::string>& interface) {
  auto* one = find(cell);
  if (one == nullptr || one->at != step::fetching || one->where.grant != grant)
    return; // It moved meanwhile.
  if (!actor) {
    not_fetched(now, cell, grant);
    return;
  }
  // I35: a typed handle to something else would be answered with garbage, or not at all. An untyped
  // one may call a typed actor.
  const auto& wanted = cell->interface();
  if (!wanted.empty()
      && !std::includes(interface.begin(), interface.end(), wanted.begin(), wanted.end())) {
    refuse(*one, make_error(errc::type_mismatch,
                            cell->name().text() + " runs as type " + one->where.type
                              + ", which does not answer all that this handle may send"));
    return;
  }
  one->at = step::direct;
  cell->connect(actor);
}

void name_keeper::not_fetched(time_point now, const std::shared_ptr<name_cell>& cell, token grant) {
  if (auto* one = find(cell);
      one != nullptr && one->at == step::fetching && one->where.grant == grant)
    suspect(now, *one);
}

// -- from elsewhere -------------------------------------------------------------------------------

void name_keeper::let_go(time_point now, const term& name, token grant) {
  const auto i = names_.find(name);
  if (i == names_.end())
    return; // Not used any more, and so disconnected.
  for (auto& one : i->second) {
    if (one.where.grant != grant)
      continue;
    // Its new place is news that comes by itself; should it be missed, the agent looks.
    if (one.at == step::direct || one.at == step::fetching)
      suspect(now, one);
    PAXTOR_CHECK("I57", !one.cell->connected());
  }
}

void name_keeper::link_up(time_point now, node_id node) {
  for (auto& [name, all] : names_)
    for (auto& one : all)
      if (one.at == step::fetching && one.fetch_again && one.where.node == node)
        fetch(now, one, registry::location{one.where});
}

void name_keeper::link_down(time_point now, node_id node) {
  for (auto& [name, all] : names_)
    for (auto& one : all)
      if (one.where.node == node && (one.at == step::direct || one.at == step::fetching))
        suspect(now, one);
}

void name_keeper::tick(time_point now) {
  if (!wake_ || now < *wake_)
    return;
  wake_.reset();
  for (auto i = names_.begin(); i != names_.end();) {
    auto& all = i->second;
    for (auto& one : all) {
      if (one.at == step::fetching && one.fetch_again) {
        if (now >= *one.fetch_again)
          fetch(now, one, registry::location{one.where});
        else
          wake_at(*one.fetch_again);
      }
      if (one.at == step::direct && one.linked_at != time_point{}) {
        stay_linked(now, one);
        wake_at(one.linked_at + relink_every);
      }
      if (one.cell->users.load() > 0)
        one.unused_since.reset();
    }
    std::erase_if(all, [&](use& one) {
      if (!one.unused_since)
        return false;
      if (one.at == step::resolving || one.cell->waiting() > 0) {
        wake_at(now + name_lingers);
        return false;
      }
      if (now - *one.unused_since < name_lingers && names_.size() <= max_lingering) {
        wake_at(*one.unused_since + name_lingers);
        return false;
      }
      if (!handles_->retire(one.cell))
        return false; // A handle was made just now.
      one.cell->disconnect();
      return true;
    });
    if (all.empty()) {
      agent_->forget(now, i->first);
      i = names_.erase(i);
    } else {
      ++i;
    }
  }
}

} // namespace paxtor::actors
