#include "actors/storage_actor.hpp"

#include <algorithm>
#include <exception>
#include <variant>

#include "net/caf_compat.hpp"
#include "net/hub.hpp"
#include "net/log.hpp"

namespace paxtor::actors {

namespace {

/// Orders of one append: bounds how long the first of them waits.
constexpr std::size_t max_orders = 256;

bool is_snapshot(const paxos::write& what) {
  return what.ops.size() == 1 && std::holds_alternative<paxos::write_snapshot>(what.ops.front());
}

} // namespace

storage_actor::storage_actor(caf::actor_config& cfg, std::string node_name,
                             std::shared_ptr<store_access> store)
    : caf::event_based_actor(cfg), node_name_(std::move(node_name)), store_(std::move(store)) {}

void storage_actor::on_exit() {
  askers_.clear();
  slow_.clear();
  store_ = nullptr;
}

caf::behavior storage_actor::make_behavior() {
  set_exception_handler(
    [](std::exception_ptr& problem) -> caf::error { net::die("paxtor.storage", problem); });
  set_error_handler([](caf::error&) {});
  return {
    [this](const write_order& order) {
      take(order);
      if (askers_.size() >= max_orders || net::mailbox_drained(this))
        commit();
    },
    [this](part_atom) {
      // What has arrived meanwhile first: whoever is asked to accept waits for it.
      commit();
      write_part();
    },
    [this](net::stop_atom) { quit(); },
  };
}

void storage_actor::take(const write_order& order) {
  if (order.writes.empty())
    return;
  asker from{current_sender(), order.told};
  const auto behind =
    std::find_if(slow_.begin(), slow_.end(), [&](const auto& x) { return x.from.who == from.who; });
  if (behind != slow_.end()) {
    behind->writes.insert(behind->writes.end(), order.writes.begin(), order.writes.end());
    return;
  }
  if (std::any_of(order.writes.begin(), order.writes.end(), is_snapshot)) {
    slow_.push_back({std::move(from), {order.writes.begin(), order.writes.end()}});
    if (slow_.size() == 1)
      send(this, part_atom::value);
    return;
  }
  waiting_.insert(waiting_.end(), order.writes.begin(), order.writes.end());
  askers_.emplace_back(std::move(from), order.writes.back().id);
}

void storage_actor::check(const storage::result& outcome) const {
  // L1: nobody may be told of a write that is not durable; and what the disk holds is unknown now.
  if (!outcome.ok())
    net::die("the store of node " + node_name_, outcome.why);
}

void storage_actor::tell(const asker& whom, write_id upto) {
  if (whom.hook)
    whom.hook->written(upto);
  else
    send(caf::actor_cast<caf::actor>(whom.who), written{upto});
}

void storage_actor::commit() {
  if (askers_.empty())
    return;
  check(store_->append(waiting_));
  for (const auto& [from, upto] : askers_)
    tell(from, upto);
  waiting_.clear();
  askers_.clear();
}

void storage_actor::write_part() {
  auto& now = slow_.front();
  auto& what = now.writes.front();
  bool whole = true;
  if (is_snapshot(what)) {
    auto part = store_->write_part(std::get<paxos::write_snapshot>(what.ops.front()));
    check(part.outcome);
    whole = part.whole;
  } else {
    check(store_->append({what}));
  }
  if (whole) {
    tell(now.from, what.id);
    now.writes.pop_front();
    if (now.writes.empty())
      slow_.pop_front();
  }
  if (!slow_.empty())
    send(this, part_atom::value);
}

} // namespace paxtor::actors
