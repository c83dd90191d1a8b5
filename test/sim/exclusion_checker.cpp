#include "test/sim/exclusion_checker.hpp"

#include <algorithm>

namespace paxtor::sim {

std::string to_string(const claimant& who) {
  return "p" + std::to_string(who.process) + "." + std::to_string(who.life) + "/a"
         + to_string(who.actor);
}

bool exclusion_checker::frozen(unsigned process, moment now) const {
  auto i = frozen_until_.find(process);
  return i != frozen_until_.end() && now < i->second;
}

void exclusion_checker::paused(unsigned process) {
  frozen_until_[process] = moment::max();
}

void exclusion_checker::thawed(moment now, unsigned process) {
  frozen_until_[process] = now + grace_;
}

verdict exclusion_checker::granted(moment now, const std::string& resource, const claimant& who,
                                   token grant) {
  ++grants_;
  auto& state = resources_[resource];
  auto mine = std::find_if(state.live.begin(), state.live.end(),
                           [&](const ownership& x) { return x.who == who; });
  if (mine != state.live.end()) {
    // A reentrant grant: still the same ownership, which may not have been given away in between.
    if (mine->superseded)
      return wrong("one holder", resource + " granted again to superseded " + to_string(who));
    return {};
  }
  // Taken from a mailbox at the thaw, long after it was given away: promise 2 tells it apart by its
  // token.
  if (grant < state.last && frozen(who.process, now)) {
    ++exempted_;
    state.live.push_back({who, grant, now, true});
    return {};
  }
  for (auto& other : state.live) {
    if (!frozen(other.who.process, now))
      return wrong("one holder", resource + " granted to " + to_string(who) + " token "
                                   + to_string(grant) + " while " + to_string(other.who)
                                   + " owns it since " + to_string(other.since) + " with token "
                                   + to_string(other.grant));
    other.superseded = true;
    ++exempted_;
  }
  if (grant <= state.last)
    return wrong("token order", resource + " granted to " + to_string(who) + " with token "
                                  + to_string(grant) + " after " + to_string(state.last_owner)
                                  + " had " + to_string(state.last));
  state.last = grant;
  state.last_owner = who;
  state.live.push_back({who, grant, now, false});
  return {};
}

verdict exclusion_checker::ended(moment now, const std::string& resource, const claimant& who) {
  auto i = resources_.find(resource);
  if (i == resources_.end())
    return wrong("one holder",
                 resource + ": the end of " + to_string(who) + ", which never owned it");
  auto& live = i->second.live;
  auto mine =
    std::find_if(live.begin(), live.end(), [&](const ownership& x) { return x.who == who; });
  if (mine == live.end())
    return wrong("one holder",
                 resource + ": the end of " + to_string(who) + ", which does not own it");
  auto late = mine->superseded && !frozen(who.process, now);
  live.erase(mine);
  if (late)
    return wrong("one holder",
                 resource + ": superseded " + to_string(who) + " lived on to " + to_string(now));
  return {};
}

verdict exclusion_checker::look(moment now) const {
  for (const auto& [resource, state] : resources_)
    for (const auto& x : state.live)
      if (x.superseded && !frozen(x.who.process, now))
        return wrong("one holder",
                     resource + ": superseded " + to_string(x.who) + " still lives after its thaw");
  return {};
}

} // namespace paxtor::sim
