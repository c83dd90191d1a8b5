// The hub's links: hellos, and what follows from them.

#include <algorithm>
#include <utility>

#include <caf/actor_cast.hpp>
#include <nlohmann/json.hpp>

#include "libpaxtor/base/codec.hpp"
#include "net/caf_compat.hpp"
#include "net/hello.hpp"
#include "net/hub_actor.hpp"

namespace paxtor::net {

namespace {

/// The same line is told again after this time only.
constexpr std::chrono::seconds tell_again{10};
/// Lines about different nodes that are remembered for that.
constexpr std::size_t max_told = 256;

caf::strong_actor_ptr box_at(const std::vector<caf::actor>& boxes, std::size_t i) {
  // Append only: an older node sends fewer. The hub itself stands for "no such role".
  if (i >= boxes.size() || (i > 0 && boxes[i] == boxes[0]))
    return nullptr;
  return caf::actor_cast<caf::strong_actor_ptr>(boxes[i]);
}

} // namespace

std::vector<caf::actor> hub_actor::own_boxes() {
  const auto& boxes = options_.boxes;
  std::vector<caf::actor> result{caf::actor{this}};
  for (const auto& box : {boxes.agent, boxes.host, boxes.acceptor, boxes.proposer, boxes.learner})
    result.push_back(box ? caf::actor_cast<caf::actor>(box) : result.front());
  return result;
}

void hub_actor::publish_self(bool first) {
  ++version_;
  auto boxes = options_.boxes;
  boxes.hub = caf::strong_actor_ptr{ctrl()};
  book_->set_self({options_.self, std::move(boxes)});
  if (first)
    tell(caf::make_message(link_up_atom::value, cluster::encode_frame(options_.self)), true);
}

void hub_actor::take_voters(const cluster::voters_now& news) {
  auto& known = options_.self.voters;
  if (!news.newer_than(known))
    return;
  known = news;
  // Whoever is linked hears it with the hello.
  publish_self(false);
  greet_all();
  follow_voters();
  tell(caf::make_message(voters_atom::value, encode(known)), true);
}

void hub_actor::on_listening(const std::string& where) {
  auto& said = options_.self.endpoint;
  auto advertised = parse_endpoint(said);
  if (!advertised)
    said = where;
  else if (advertised->port == 0)
    said = to_string(endpoint{advertised->host, port_});
  else
    return;
  publish_self(false);
  greet_all();
}

void hub_actor::tell(const caf::message& event, bool formation_too) {
  if (options_.listener)
    send(options_.listener, event);
  if (formation_too && options_.voter)
    send(options_.voter, event);
}

void hub_actor::greet(const caf::strong_actor_ptr& whom) {
  send(caf::actor_cast<caf::actor>(whom), hello_atom::value, cluster::encode_frame(options_.self),
       own_boxes());
}

void hub_actor::greet_all() {
  for (const auto& [node, one] : links_)
    greet(one.hub);
}

void hub_actor::on_hello(const std::string& bytes, const std::vector<caf::actor>& boxes,
                         bool answer) {
  cluster::frame decoded;
  auto problem = cluster::decode_frame(bytes, decoded);
  auto hello = std::get_if<cluster::hello_frame>(&decoded);
  auto hub = box_at(boxes, 0);
  if (problem != cluster::frame_error::none || hello == nullptr || !hub) {
    bad_frames_.log(level::warn, "a hello that cannot be read was dropped: "
                                   + std::string{cluster::to_string(problem)});
    return;
  }
  if (stopped_)
    return;
  std::string why;
  switch (judge(options_.self, *hello, why)) {
    case verdict::ourselves:
      return;
    case verdict::refuse:
      refuse(hub, *hello, why);
      return;
    case verdict::link:
      break;
  }
  // The voter that was asked for at this address must be the one that answers.
  for (auto& [id, one] : targets_)
    if (one.hub == hub && !one.name.empty() && one.name != hello->node_name) {
      why = "the node at " + to_string(one.address) + " is named '" + hello->node_name
            + "', but this node's list of voters calls it '" + one.name + "': correct the list";
      tell_refused(hello->node_name, why);
      retry(one, why);
      return;
    }
  adopt(std::move(*hello), boxes);
  if (answer)
    send(caf::actor_cast<caf::actor>(hub), welcome_atom::value,
         cluster::encode_frame(options_.self), own_boxes());
}

void hub_actor::adopt(cluster::hello_frame hello, const std::vector<caf::actor>& boxes) {
  auto bytes = cluster::encode_frame(hello);
  auto node = hello.node;
  auto hub = box_at(boxes, 0);
  auto [i, fresh] = links_.try_emplace(node);
  auto& one = i->second;
  auto changed = fresh || one.hub != hub || cluster::encode_frame(one.hello) != bytes;
  if (one.hub != hub) {
    if (one.hub)
      demonitor(one.hub->address());
    monitor(caf::actor_cast<caf::actor>(hub));
  }
  one.hub = hub;
  one.hello = hello;
  one.heard = clock::now();
  for (auto& [id, goal] : targets_)
    if (goal.hub == hub || (!goal.name.empty() && goal.name == hello.node_name)
        || (!hello.endpoint.empty() && to_string(goal.address) == hello.endpoint)) {
      goal.state = phase::linked;
      goal.node = node;
      // What we say of ourselves may have changed between our hello and their welcome.
      if (goal.hub == hub && goal.greeted < version_) {
        goal.greeted = version_;
        greet(hub);
      }
      goal.backoff = std::chrono::milliseconds{0};
      goal.last_problem.clear();
    }
  const auto news = hello.voters;
  if (!changed)
    return;
  if (fresh)
    log(level::info, "linked with " + hello.node_name + " node=" + options_.self.node_name
                       + " version=" + std::to_string(cluster::version_for(hello.versions)));
  mailboxes theirs{
    hub, box_at(boxes, 1), box_at(boxes, 2), box_at(boxes, 3), box_at(boxes, 4), box_at(boxes, 5)};
  book_->linked({std::move(hello), std::move(theirs)});
  tell(caf::make_message(link_up_atom::value, std::move(bytes)), true);
  take_voters(news);
}

void hub_actor::drop_link(paxtor::node_id node, const std::string& why, bool cut) {
  auto i = links_.find(node);
  if (i == links_.end())
    return;
  auto gone = std::move(i->second);
  links_.erase(i);
  book_->unlinked(node);
  demonitor(gone.hub->address());
  log(level::info, "the link with " + gone.hello.node_name + " is down: " + why
                     + " node=" + options_.self.node_name);
  if (cut) {
    // Else CAF would go on with the old connection, and hand it out again.
    auto wires = wires_;
    request(broker_, std::chrono::seconds{1}, caf::get_atom_v, gone.hub->node())
      .then(
        [wires](const caf::node_id&, const std::string& address, std::uint16_t port) {
          if (port != 0)
            wires->cut_peer(address, port);
        },
        [](const caf::error&) {});
  }
  for (auto& [id, one] : targets_)
    if (one.state == phase::linked && one.node == node)
      retry_soon(one);
  tell(caf::make_message(link_down_atom::value, cluster::encode_frame(gone.hello)), true);
  arm();
}

void hub_actor::refuse(const caf::strong_actor_ptr& whom, const cluster::hello_frame& theirs,
                       const std::string& why) {
  std::string as_they_see_it;
  if (judge(theirs, options_.self, as_they_see_it) == verdict::refuse)
    send(caf::actor_cast<caf::actor>(whom), frame_atom::value,
         cluster::encode_frame(cluster::refuse_frame{as_they_see_it}));
  tell_refused(theirs.node_name, why);
  for (auto& [id, one] : targets_)
    if (one.hub == whom) {
      one.backoff = options_.reconnect_max;
      retry(one, why);
    }
  // A link that was right when it was made may be wrong now that both know their cluster.
  drop_link(theirs.node, why, false);
}

void hub_actor::tell_refused(const std::string& about, const std::string& why) {
  const auto now = clock::now();
  if (told_.size() > max_told)
    told_.clear();
  auto& last = told_[about];
  if (last.why == why && now - last.when < tell_again)
    return;
  last = {why, now};
  log(level::warn, "refused: " + why);
  tell(caf::make_message(refused_atom::value, why), false);
}

void hub_actor::on_frame(const std::string& bytes) {
  cluster::frame decoded;
  auto problem = cluster::decode_frame(bytes, decoded);
  if (problem != cluster::frame_error::none) {
    bad_frames_.log(level::warn,
                    "a frame was dropped by the hub: " + std::string{cluster::to_string(problem)}
                      + " node=" + options_.self.node_name);
    return;
  }
  if (std::holds_alternative<cluster::formation_frame>(decoded)) {
    tell(caf::make_message(formation_atom::value, bytes), true);
  } else if (auto passed_on = std::get_if<cluster::voter_frame>(&decoded)) {
    // Only to nodes and guardians linked here: a relay never relays to a relay.
    if (book_->to_linked(passed_on->to, caf::make_message(frame_atom::value, bytes)))
      ++relayed_;
  } else if (auto no = std::get_if<cluster::refuse_frame>(&decoded)) {
    auto from = current_sender();
    for (auto& [id, one] : targets_)
      if (from && one.hub == from) {
        tell_refused(to_string(one.address), no->why);
        one.backoff = options_.reconnect_max;
        retry(one, no->why);
      }
  } else {
    // hello_frame comes with its mailboxes, paxos_frame and node_frame go to roles.
    bad_frames_.log(level::warn,
                    "a frame that is not for the hub was dropped node=" + options_.self.node_name);
  }
}

std::string hub_actor::status() const {
  nlohmann::json result;
  result["port"] = port_.load();
  result["links"] = nlohmann::json::array();
  for (const auto& [node, one] : links_)
    result["links"].push_back({{"name", one.hello.node_name},
                               {"node", node.value},
                               {"voter", one.hello.voter.valid()},
                               {"version", cluster::version_for(one.hello.versions)},
                               {"endpoint", one.hello.endpoint}});
  result["targets"] = nlohmann::json::array();
  for (const auto& [id, one] : targets_)
    result["targets"].push_back({{"name", one.name},
                                 {"endpoint", to_string(one.address)},
                                 {"linked", one.state == phase::linked},
                                 {"problem", one.last_problem}});
  result["wires"] = wires_->size();
  result["bad_frames"] = bad_frames_.count();
  result["turned_away"] = turned_away_.count();
  result["guardians"] = desk_->linked();
  result["guardians_cut"] = desk_->cut();
  result["relayed"] = relayed_;
  result["dropped"] = book_->dropped();
  // A peer's name may hold bytes that are not UTF-8: shown with a replacement, never thrown over.
  return result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace paxtor::net
