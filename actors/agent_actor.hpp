#pragma once

/// \file
/// The session agent as an actor: the node's one door to the cluster.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <caf/actor.hpp>
#include <caf/message_handler.hpp>
#include <caf/response_promise.hpp>

#include <paxtor/requests.hpp>

#include "actors/join_progress.hpp"
#include "actors/lease_view.hpp"
#include "actors/local_messages.hpp"
#include "actors/log.hpp"
#include "actors/name_book.hpp"
#include "actors/name_keeper.hpp"
#include "actors/watchdog.hpp"
#include "libpaxtor/cluster/agent.hpp"
#include "net/inline_actor.hpp"
#include "net/peers.hpp"

namespace paxtor::actors {

/// What the agent is made with. Everything shared outlives it.
struct agent_setup {
  cluster::node_info info;
  cluster::lease_options leases;
  std::uint64_t seed = 0;
  std::shared_ptr<net::peers> book;
  std::shared_ptr<name_book> names;
  std::shared_ptr<detail::lease_view> lease;
  std::shared_ptr<watchdog> dog;
  std::shared_ptr<join_progress> progress;
  /// F4: earlier lives of this node whose end this process can prove; empty: none. Told before the
  /// session is asked for, so that the name is free.
  std::vector<registry::certify_end> proofs;
  /// Who votes has changed; on any thread.
  std::function<void(const paxos::configuration&)> voters_changed;
  /// The cluster knows of that end, or will never take the proof.
  std::function<void(node_id)> proof_settled;
};

/// One per node, detached. Holds cluster::agent, which has all the rules: this turns messages into
/// its inputs, and its outputs into frames, answers and kills. Owners are watched with CAF
/// monitors, which hold no strong reference in either direction.
///
/// I36 the watchdog knows of an owner before the owner knows of its grant (F2).
/// I37 whoever sent a request gets exactly one answer.
class agent_actor : public net::inline_actor {
public:
  agent_actor(caf::actor_config& cfg, agent_setup setup);

  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "paxtor.agent"; }

private:
  /// Inputs that are handled before outputs must go, however full the mailbox is.
  static constexpr unsigned max_inputs_per_turn = 256;

  /// Every handler has one: it takes the time once, and lets the outputs go when the mailbox is
  /// drained. So a burst of requests becomes one frame.
  struct input {
    explicit input(agent_actor* self) : self_(self), now(boot_now()) {}
    ~input() { self_->settle(now); }
    input(const input&) = delete;
    input& operator=(const input&) = delete;

    agent_actor* self_;
    time_point now;
  };

  struct pending {
    caf::response_promise promise;
    /// get: the answer is the entry's value alone.
    bool entry = false;
    /// A forced release: this is the answer to who holds the key, to be followed by the proof.
    std::optional<detail::release_request> release{};
    /// The holder that was released.
    nlohmann::json holder{};
  };

  // -- agent_actor.cpp -------------------------------------------------------------------------
  void begin_with(const begin& what);
  [[nodiscard]] caf::message_handler network();
  [[nodiscard]] caf::message_handler local();
  void settle(time_point now);
  void flush(time_point now);
  void voters_are(time_point now, const cluster::voters_now& news);
  void send_frames(const std::vector<cluster::to_voter>& all);
  void update_lease(time_point now);
  void arm(time_point now);
  void take(const cluster::completion& what);
  void take(const registry::start_singleton& what);
  void take(const registry::hand_over& what);
  void take(const cluster::name_moved& what);
  void take(const cluster::fence& what);
  void take(const cluster::session_up& what);
  void take(const cluster::session_down& what);
  void take(const cluster::session_left& what);
  void link_changed(time_point now, const std::string& bytes, bool up);
  void frame(time_point now, const std::string& bytes);
  void owner_down(const caf::down_msg& what);
  [[nodiscard]] std::string status() const;

  // -- agent_requests.cpp ----------------------------------------------------------------------
  [[nodiscard]] caf::message_handler requests();
  caf::result<caf::message> lock(time_point now, const detail::lock_request& what);
  caf::result<caf::message> whereis(time_point now, const detail::whereis_request& what);
  caf::result<caf::message> put(time_point now, const detail::put_request& what);
  caf::result<caf::message> ask(time_point now, const detail::ask_request& what);
  caf::result<caf::message> release(time_point now, const detail::release_request& what);
  caf::result<caf::message> voters(time_point now, const detail::voters_request& what);
  caf::result<caf::message> drain(time_point now, const detail::drain_request& what);
  /// The second half, once it is known who holds the key.
  void release_holder(pending one, const nlohmann::json& why);
  caf::result<caf::message> wait_for(cluster::request_id id, bool entry = false);
  void complete(const cluster::failed& what);
  void complete(const cluster::granted& what);
  void complete(const cluster::located& what);
  void complete(const cluster::stored& what);
  void complete(const cluster::replied& what);
  /// True if it was the answer to a proof of our own.
  bool settle_proof(cluster::request_id id, const std::string& problem);
  [[nodiscard]] std::optional<pending> take_pending(cluster::request_id id);
  /// The asking actor, watched from now on. Null: it is not an actor of this process.
  [[nodiscard]] std::optional<local_actor_id> watch_sender();

  agent_setup setup_;
  logger log_;
  std::optional<cluster::agent> agent_;
  std::optional<name_keeper> keeper_;
  caf::actor hub_;
  caf::actor host_;
  caf::actor voter_;

  cluster_id cluster_;
  std::map<node_id, voter_id> links_;
  /// Who votes: by the log, as the own voter or another node tells.
  cluster::voters_now voters_;
  std::map<cluster::request_id, pending> waiting_;
  /// F4: proofs that are brought at the start.
  std::map<cluster::request_id, node_id> proving_;
  std::map<caf::actor_id, caf::actor_addr> owners_;

  unsigned inputs_ = 0;
  bool flushing_ = false;
  bool flush_sent_ = false;
  std::optional<time_point> armed_for_;
  std::uint64_t tick_number_ = 0;
  time_point now_{};
  bool armed_ = false;
  bool leaving_ = false;
  bool left_ = false;
  std::uint64_t bad_frames_ = 0;
  std::uint64_t fences_ = 0;
};

} // namespace paxtor::actors
