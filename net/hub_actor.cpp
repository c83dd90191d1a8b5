#include "net/hub_actor.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include <caf/io/middleman.hpp>
#include <caf/io/scribe.hpp>
#include <caf/send.hpp>

#include "libpaxtor/base/codec.hpp"
#include "net/caf_compat.hpp"

namespace paxtor::net {

namespace {

using dialed_atom = caf::atom_constant<caf::atom("pxDialed")>;
using dial_failed_atom = caf::atom_constant<caf::atom("pxNoDial")>;
using reached_self_atom = caf::atom_constant<caf::atom("pxSelf")>;
using turned_away_atom = caf::atom_constant<caf::atom("pxTurned")>;
using listening_atom = caf::atom_constant<caf::atom("pxListen")>;
using wake_atom = caf::atom_constant<caf::atom("pxWake")>;

/// Of two nodes that both connect, the one with the smaller name goes first: CAF closes both
/// connections if they cross.
constexpr std::chrono::milliseconds courtesy{40};

} // namespace

hub_actor::hub_actor(caf::actor_config& cfg, std::shared_ptr<peers> book, hub_options options,
                     tls_context tls, caf::actor broker)
    : caf::event_based_actor(cfg),
      book_(std::move(book)),
      options_(std::move(options)),
      broker_(std::move(broker)),
      random_((std::uint64_t{std::random_device{}()} << 32) ^ options_.self.node.value) {
  // Weak: the gate must not keep the hub, nor end it on the gate's thread (see keep_ and on_exit).
  auto me = address();
  auto post = [me](auto&&... xs) {
    if (auto hub = caf::actor_cast<caf::actor>(me))
      caf::anon_send(hub, std::forward<decltype(xs)>(xs)...);
  };
  gate::events events;
  events.dialed = [this, post](std::uint64_t id, channel socket) {
    auto made = make_wire(home_system(), wires_, std::move(socket));
    post(dialed_atom::value, id, std::move(made.scribe), made.id);
  };
  events.reached_self = [post](std::uint64_t id) { post(reached_self_atom::value, id); };
  events.dial_failed = [post](std::uint64_t id, std::string why) {
    post(dial_failed_atom::value, id, std::move(why));
  };
  events.accepted = [this, me](channel socket) {
    auto made = make_wire(home_system(), wires_, std::move(socket));
    // What CAF's own doorman does with a new connection.
    caf::anon_send(broker_, caf::publish_atom_v, std::move(made.scribe), port_.load(),
                   caf::actor_cast<caf::strong_actor_ptr>(me), std::set<std::string>{});
  };
  desk_ = std::make_unique<guardian_desk>(book_, options_.self.node_name);
  events.guardian = [this](channel socket, paxtor::node_id guardian) {
    desk_->adopt(std::move(socket), guardian);
  };
  events.turned_away = [post](std::string why) { post(turned_away_atom::value, std::move(why)); };
  gate_ = std::make_unique<gate>(options_.self.node.value, std::move(tls), std::move(events));
  gate_->admit_guardians(options_.self.voter.valid());
}

bool hub_actor::open_port(const endpoint& where, std::string& why) {
  if (!gate_->listen(where, port_, why))
    return false;
  caf::anon_send(caf::actor{this}, listening_atom::value, to_string(endpoint{where.host, port_}));
  return true;
}

caf::behavior hub_actor::make_behavior() {
  keep_ = caf::strong_actor_ptr{ctrl()};
  set_down_handler([this](caf::down_msg& dm) {
    for (const auto& [node, one] : links_)
      if (one.hub && one.hub->address() == dm.source) {
        drop_link(node, "the connection was lost", false);
        return;
      }
  });
  set_default_handler(
    [this](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      bad_frames_.log(level::warn, "a message that is none of ours was dropped");
      return caf::sec::unexpected_message;
    });
  set_error_handler([](caf::error&) {});
  publish_self(true);
  for (auto& one : options_.targets)
    add_target(one.name, one.address, true);
  next_ping_ = clock::now() + options_.ping_every;
  arm();
  return {
    [this](alive_atom) {
      // Counted in the sender check below: any message of a linked hub says that it lives.
      for (auto& [node, one] : links_)
        if (one.hub == current_sender())
          one.heard = clock::now();
    },
    [this](frame_atom, const std::string& bytes) { on_frame(bytes); },
    [this](hello_atom, const std::string& bytes, const std::vector<caf::actor>& boxes) {
      on_hello(bytes, boxes, true);
    },
    [this](welcome_atom, const std::string& bytes, const std::vector<caf::actor>& boxes) {
      on_hello(bytes, boxes, false);
    },
    [this](wake_atom, std::uint64_t number) {
      if (number == wake_number_)
        tick();
    },
    [this](dialed_atom, std::uint64_t id, caf::io::scribe_ptr& scribe, std::uint64_t wire) {
      on_dialed(id, std::move(scribe), wire);
    },
    [this](dial_failed_atom, std::uint64_t id, const std::string& why) {
      if (auto i = targets_.find(id); i != targets_.end() && i->second.state == phase::dialing)
        retry(i->second, why);
    },
    [this](reached_self_atom, std::uint64_t id) {
      if (auto i = targets_.find(id); i != targets_.end())
        i->second.state = phase::ourselves;
    },
    [this](turned_away_atom, const std::string& why) {
      turned_away_.log(level::warn,
                       "a connection was turned away: " + why + " node=" + options_.self.node_name);
    },
    [this](listening_atom, const std::string& where) { on_listening(where); },
    [this](link_to_atom, const std::string& text) { link_to(text); },
    [this](cluster_is_atom, std::uint64_t id) {
      if (options_.self.cluster == cluster_id{id})
        return;
      options_.self.cluster = cluster_id{id};
      publish_self(false);
      greet_all();
    },
    [this](voters_atom, const std::string& bytes) {
      cluster::voters_now news;
      if (decode(bytes, news))
        take_voters(news);
    },
    [this](outsider_atom) {
      options_.self.voter = voter_id{};
      gate_->admit_guardians(false);
      desk_->dismiss();
      options_.boxes.acceptor = options_.boxes.proposer = options_.boxes.learner = nullptr;
      publish_self(false);
      greet_all();
    },
    [this](status_atom) { return status(); },
    [this](stop_atom) { stop(); },
  };
}

void hub_actor::add_target(std::string name, endpoint address, bool lasting) {
  target made;
  made.name = std::move(name);
  made.address = std::move(address);
  made.next_try = clock::now();
  if (!made.name.empty() && options_.self.node_name > made.name)
    made.next_try += courtesy;
  if (!lasting)
    made.forget_at = clock::now() + link_to_lasts;
  targets_.emplace(++last_target_, std::move(made));
}

void hub_actor::link_to(const std::string& text) {
  auto where = parse_endpoint(text);
  if (!where) {
    bad_frames_.log(level::warn, "cannot link to '" + text + "'");
    return;
  }
  for (auto& [id, one] : targets_)
    if (one.address == *where) {
      if (one.forget_at && one.name.empty())
        one.forget_at = clock::now() + link_to_lasts;
      return;
    }
  if (targets_.size() >= max_link_to + options_.targets.size()) {
    bad_frames_.log(level::warn, "too many nodes to link to at once");
    return;
  }
  add_target({}, std::move(*where), false);
  arm();
}

void hub_actor::follow_voters() {
  std::map<std::string, endpoint> wanted;
  for (const auto& one : options_.targets)
    wanted.emplace(one.name, one.address);
  std::set<std::string> names;
  for (const auto& who : options_.self.voters.voters.members) {
    if (who.name == options_.self.node_name)
      continue;
    names.insert(who.name);
    if (auto where = parse_endpoint(who.address))
      wanted.insert_or_assign(who.name, std::move(*where));
  }
  for (auto& [id, one] : targets_) {
    if (one.name.empty())
      continue;
    if (names.erase(one.name) == 0) {
      // It votes no more. The link may stay, but is not made anew.
      one.forget_at = clock::now();
      continue;
    }
    one.forget_at.reset();
    const auto where = wanted.find(one.name);
    if (where == wanted.end() || one.address == where->second)
      continue;
    one.address = where->second;
    if (one.state == phase::waiting)
      one.next_try = clock::now();
  }
  for (const auto& name : names)
    if (auto where = wanted.find(name); where != wanted.end())
      add_target(name, where->second, true);
  arm();
}

void hub_actor::try_target(std::uint64_t id, target& one) {
  one.state = phase::dialing;
  one.hub = nullptr;
  one.wire = 0;
  gate_->dial(id, one.address, options_.dial_timeout);
}

void hub_actor::on_dialed(std::uint64_t id, caf::io::scribe_ptr scribe, std::uint64_t wire) {
  auto i = targets_.find(id);
  // Meanwhile the other side may have connected to us: then the new socket goes with `scribe`.
  if (stopped_ || i == targets_.end() || i->second.state != phase::dialing)
    return;
  auto& one = i->second;
  one.state = phase::joining;
  one.wire = wire;
  request(broker_, options_.dial_timeout, caf::connect_atom_v, std::move(scribe), one.address.port)
    .then([this, id](const caf::node_id&, const caf::strong_actor_ptr& hub,
                     const std::set<std::string>&) { on_joined(id, hub); },
          [this, id, wire](const caf::error& err) {
            // It may be a peer that is stopped: its kernel still takes connections.
            wires_->cut(wire);
            auto j = targets_.find(id);
            if (j != targets_.end() && j->second.state == phase::joining)
              retry(j->second, to_string(j->second.address)
                                 + " does not answer: " + home_system().render(err));
          });
}

void hub_actor::on_joined(std::uint64_t id, const caf::strong_actor_ptr& hub) {
  auto i = targets_.find(id);
  if (i == targets_.end() || i->second.state != phase::joining)
    return;
  auto& one = i->second;
  if (!hub) {
    retry(one, to_string(one.address) + " is no node of Paxtor");
    return;
  }
  one.state = phase::greeting;
  one.hub = hub;
  one.greeted = version_;
  one.next_try = clock::now() + options_.dial_timeout;
  greet(hub);
  arm();
}

auto hub_actor::jitter(std::chrono::milliseconds base) -> clock::duration {
  auto us = static_cast<std::uint64_t>(std::chrono::microseconds{base}.count());
  return std::chrono::microseconds{us / 2 + random_.below(us / 2 + 1)};
}

void hub_actor::retry(target& one, const std::string& why) {
  if (one.last_problem != why) {
    one.last_problem = why;
    log(level::info, "no link yet: " + why + " node=" + options_.self.node_name);
  }
  one.state = phase::waiting;
  one.hub = nullptr;
  one.backoff = std::clamp(one.backoff * 2, options_.reconnect_min, options_.reconnect_max);
  one.next_try = clock::now() + jitter(one.backoff);
  arm();
}

void hub_actor::retry_soon(target& one) {
  one.state = phase::waiting;
  one.hub = nullptr;
  one.node = {};
  one.backoff = std::chrono::milliseconds{0};
  one.next_try = clock::now() + jitter(options_.reconnect_min);
  if (!one.name.empty() && options_.self.node_name > one.name)
    one.next_try += courtesy;
}

void hub_actor::tick() {
  const auto now = clock::now();
  // If it was this node that slept, silence proves nothing about the others.
  if (now - wake_at_ > options_.silent_after / 2)
    for (auto& [node, one] : links_)
      one.heard = now;
  std::vector<std::pair<paxtor::node_id, clock::duration>> silent;
  for (const auto& [node, one] : links_)
    if (now - one.heard > options_.silent_after)
      silent.emplace_back(node, now - one.heard);
  for (const auto& [node, how_long] : silent)
    drop_link(node,
              "it has been silent for " + std::to_string(how_long / std::chrono::milliseconds{1})
                + " ms",
              true);
  if (now >= next_ping_) {
    next_ping_ = now + options_.ping_every;
    for (const auto& [node, one] : links_)
      send(caf::actor_cast<caf::actor>(one.hub), alive_atom::value);
  }
  std::erase_if(targets_, [now](const auto& entry) {
    return entry.second.forget_at && now > *entry.second.forget_at
           && entry.second.state == phase::waiting;
  });
  for (auto& [id, one] : targets_) {
    if (one.state == phase::waiting && now >= one.next_try) {
      try_target(id, one);
    } else if (one.state == phase::greeting && now >= one.next_try) {
      wires_->cut(one.wire);
      retry(one, to_string(one.address) + " does not answer a hello");
    }
  }
  arm();
}

void hub_actor::arm() {
  if (stopped_)
    return;
  auto first = next_ping_;
  for (const auto& [id, one] : targets_)
    if (one.state == phase::waiting || one.state == phase::greeting)
      first = std::min(first, one.next_try);
  const auto now = clock::now();
  wake_at_ = std::max(first, now);
  auto delay = std::chrono::ceil<std::chrono::milliseconds>(wake_at_ - now);
  delayed_send(this, std::max(delay, std::chrono::milliseconds{1}), wake_atom::value,
               ++wake_number_);
}

void hub_actor::stop() {
  if (stopped_)
    return;
  stopped_ = true;
  gate_->stop();
  desk_->stop();
  if (port_ != 0)
    caf::anon_send(broker_, caf::close_atom_v, port_.load());
  // What was sent before, such as a node's farewell, is in the broker's mailbox or buffers: the cut
  // goes behind it.
  auto wires = wires_;
  home_system().middleman().backend().post([wires] { wires->cut_all(); });
  for (const auto& [node, one] : links_)
    demonitor(one.hub->address());
  links_.clear();
  targets_.clear();
  book_->clear();
  quit();
}

void hub_actor::on_exit() {
  gate_->stop();
  desk_->stop();
  book_->clear();
  links_.clear();
  targets_.clear();
  broker_ = nullptr;
  options_.boxes = {};
  options_.listener = nullptr;
  options_.voter = nullptr;
  keep_ = nullptr;
}

} // namespace paxtor::net
