#pragma once

/// \file
/// The actor behind a handle that `cluster::name` returns.

#include <memory>
#include <set>
#include <string>
#include <utility>

#include <caf/actor_config.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/monitorable_actor.hpp>

#include "actors/name_cell.hpp"

namespace paxtor::actors {

/// An actor without a mailbox and without a thread: `enqueue` forwards to the singleton on the
/// sender's thread. It is an actor of this node: sent to another node in a message, it works there
/// too, by way of this node. Monitors and links see the end of the handle (this node leaves), not
/// that of the singleton, which may come back elsewhere. An exit message to it goes to the
/// singleton if one runs; it starts none.
class named_handle : public caf::monitorable_actor {
public:
  named_handle(caf::actor_config& cfg, std::shared_ptr<name_cell> cell)
      : caf::monitorable_actor(cfg), cell_(std::move(cell)) {}

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* context) override {
    cell_->deliver(std::move(what), context);
  }

  const char* name() const override { return "paxtor.name"; }

  std::set<std::string> message_types() const override { return cell_->interface(); }

  void on_destroy() override;

  [[nodiscard]] const std::shared_ptr<name_cell>& cell() const { return cell_; }

private:
  std::shared_ptr<name_cell> cell_;
};

} // namespace paxtor::actors
