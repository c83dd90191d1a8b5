#include "test/sim/name_user.hpp"

#include <algorithm>
#include <chrono>
#include <variant>
#include <vector>

#include "test/sim/describe.hpp"
#include "test/sim/process.hpp"

namespace paxtor::sim {

using namespace std::chrono_literals;

name_user::name_user(scene& all, process& home, node_side& node)
    : all_(all), home_(home), node_(node) {}

void name_user::use(const term& name, const registry::singleton_spec& spec, generator own) {
  key which{name, spec.type};
  auto [i, fresh] = uses_.try_emplace(which);
  if (fresh) {
    i->second.spec = spec;
    i->second.handle = ++all_.handles;
    all_.note(all_.handles,
              home_.name() + " handle " + std::to_string(all_.handles) + " of " + name.text());
  }
  ++i->second.users;
  if (own.chance(15))
    node_.use([&](cluster::agent& a, time_point t) { a.suspect(t, name); });
  send_later(which, static_cast<unsigned>(own.between(1, 4)), own);
}

void name_user::send_later(const key& which, unsigned messages, generator own) {
  auto wait = messages == 0 ? draw_around(own, all_.how.hold) : draw(own, 0us, all_.how.hold / 2);
  home_.later(wait, [this, which, messages, own] {
    if (messages == 0)
      return drop(which);
    send(which);
    send_later(which, messages - 1, own);
  });
}

void name_user::send(const key& which) {
  auto i = uses_.find(which);
  if (i == uses_.end())
    return;
  auto& one = i->second;
  const auto message = all_.letters.sent(one.handle);
  if (one.at == step::direct)
    return pass_on(which, one, message);
  one.waiting.push_back(message);
  if (one.at == step::idle)
    resolve(which, one);
}

void name_user::pass_on(const key& which, use_of& one, std::uint64_t message) {
  all_.post.send(home_.number(), one.host,
                 {letter::kind::message, which.first, one.where.grant, message}, one.link);
}

void name_user::resolve(const key& which, use_of& one) {
  one.at = step::resolving;
  (void)node_.request("resolve " + which.first.text(), [&](cluster::agent& a, time_point t) {
    auto r = a.resolve(t, which.first, one.spec);
    asked_[r] = which;
    return r;
  });
}

bool name_user::completed(cluster::request_id id, const cluster::completion& how) {
  auto asked = asked_.extract(id);
  if (asked.empty())
    return false;
  auto i = uses_.find(asked.mapped());
  if (i == uses_.end() || i->second.at != step::resolving)
    return true;
  if (const auto* found = std::get_if<cluster::located>(&how))
    fetch(i->first, i->second, found->where);
  else if (const auto* bad = std::get_if<cluster::failed>(&how))
    refuse(i->second, describe(bad->code));
  return true;
}

void name_user::fetch(const key& which, use_of& one, const registry::location& where) {
  one.at = step::fetching;
  one.where = where;
  one.host = all_.where.nodes.at(where.node);
  all_.post.send(home_.number(), one.host, {letter::kind::fetch, which.first, where.grant, 0});
}

void name_user::suspect(const key& which, use_of& one) {
  one.at = step::suspect;
  // In its own time: what the link's end tells comes in the middle of something.
  home_.later(100us, [this, name = which.first] {
    node_.use([&](cluster::agent& a, time_point t) { a.suspect(t, name); });
  });
}

void name_user::refuse(use_of& one, const std::string& why) {
  one.at = step::idle;
  for (auto message : std::exchange(one.waiting, {}))
    all_.judge.hear(all_.letters.refused(message, why));
}

void name_user::moved(const cluster::name_moved& what) {
  for (auto& [which, one] : uses_) {
    if (which.first != what.name || one.at == step::resolving)
      continue;
    const auto same = what.where && one.where.grant == what.where->grant;
    if (same && (one.at == step::direct || one.at == step::fetching))
      continue;
    const auto was = std::exchange(one.at, step::idle);
    const auto waits = !one.waiting.empty();
    if (what.where && (waits || was != step::idle)) {
      if (what.where->type == one.spec.type)
        fetch(which, one, *what.where);
      else
        refuse(one, "type mismatch");
    } else if (waits && what.failed) {
      refuse(one, what.reason);
    } else if (waits) {
      // Not from within the agent's notices.
      one.at = step::resolving;
      home_.later(1us, [this, which = which] {
        if (auto i = uses_.find(which); i != uses_.end() && i->second.at == step::resolving)
          resolve(which, i->second);
      });
    }
  }
}

void name_user::receive(process_number from, const letter& what) {
  if (what.what == letter::kind::link_ended)
    return link_ended(from);
  if (what.what == letter::kind::let_go) {
    for (auto& [which, one] : uses_)
      if (which.first == what.name && one.where.grant == what.grant
          && (one.at == step::direct || one.at == step::fetching))
        suspect(which, one);
    return all_.post.send(home_.number(), from, {letter::kind::let_gone, what.name, what.grant, 0});
  }
  for (auto& [which, one] : uses_) {
    if (which.first != what.name || one.at != step::fetching || one.where.grant != what.grant)
      continue;
    if (what.what == letter::kind::not_given) {
      suspect(which, one);
      continue;
    }
    one.at = step::direct;
    one.link = all_.post.link(home_.number(), one.host);
    for (auto message : std::exchange(one.waiting, {}))
      pass_on(which, one, message);
  }
}

void name_user::link_ended(process_number peer) {
  for (auto& [which, one] : uses_)
    if (one.host == peer && (one.at == step::direct || one.at == step::fetching))
      suspect(which, one);
}

void name_user::drop(const key& which) {
  auto i = uses_.find(which);
  if (i == uses_.end())
    return;
  if (i->second.users > 1) {
    --i->second.users;
    return;
  }
  if (!i->second.waiting.empty() || i->second.at == step::resolving)
    return home_.later(10ms, [this, which] { drop(which); });
  uses_.erase(i);
  const auto same_name = [&](const auto& x) { return x.first.first == which.first; };
  if (std::none_of(uses_.begin(), uses_.end(), same_name))
    node_.use([&](cluster::agent& a, time_point t) { a.forget(t, which.first); });
}

void name_user::process_ended() {
  for (auto& [which, one] : uses_)
    for (auto message : one.waiting)
      all_.letters.lost(message);
  uses_.clear();
}

} // namespace paxtor::sim
