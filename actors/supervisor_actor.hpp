#pragma once

/// \file
/// The voter's supervisor: runs formation (L5) over the hub's events, and starts and stops the
/// roles.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "actors/role_messages.hpp"
#include "actors/store_access.hpp"
#include "libpaxtor/cluster/frame.hpp"
#include "libpaxtor/paxos/formation.hpp"
#include "net/log.hpp"
#include "net/peers.hpp"

namespace paxtor::actors {

/// Detached; ends with stop_atom, which it passes on to the roles.
class supervisor_actor final : public caf::event_based_actor {
public:
  struct setup {
    std::string name;
    std::vector<std::string> initial_names;
    /// Where they are, by name.
    std::map<std::string, std::string> addresses;
    std::shared_ptr<net::peers> book;
    std::shared_ptr<store_access> store;
    std::shared_ptr<const paxos::recovered> state;
    colleagues roles; ///< `supervisor` is filled in
    paxos::timing times;
    paxos::limits bounds;
    caf::actor listener;
  };

  supervisor_actor(caf::actor_config& cfg, setup given);

  const char* name() const override { return "paxtor.voter"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void on_link(const std::string& bytes, bool up);
  void on_report(const std::string& bytes);
  /// The own learner's voters.
  void on_log(const log_news& news);
  /// What other nodes say of them.
  void on_voters(const std::string& bytes);
  /// Writes, tells and starts what follows from the last input.
  void follow_up();
  void persist();
  void tell_all(bool if_changed);
  void tell(node_id node);
  void form();
  void stand_outside();
  void tell_hub();
  void arm();
  void stop_roles();
  void answer_status();

  setup setup_;
  paxos::formation formation_;
  paxos::formation::phase last_phase_ = paxos::formation::phase::gathering;
  /// Linked initial voters, and what each said last.
  std::map<node_id, std::string> linked_;
  std::set<std::string> formed_names_;
  std::string last_report_;
  /// As the own log tells.
  cluster::voters_now voters_;
  bool started_ = false;
  bool outside_ = false;
  net::log_limiter dropped_;
};

} // namespace paxtor::actors
