#pragma once

/// \file
/// The hub's inside: see hub.hpp for what it is and the messages it takes.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/event_based_actor.hpp>

#include "libpaxtor/base/random.hpp"
#include "net/gate.hpp"
#include "net/guardian_desk.hpp"
#include "net/hub.hpp"
#include "net/log.hpp"
#include "net/wire.hpp"

namespace paxtor::net {

/// Owned by CAF; ends with stop_atom.
///
/// I27 a node is in the book exactly while it is in links_, and every link_up is followed by one
/// link_down or the hub's end.
/// I28 a target has at most one attempt under way.
class hub_actor : public caf::event_based_actor {
public:
  hub_actor(caf::actor_config& cfg, std::shared_ptr<peers> book, hub_options options,
            tls_context tls, caf::actor broker);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "paxtor.hub"; }

  /// Any thread, before messages flow.
  [[nodiscard]] bool open_port(const endpoint& where, std::string& why);
  [[nodiscard]] std::uint16_t port() const { return port_; }

private:
  using clock = std::chrono::steady_clock;

  enum class phase : std::uint8_t { waiting, dialing, joining, greeting, linked, ourselves };

  /// Somebody to stay connected with.
  struct target {
    std::string name; ///< empty for link_to
    endpoint address;
    phase state = phase::waiting;
    clock::time_point next_try;
    std::chrono::milliseconds backoff{0};
    std::uint64_t wire = 0;
    caf::strong_actor_ptr hub;
    /// The version of our hello that it was sent.
    std::uint64_t greeted = 0;
    paxtor::node_id node;
    std::optional<clock::time_point> forget_at;
    std::string last_problem;
  };

  struct link {
    cluster::hello_frame hello;
    caf::strong_actor_ptr hub;
    clock::time_point heard;
  };

  struct told {
    std::string why;
    clock::time_point when;
  };

  // -- links (hub_links.cpp) ----------------------------------------------------------------------
  void on_hello(const std::string& bytes, const std::vector<caf::actor>& boxes, bool answer);
  void on_frame(const std::string& bytes);
  void adopt(cluster::hello_frame hello, const std::vector<caf::actor>& boxes);
  void drop_link(paxtor::node_id node, const std::string& why, bool cut);
  void refuse(const caf::strong_actor_ptr& whom, const cluster::hello_frame& theirs,
              const std::string& why);
  void tell_refused(const std::string& about, const std::string& why);
  void greet(const caf::strong_actor_ptr& whom);
  void greet_all();
  void on_listening(const std::string& where);
  void publish_self(bool first);
  /// Takes over who votes, if that is news.
  void take_voters(const cluster::voters_now& news);
  void tell(const caf::message& event, bool formation_too);
  [[nodiscard]] std::vector<caf::actor> own_boxes();
  [[nodiscard]] std::string status() const;

  // -- targets (hub_actor.cpp) --------------------------------------------------------------------
  void add_target(std::string name, endpoint address, bool lasting);
  void link_to(const std::string& text);
  /// Stays connected with those that vote, and with no others for their sake.
  void follow_voters();
  void try_target(std::uint64_t id, target& one);
  void on_dialed(std::uint64_t id, caf::io::scribe_ptr scribe, std::uint64_t wire);
  void on_joined(std::uint64_t id, const caf::strong_actor_ptr& hub);
  void retry(target& one, const std::string& why);
  void retry_soon(target& one);
  [[nodiscard]] clock::duration jitter(std::chrono::milliseconds base);
  void tick();
  void arm();
  void stop();

  std::shared_ptr<peers> book_;
  hub_options options_;
  caf::actor broker_;
  std::shared_ptr<wire_table> wires_ = std::make_shared<wire_table>();
  std::unique_ptr<guardian_desk> desk_;
  std::unique_ptr<gate> gate_;
  generator random_;
  std::atomic<std::uint16_t> port_ = 0;

  /// Counts the changes of what this node says of itself.
  std::uint64_t version_ = 0;
  std::map<std::uint64_t, target> targets_;
  std::uint64_t last_target_ = 0;
  std::map<paxtor::node_id, link> links_;
  std::map<std::string, told> told_;

  clock::time_point next_ping_;
  clock::time_point wake_at_;
  std::uint64_t wake_number_ = 0;
  bool stopped_ = false;
  log_limiter bad_frames_;
  log_limiter turned_away_{std::chrono::seconds{10}};
  std::uint64_t relayed_ = 0;
  /// A hub lives until it is told to stop, whoever forgets its handle.
  caf::strong_actor_ptr keep_;
};

} // namespace paxtor::net
