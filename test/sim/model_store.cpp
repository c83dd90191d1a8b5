#include "test/sim/model_store.hpp"

#include <algorithm>
#include <variant>

#include "test/sim/cases.hpp"

namespace paxtor::sim {

void model_store::begin_sync(std::size_t most) {
  syncing_ = std::min(most, waiting_.size());
}

write_id model_store::complete_sync() {
  write_id last;
  for (; syncing_ > 0; --syncing_) {
    apply(waiting_.front());
    last = waiting_.front().id;
    waiting_.pop_front();
  }
  return last;
}

void model_store::crash(generator& random, crash_order order) {
  const auto in_flight = random.chance(50);
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (order == crash_order::any ? random.chance(50) : in_flight && i < syncing_)
      apply(waiting_[i]);
  }
  waiting_.clear();
  syncing_ = 0;
}

void model_store::apply(const paxos::write& what) {
  for (const auto& op : what.ops) {
    std::visit(cases{
                 [this](const paxos::write_promise& x) { durable_.promised = x.promised; },
                 [this](const paxos::write_accepted& x) { durable_.accepted[x.where] = x.value; },
                 [this](const paxos::write_truncate& x) {
                   durable_.accepted.erase(durable_.accepted.begin(),
                                           durable_.accepted.upper_bound(x.upto));
                   durable_.truncated_upto = x.upto;
                 },
                 [this](const paxos::write_snapshot& x) { durable_.snapshot = x; },
                 [this](const paxos::write_formation& x) { durable_.formation = x; },
               },
               op);
  }
  see_(what);
}

} // namespace paxtor::sim
