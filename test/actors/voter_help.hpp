#pragma once

/// \file
/// Voters and a client as the tests of the voter actors need them: real actors and links, several
/// nodes in one process, no session agent.

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/voter_actor.hpp"
#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/cluster/frame.hpp"
#include "libpaxtor/registry/commands.hpp"
#include "libpaxtor/storage/memory_store.hpp"
#include "test/actors/net_help.hpp"

namespace paxtor::test {

/// A memory store that says it is a disk: so the storage actor is used.
class pretended_disk : public storage::memory_store {
public:
  using memory_store::memory_store;
  [[nodiscard]] bool volatile_store() const override { return false; }
};

class voter_node {
public:
  /// `ports`: of all voters by name; this one listens there.
  voter_node(const std::string& name, std::uint64_t node,
             const std::map<std::string, std::uint16_t>& ports,
             std::unique_ptr<storage::store> store, paxos::limits bounds = {})
      : system_(std::make_unique<caf::actor_system>(config_)) {
    listener_ = system_->spawn(hear, events);
    agent_ = system_->spawn(recorder, frames);
    hub_ = nullptr;
    actors::voter_setup setup;
    setup.name = name;
    for (const auto& [other, port] : ports)
      setup.initial_names.push_back(other);
    setup.book = book;
    setup.store = std::move(store);
    setup.bounds = bounds;
    setup.seed = node;
    setup.listener = listener_;
    auto spawned = actors::spawn_voter(*system_, std::move(setup));
    REQUIRE(spawned);
    handles_ = *spawned;
    net::hub_options options;
    options.self = hello_of(name, node);
    options.self.voter = handles_.id;
    for (const auto& [other, port] : ports) {
      options.self.initial_voters.push_back(other);
      if (other != name)
        options.targets.push_back({other, at(port)});
    }
    options.boxes.agent = caf::actor_cast<caf::strong_actor_ptr>(agent_);
    options.boxes.acceptor = caf::actor_cast<caf::strong_actor_ptr>(handles_.acceptor);
    options.boxes.proposer = caf::actor_cast<caf::strong_actor_ptr>(handles_.proposer);
    options.boxes.learner = caf::actor_cast<caf::strong_actor_ptr>(handles_.learner);
    options.listener = listener_;
    options.voter = handles_.supervisor;
    hub_ = net::spawn_hub(*system_, book, std::move(options));
    auto opened = net::listen(*system_, hub_, at(ports.at(name)));
    REQUIRE_MESSAGE(opened, system_->render(opened.error()));
  }

  ~voter_node() { stop(); }

  void stop() {
    if (!system_)
      return;
    stop_actors();
    handles_ = {};
    hub_ = listener_ = agent_ = nullptr;
    system_.reset();
  }

  void stop_actors() {
    CHECK(net::stop_and_wait(*system_, {handles_.supervisor, hub_, listener_, agent_}, 10s));
    // The supervisor has told the roles to stop.
    CHECK(net::settle(*system_, 10s));
  }

  [[nodiscard]] nlohmann::json status() {
    nlohmann::json result;
    caf::scoped_actor self{*system_};
    self->request(handles_.supervisor, 5s, net::status_atom::value)
      .receive([&](const std::string& text) { result = nlohmann::json::parse(text); },
               [&](const caf::error&) {});
    return result;
  }

  [[nodiscard]] bool leads() {
    auto now = status();
    return now.contains("proposer") && now["proposer"].value("leading", false);
  }

  [[nodiscard]] voter_id id() const { return handles_.id; }
  [[nodiscard]] const actors::voter_handles& handles() const { return handles_; }
  [[nodiscard]] caf::actor_system& system() { return *system_; }

  std::shared_ptr<net::peers> book = std::make_shared<net::peers>();
  std::shared_ptr<record> events = std::make_shared<record>();
  std::shared_ptr<record> frames = std::make_shared<record>();

private:
  static caf::behavior hear(caf::event_based_actor* self, std::shared_ptr<record> events) {
    self->set_error_handler([](caf::error&) {});
    self->set_default_handler(caf::drop);
    return {
      [events](actors::formed_atom, std::uint64_t id, const std::string&) {
        events->add("formed", std::to_string(id));
      },
      [events](net::outsider_atom, const std::string& why) { events->add("outsider", why); },
      [self](net::stop_atom) { self->quit(); },
    };
  }

  node_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor listener_;
  caf::actor agent_;
  caf::actor hub_;
  actors::voter_handles handles_;
};

/// Ports that are free now.
inline std::map<std::string, std::uint16_t> free_ports(const std::vector<std::string>& names) {
  std::map<std::string, std::uint16_t> result;
  std::vector<std::unique_ptr<linked_node>> holders;
  for (const auto& name : names) {
    holders.push_back(
      std::make_unique<linked_node>(hello_of("port-" + name, 900 + holders.size())));
    result[name] = holders.back()->listen();
  }
  return result;
}

/// A node that submits commands and waits for their answers, again and again if need be.
class client {
public:
  client(std::uint64_t node, std::vector<net::hub_options::target> voters)
      : node_(node), link_(hello_of("client-" + std::to_string(node), node), std::move(voters)) {}

  /// The answer to the command of this number (open_session: the count of sessions), from any
  /// voter.
  std::optional<registry::answer> ask(const registry::command& what, seq number, cluster_id cluster,
                                      std::chrono::milliseconds most = 15s) {
    std::optional<registry::answer> found;
    auto bytes = encode(what);
    auto next = std::chrono::steady_clock::now();
    eventually(
      [&] {
        if (std::chrono::steady_clock::now() >= next) {
          next = std::chrono::steady_clock::now() + 300ms;
          cluster::node_frame frame{cluster, paxtor::node_id{node_}, {}, cluster::submit{{bytes}}};
          auto wrapped = net::peers::wrap(cluster::encode_frame(std::move(frame)));
          for (const auto& peer : link_.book->all())
            if (peer.hello.voter.valid())
              link_.book->to_voter(peer.hello.voter, paxos::role::proposer, wrapped);
        }
        for (const auto& one : link_.frames->all())
          if (auto match = answer_in(one.text, number))
            found = match;
        return found.has_value();
      },
      most);
    return found;
  }

  [[nodiscard]] linked_node& link() { return link_; }

private:
  static std::optional<registry::answer> answer_in(const std::string& bytes, seq number) {
    cluster::frame decoded;
    if (cluster::decode_frame(bytes, decoded) != cluster::frame_error::none)
      return std::nullopt;
    auto frame = std::get_if<cluster::voter_frame>(&decoded);
    auto all = frame != nullptr ? std::get_if<cluster::answers>(&frame->what) : nullptr;
    if (all == nullptr)
      return std::nullopt;
    for (const auto& one : all->items)
      if (one.number == number)
        return one;
    return std::nullopt;
  }

  std::uint64_t node_;
  linked_node link_;
};

} // namespace paxtor::test
