#include "actors/storage_actor.hpp"

#include <exception>
#include <iterator>

#include "net/caf_compat.hpp"
#include "net/hub.hpp"
#include "net/log.hpp"

namespace paxtor::actors {

namespace {

/// Orders of one append: bounds how long the first of them waits.
constexpr std::size_t max_orders = 256;

} // namespace

storage_actor::storage_actor(caf::actor_config& cfg, std::string node_name,
                             std::shared_ptr<store_access> store)
    : caf::event_based_actor(cfg), node_name_(std::move(node_name)), store_(std::move(store)) {}

void storage_actor::on_exit() {
  askers_.clear();
  store_ = nullptr;
}

caf::behavior storage_actor::make_behavior() {
  set_exception_handler([](std::exception_ptr& problem) -> caf::error {
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& e) {
      net::die("paxtor.storage", e.what());
    } catch (...) {
      net::die("paxtor.storage", "an exception without a name");
    }
  });
  set_error_handler([](caf::error&) {});
  return {
    [this](const write_order& order) {
      if (!order.writes.empty()) {
        waiting_.insert(waiting_.end(), order.writes.begin(), order.writes.end());
        askers_.emplace_back(current_sender(), order.writes.back().id);
      }
      if (askers_.size() >= max_orders || net::mailbox_drained(this))
        commit();
    },
    [this](net::stop_atom) { quit(); },
  };
}

void storage_actor::commit() {
  if (askers_.empty())
    return;
  auto outcome = store_->append(waiting_);
  // L1: nobody may be told of a write that is not durable; and what the disk holds is unknown now.
  if (!outcome.ok())
    net::die("the store of node " + node_name_, outcome.why);
  for (auto& [asker, upto] : askers_)
    send(caf::actor_cast<caf::actor>(asker), written{upto});
  waiting_.clear();
  askers_.clear();
}

} // namespace paxtor::actors
