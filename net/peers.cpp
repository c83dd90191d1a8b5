#include "net/peers.hpp"

#include <algorithm>
#include <utility>

#include <caf/actor_control_block.hpp>
#include <caf/make_message.hpp>

#include "net/hub.hpp"

namespace paxtor::net {

namespace {

const caf::strong_actor_ptr& box_of(const mailboxes& boxes, paxos::role role) {
  switch (role) {
    case paxos::role::acceptor:
      return boxes.acceptor;
    case paxos::role::proposer:
      return boxes.proposer;
    case paxos::role::learner:
      return boxes.learner;
  }
  return boxes.hub;
}

/// Without a sender: nobody answers a frame, and CAF would register the sender for every remote
/// message.
bool deliver(const caf::strong_actor_ptr& box, const caf::message& wrapped) {
  if (!box)
    return false;
  box->enqueue(nullptr, caf::make_message_id(), wrapped, nullptr);
  return true;
}

} // namespace

guest::~guest() = default;

caf::message peers::wrap(std::string bytes) {
  return caf::make_message(frame_atom::value, std::move(bytes));
}

const peer* peers::lookup(node_id node) const {
  if (node.valid() && node == self_.hello.node)
    return &self_;
  auto i = nodes_.find(node);
  return i != nodes_.end() ? &i->second : nullptr;
}

const peer* peers::lookup(voter_id voter) const {
  if (voter.valid() && voter == self_.hello.voter)
    return &self_;
  auto i = voters_.find(voter);
  return i != voters_.end() ? lookup(i->second) : nullptr;
}

std::uint8_t peers::version_for(const std::vector<voter_id>& all) const {
  auto result = cluster::own_versions().max;
  std::lock_guard guard{mutex_};
  for (const auto voter : all)
    if (auto who = lookup(voter))
      result = std::min(result, cluster::version_for(who->hello.versions));
  return result;
}

std::uint8_t peers::version_for(voter_id voter) const {
  std::lock_guard guard{mutex_};
  auto who = lookup(voter);
  return who != nullptr ? cluster::version_for(who->hello.versions) : cluster::own_versions().min;
}

std::uint8_t peers::version_for(node_id node) const {
  std::lock_guard guard{mutex_};
  auto who = lookup(node);
  return who != nullptr ? cluster::version_for(who->hello.versions) : cluster::own_versions().min;
}

bool peers::to_voter(voter_id to, paxos::role role, const caf::message& wrapped) const {
  caf::strong_actor_ptr box;
  {
    std::lock_guard guard{mutex_};
    if (auto who = lookup(to))
      box = box_of(who->boxes, role);
    if (!box)
      ++dropped_;
  }
  return deliver(box, wrapped);
}

peers::way peers::linked_way(node_id to) const {
  if (auto who = lookup(to))
    return {who->boxes.agent, nullptr};
  auto visitor = guests_.find(to);
  return {nullptr, visitor != guests_.end() ? visitor->second : nullptr};
}

bool peers::send(const way& how, const caf::message& wrapped) const {
  if (deliver(how.box, wrapped)
      || (how.visitor && how.visitor->take(wrapped.get_as<std::string>(1))))
    return true;
  std::lock_guard guard{mutex_};
  ++dropped_;
  return false;
}

bool peers::to_node(node_id to, const caf::message& wrapped) const {
  way how;
  {
    std::lock_guard guard{mutex_};
    how = linked_way(to);
    if (!how.box && !how.visitor)
      if (auto route = routes_.find(to); route != routes_.end())
        if (auto relay = lookup(route->second))
          how.box = relay->boxes.hub;
  }
  return send(how, wrapped);
}

bool peers::to_linked(node_id to, const caf::message& wrapped) const {
  way how;
  {
    std::lock_guard guard{mutex_};
    how = linked_way(to);
  }
  return send(how, wrapped);
}

void peers::note_route(node_id node, voter_id relay) {
  std::lock_guard guard{mutex_};
  if (!relay.valid() || guests_.count(node) != 0) {
    routes_.erase(node);
    return;
  }
  routes_[node] = relay;
  if (routes_.size() > max_routes)
    routes_.erase(routes_.begin());
}

void peers::guest_came(node_id id, std::shared_ptr<guest> who) {
  std::lock_guard guard{mutex_};
  routes_.erase(id);
  guests_[id] = std::move(who);
}

void peers::guest_went(node_id id, const guest* who) {
  std::lock_guard guard{mutex_};
  if (auto known = guests_.find(id); known != guests_.end() && known->second.get() == who)
    guests_.erase(known);
}

std::optional<peer> peers::find(node_id node) const {
  std::lock_guard guard{mutex_};
  auto who = lookup(node);
  return who != nullptr ? std::optional<peer>{*who} : std::nullopt;
}

std::optional<peer> peers::find(voter_id voter) const {
  std::lock_guard guard{mutex_};
  auto who = lookup(voter);
  return who != nullptr ? std::optional<peer>{*who} : std::nullopt;
}

std::vector<peer> peers::all() const {
  std::lock_guard guard{mutex_};
  std::vector<peer> result;
  result.reserve(nodes_.size());
  for (const auto& [node, who] : nodes_)
    result.push_back(who);
  return result;
}

peer peers::self() const {
  std::lock_guard guard{mutex_};
  return self_;
}

std::uint64_t peers::dropped() const {
  std::lock_guard guard{mutex_};
  return dropped_;
}

void peers::set_self(peer who) {
  std::lock_guard guard{mutex_};
  self_ = std::move(who);
}

void peers::linked(peer who) {
  std::lock_guard guard{mutex_};
  auto node = who.hello.node;
  // A node whose voter id changed in its hello (it is no voter after all) leaves no trace of the
  // old one.
  std::erase_if(voters_, [node](const auto& entry) { return entry.second == node; });
  if (who.hello.voter.valid())
    voters_[who.hello.voter] = node;
  routes_.erase(node);
  nodes_[node] = std::move(who);
}

void peers::unlinked(node_id node) {
  std::lock_guard guard{mutex_};
  auto i = nodes_.find(node);
  if (i == nodes_.end())
    return;
  auto voter = i->second.hello.voter;
  if (auto j = voters_.find(voter); j != voters_.end() && j->second == node) {
    voters_.erase(j);
    std::erase_if(routes_, [voter](const auto& route) { return route.second == voter; });
  }
  nodes_.erase(i);
}

void peers::clear() {
  std::lock_guard guard{mutex_};
  self_ = {};
  nodes_.clear();
  voters_.clear();
  routes_.clear();
  guests_.clear();
}

} // namespace paxtor::net
