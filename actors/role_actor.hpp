#pragma once

/// \file
/// What the actors of a voter's roles have in common: they turn mailbox into inputs, let outputs go
/// when the mailbox is drained (so that one batch, one write and one frame carry all that has
/// arrived), and end the process when something breaks, for a voter that is half alive is worse
/// than a dead one.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/outbox.hpp"
#include "actors/role_messages.hpp"
#include "libpaxtor/cluster/frame.hpp"
#include "libpaxtor/storage/store.hpp"
#include "net/inline_actor.hpp"
#include "net/log.hpp"
#include "net/peers.hpp"

namespace paxtor::actors {

/// Inputs that are taken before output goes, even if more wait: else a flood would hold everything
/// back.
inline constexpr std::size_t max_inputs_per_turn = 1024;

/// The store of a voter. A volatile one is written by whoever has something to write (one thread at
/// a time); else only the storage actor touches it.
class store_access;

/// What a role is made with.
struct role_setup {
  std::string node_name;
  voter_id self;
  std::shared_ptr<net::peers> book;
  std::shared_ptr<store_access> store;
};

class role_actor : public net::inline_actor {
public:
  role_actor(caf::actor_config& cfg, role_setup setup);
  ~role_actor() override;

  const char* name() const override = 0;
  caf::behavior make_behavior() final;
  void on_exit() override;

protected:
  // -- the role's ---------------------------------------------------------------------------------
  [[nodiscard]] virtual paxos::role which() const = 0;
  /// The cluster is formed.
  virtual void start(const role_start& begin) = 0;
  /// A message for this role, from another voter or from this one's roles.
  virtual void step(voter_id from, const paxos::message& what) = 0;
  virtual void persisted(write_id upto) = 0;
  /// Who is told of a durable write on the storage actor's thread, in place of `persisted`. Null:
  /// nobody.
  [[nodiscard]] virtual std::shared_ptr<written_hook> when_written() { return nullptr; }
  /// A node_frame; only the proposer's.
  virtual void on_node(const cluster::node_frame&) { drop("a node's frame"); }
  virtual void on_news(const applied_news&) { drop("news"); }
  virtual void on_news(const keeper_news&) { drop("news"); }
  virtual void on_news(const log_news&) { drop("news"); }
  virtual void on_news(const known_voters&) { drop("news"); }
  virtual void on_news(const snapshot_image&) { drop("a snapshot's image"); }
  virtual void tick() {}
  /// Carries out everything that the role wants, until it wants nothing.
  virtual void flush() = 0;
  /// Between ticks; zero: none.
  [[nodiscard]] virtual duration tick_every() const { return duration{0}; }
  /// JSON text.
  [[nodiscard]] virtual std::string status() const = 0;

  // -- for the role -------------------------------------------------------------------------------
  void send_out(std::vector<paxos::outgoing> all) { outbox_.send(std::move(all)); }
  void send_to_node(node_id node, cluster::voter_message what);
  /// Calls `persisted`, now or later.
  void write(std::vector<paxos::write> writes);
  void drop(const char* what);

  [[nodiscard]] bool started() const { return cluster_.valid(); }
  [[nodiscard]] const role_setup& setup() const { return setup_; }
  [[nodiscard]] const outbox& out() const { return outbox_; }
  [[nodiscard]] const colleagues& others() const { return others_; }
  [[nodiscard]] cluster_id cluster() const { return cluster_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.count(); }

private:
  void on_frame(const std::string& bytes);
  void took_input();
  void arm_tick();
  /// A status, and how many frames of which version were read.
  [[nodiscard]] std::string with_frames(const std::string& text) const;

  role_setup setup_;
  colleagues others_;
  outbox outbox_;
  cluster_id cluster_;
  cluster_id heard_;
  std::size_t inputs_ = 0;
  std::map<std::uint8_t, std::uint64_t> frames_;
  net::log_limiter dropped_;
};

} // namespace paxtor::actors
