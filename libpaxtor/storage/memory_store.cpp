#include "libpaxtor/storage/memory_store.hpp"

#include <algorithm>
#include <variant>

namespace paxtor::storage {

memory_store::memory_store(voter_id self, std::size_t max_bytes)
    : max_bytes_(max_bytes), describe_("memory (gone when the process ends)") {
  state_.self = self;
}

loaded memory_store::load() {
  return {result{}, state_};
}

result memory_store::append(const std::vector<paxos::write>& writes) {
  for (auto& write : writes)
    for (auto& op : write.ops)
      std::visit([this](const auto& what) { carry_out(what); }, op);
  if (bytes_ > max_bytes_)
    return {"the memory store holds " + std::to_string(bytes_) + " bytes, more than its bound of "
            + std::to_string(max_bytes_) + ": take snapshots more often, or raise the bound"};
  return {};
}

void memory_store::carry_out(const paxos::write_promise& what) {
  state_.promised = what.promised;
}

void memory_store::carry_out(const paxos::write_accepted& what) {
  auto& kept = state_.accepted[what.where];
  bytes_ -= kept.value.size();
  kept = what.value;
  bytes_ += kept.value.size();
}

void memory_store::carry_out(const paxos::write_truncate& what) {
  auto end = state_.accepted.upper_bound(what.upto);
  for (auto i = state_.accepted.begin(); i != end; ++i)
    bytes_ -= i->second.value.size();
  state_.accepted.erase(state_.accepted.begin(), end);
  state_.truncated_upto = std::max(state_.truncated_upto, what.upto);
}

void memory_store::carry_out(const paxos::write_snapshot& what) {
  if (state_.snapshot)
    bytes_ -= state_.snapshot->image.size();
  state_.snapshot = what;
  bytes_ += what.image.size();
}

void memory_store::carry_out(const paxos::write_formation& what) {
  state_.formation = what;
}

} // namespace paxtor::storage
