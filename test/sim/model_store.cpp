#include "test/sim/model_store.hpp"

#include <variant>

#include "test/sim/cases.hpp"

namespace paxtor::sim {

write_id model_store::complete_one() {
  auto done = std::move(waiting_.front());
  waiting_.pop_front();
  for (const auto& op : done.ops)
    apply(op);
  return done.id;
}

void model_store::crash(generator& random) {
  auto survivors = random.below(waiting_.size() + 1);
  for (std::uint64_t i = 0; i < survivors; ++i)
    (void)complete_one();
  waiting_.clear();
}

void model_store::apply(const paxos::write_op& what) {
  std::visit(cases{
               [this](const paxos::write_promise& x) { durable_.promised = x.promised; },
               [this](const paxos::write_accepted& x) {
                 durable_.accepted[x.where] = x.value;
                 see_(x.where, x.value);
               },
               [this](const paxos::write_truncate& x) {
                 durable_.accepted.erase(durable_.accepted.begin(),
                                         durable_.accepted.upper_bound(x.upto));
                 durable_.truncated_upto = x.upto;
               },
               [this](const paxos::write_snapshot& x) { durable_.snapshot = x; },
               [this](const paxos::write_formation& x) { durable_.formation = x; },
             },
             what);
}

} // namespace paxtor::sim
