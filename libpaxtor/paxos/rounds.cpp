#include "libpaxtor/paxos/rounds.hpp"

#include <algorithm>
#include <functional>

namespace paxtor::paxos {

void rounds::ask(std::uint64_t id, slot upto) {
#ifdef PAXTOR_CANARY_EARLIER_ROUND_CONFIRMS
  open_.push_back({id, started_, upto});
#else
  open_.push_back({id, started_ + 1, upto});
#endif
}

bool rounds::reply(voter_id from, std::uint64_t round) {
  if (round == 0 || round > started_)
    return false;
  auto& last = replied_[from];
  last = std::max(last, round);
  return true;
}

std::uint64_t rounds::confirmed_by(const configuration& voters) const {
  std::vector<std::uint64_t> last;
  for (const auto& member : voters.members) {
    const auto pos = replied_.find(member.id);
    last.push_back(pos != replied_.end() ? pos->second : 0);
  }
  std::sort(last.begin(), last.end(), std::greater<>{});
  return last.empty() ? 0 : last[voters.majority() - 1];
}

bool rounds::settle(const std::vector<configuration>& all) {
  auto upto = started_;
  for (const auto& voters : all)
    upto = std::min(upto, confirmed_by(voters));
  if (upto <= confirmed_)
    return false;
  confirmed_ = upto;
  return true;
}

std::vector<proposer_output::confirmed> rounds::take_confirmed() {
  std::vector<proposer_output::confirmed> result;
  while (!open_.empty() && open_.front().round <= confirmed_) {
    result.push_back({open_.front().id, open_.front().upto});
    open_.pop_front();
  }
  return result;
}

} // namespace paxtor::paxos
