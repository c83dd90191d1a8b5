#include "test/storm/wires.hpp"

#include <algorithm>
#include <cstdio>

namespace paxtor::storm {

void wires::set(const std::vector<fault>& active) {
  blocked_.clear();
  loss_.clear();
  for (const auto& one : active) {
    switch (one.kind) {
      case fault_kind::isolate:
      case fault_kind::split: {
        const std::set<std::string> here{one.who.begin(), one.who.end()};
        for (const auto& a : here)
          for (const auto& b : machines_)
            if (!here.contains(b.name)) {
              block(a, b.name, one.reject);
              block(b.name, a, one.reject);
            }
        break;
      }
      case fault_kind::cut:
        block(one.who.front(), one.other, one.reject);
        block(one.other, one.who.front(), one.reject);
        break;
      case fault_kind::one_way:
        block(one.who.front(), one.other, one.reject);
        break;
      case fault_kind::loss:
        loss_[one.who.front()] = std::max(loss_[one.who.front()], one.amount);
        break;
      default:
        break;
    }
  }
}

void wires::block(const std::string& from, const std::string& to, bool reject) {
  // Where two cuts meet, the silent one is what happens.
  const auto [known, fresh] = blocked_.emplace(std::pair{from, to}, reject);
  if (!fresh)
    known->second = known->second && reject;
}

bool wires::pass(const std::string& a, const std::string& b) const {
  return !blocked_.contains({a, b});
}

std::string wires::rules(const machine& at) const {
  std::string result = "*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n";
  for (const auto& from : machines_) {
    const auto found = blocked_.find({from.name, at.name});
    if (found != blocked_.end())
      result += "-A INPUT -s " + from.address
                + (found->second ? " -p tcp -j REJECT --reject-with tcp-reset\n" : " -j DROP\n");
  }
  if (const auto found = loss_.find(at.name); found != loss_.end()) {
    char share[16];
    std::snprintf(share, sizeof share, "%.2f", found->second / 100.0);
    for (const auto* way : {"INPUT ! -i lo", "OUTPUT ! -o lo"})
      result += std::string{"-A "} + way + " -m statistic --mode random --probability " + share
                + " -j DROP\n";
  }
  return result + "COMMIT\n";
}

bool wires::majority(const std::set<std::string>& up) const {
  std::vector<std::string> voters;
  std::size_t all = 0;
  for (const auto& each : machines_) {
    all += each.voter() ? 1 : 0;
    if (each.voter() && up.contains(each.name))
      voters.push_back(each.name);
  }
  for (const auto& leader : voters) {
    const auto heard = std::count_if(voters.begin(), voters.end(), [&](const std::string& other) {
      return other == leader || linked(leader, other);
    });
    if (static_cast<std::size_t>(heard) * 2 <= all)
      continue;
    for (const auto& each : machines_)
      if (!each.voter() && up.contains(each.name) && linked(each.name, leader))
        return true;
  }
  return false;
}

} // namespace paxtor::storm
