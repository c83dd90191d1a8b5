#pragma once

/// \file
/// Nodes as the tests of net/ need them: an actor system, a book, a hub, and a record of what the
/// hub said.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include "libpaxtor/cluster/frame.hpp"
#include "net/hub.hpp"
#include "net/peers.hpp"
#include "test/actors/authority.hpp"

namespace paxtor::test {

using namespace std::chrono_literals;

/// Waits for `done` to become true; looks again every few milliseconds, up to `most`.
inline bool eventually(const std::function<bool()>& done, std::chrono::milliseconds most = 10s) {
  auto end = std::chrono::steady_clock::now() + most;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(3ms);
  }
  return true;
}

/// What an actor was told: (what, bytes or text). Thread-safe.
class record {
public:
  struct entry {
    std::string what;
    std::string text;
  };

  void add(std::string what, std::string text) {
    std::lock_guard guard{mutex_};
    all_.push_back({std::move(what), std::move(text)});
  }

  [[nodiscard]] std::vector<entry> all() const {
    std::lock_guard guard{mutex_};
    return all_;
  }

  [[nodiscard]] std::size_t count(const std::string& what) const {
    std::size_t result = 0;
    for (const auto& one : all())
      result += one.what == what ? 1 : 0;
    return result;
  }

  /// Some entry of this kind has `part` in its text.
  [[nodiscard]] bool has(const std::string& what, const std::string& part) const {
    for (const auto& one : all())
      if (one.what == what && one.text.find(part) != std::string::npos)
        return true;
    return false;
  }

private:
  mutable std::mutex mutex_;
  std::vector<entry> all_;
};

/// Writes down every event of a hub, and every frame.
inline caf::behavior recorder(caf::event_based_actor* self, std::shared_ptr<record> notes) {
  self->set_error_handler([](caf::error&) {});
  return {
    [notes](net::link_up_atom, const std::string& bytes) { notes->add("up", bytes); },
    [notes](net::link_down_atom, const std::string& bytes) { notes->add("down", bytes); },
    [notes](net::refused_atom, const std::string& why) { notes->add("refused", why); },
    [notes](net::formation_atom, const std::string& bytes) { notes->add("formation", bytes); },
    [notes](net::voters_atom, const std::string& bytes) { notes->add("voters", bytes); },
    [notes](net::frame_atom, const std::string& bytes) { notes->add("frame", bytes); },
    [self](net::stop_atom) { self->quit(); },
  };
}

struct node_config : caf::actor_system_config {
  explicit node_config(const tls_files& tls = {}) {
    load<caf::io::middleman>();
    set("scheduler.max-threads", 1u);
    set("middleman.workers", 0u);
    openssl_certificate = tls.certificate;
    openssl_key = tls.key;
    openssl_cafile = tls.ca;
  }
};

inline cluster::hello_frame hello_of(const std::string& name, std::uint64_t node) {
  cluster::hello_frame result;
  result.cluster_name = "test";
  result.node = paxtor::node_id{node};
  result.node_name = name;
  result.ttl_us = 3'000'000;
  return result;
}

inline net::endpoint at(std::uint16_t port) {
  return {"127.0.0.1", port};
}

/// A node of one process: everything that net/ needs and nothing of actors/.
class linked_node {
public:
  explicit linked_node(cluster::hello_frame self,
                       std::vector<net::hub_options::target> targets = {},
                       const tls_files& tls = {},
                       const std::function<void(net::hub_options&)>& tune = {})
      : config_(tls), system_(std::make_unique<caf::actor_system>(config_)) {
    listener_ = system_->spawn(recorder, notes);
    agent_ = system_->spawn(recorder, frames);
    net::hub_options options;
    options.self = std::move(self);
    options.targets = std::move(targets);
    options.boxes.agent = caf::actor_cast<caf::strong_actor_ptr>(agent_);
    options.boxes.proposer = options.boxes.agent;
    options.listener = listener_;
    options.silent_after = 600ms;
    options.ping_every = 100ms;
    if (tune)
      tune(options);
    hub = net::spawn_hub(*system_, book, std::move(options));
    REQUIRE(hub);
  }

  ~linked_node() { stop(); }

  std::uint16_t listen(std::uint16_t port = 0) {
    auto opened = net::listen(*system_, hub, at(port));
    REQUIRE_MESSAGE(opened, system_->render(opened.error()));
    return *opened;
  }

  void stop() {
    if (!system_)
      return;
    CHECK(net::stop_and_wait(*system_, {hub, listener_, agent_}, 10s));
    hub = nullptr;
    listener_ = nullptr;
    agent_ = nullptr;
    system_.reset();
  }

  [[nodiscard]] bool linked_with(std::uint64_t node) const {
    for (const auto& one : book->all())
      if (one.hello.node.value == node)
        return true;
    return false;
  }

  [[nodiscard]] caf::actor_system& system() { return *system_; }

  std::shared_ptr<net::peers> book = std::make_shared<net::peers>();
  std::shared_ptr<record> notes = std::make_shared<record>();
  std::shared_ptr<record> frames = std::make_shared<record>();
  caf::actor hub;

private:
  node_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor listener_;
  caf::actor agent_;
};

} // namespace paxtor::test
