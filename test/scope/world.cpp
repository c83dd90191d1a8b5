#include "test/scope/world.hpp"

#include <algorithm>

namespace paxtor::scope {

using namespace paxos;

world::world(const bounds& limits) : limits_(limits), sites_(limits) {
  for (std::size_t i = 0; i < voters; ++i)
    start_.sites[i] = sites_.start(i);
  // Somebody is first, and his messages may take any time: so it is site 1, at once. What begins
  // otherwise is the same with other names.
  action first;
  first.in.how = input::kind::campaign;
  start_ = after(start_, first);
  if (limits_.leases)
    begin_with_a_leader();
  learn_messages();
}

/// Everything arrives at once until all is quiet; then what was sent is forgotten.
void world::begin_with_a_leader() {
  for (bool busy = true; busy;) {
    const auto before = start_;
    for (std::uint16_t i = 0; i < sites_.messages().size(); ++i) {
      action one;
      one.site = static_cast<std::uint8_t>(sites_.messages().at(i).to.value - 1);
      one.in.what = i;
      if (start_.network.has(i))
        start_ = after(start_, one);
    }
    busy = !(before == start_);
  }
  start_.network = {};
  for (const auto site : start_.sites)
    decided_before_ = std::max(decided_before_, sites_.facts(site).decided_upto);
}

// -- what can happen ------------------------------------------------------------------------------

void world::site_actions(const state& now, std::uint8_t site, std::vector<action>& out) {
  const auto& here = sites_.facts(now.sites[site]);
  const auto add = [&](input::kind how, std::uint16_t what = 0) {
    out.push_back({action::kind::at_site, site, {how, what, now.renewals}});
  };
  if (here.waiting > 0)
    add(input::kind::persist);
  if (now.crashes < limits_.crashes)
    for (std::uint16_t kept = 0; kept <= here.waiting; ++kept)
      add(input::kind::crash, kept);
  if (site < limits_.candidates && here.may_campaign && now.ballots < limits_.ballots)
    add(input::kind::campaign);
  if (here.leading && here.commands < limits_.commands)
    add(input::kind::command);
  if (limits_.leases && here.leading) {
    for (std::uint16_t n = 1; n <= now.renewals; ++n)
      add(input::kind::renewal, n);
    if (!here.expiring)
      out.push_back({action::kind::expire, site, {input::kind::expire, 0, now.renewals}});
  }
  for (std::uint16_t other = 0; limits_.learning && other < voters; ++other)
    if (sites_.facts(now.sites[other]).decided_upto < here.decided_upto)
      out.push_back({action::kind::learn, site, {input::kind::deliver, other, now.renewals}});
}

void world::actions(const state& now, std::vector<action>& out) {
  out.clear();
  // Nothing that a node does after its fence can break its promise.
  if (limits_.leases && now.fenced != 0)
    return;
  for (std::size_t i = 0; i < sites_.messages().size(); ++i) {
    const auto& message = sites_.messages().at(i);
    if (!now.network.has(i) || (message.to == message.from && !limits_.own_late))
      continue;
    const auto site = static_cast<std::uint8_t>(message.to.value - 1);
    out.push_back({action::kind::at_site,
                   site,
                   {input::kind::deliver, static_cast<std::uint16_t>(i), now.renewals}});
  }
  for (std::uint8_t site = 0; site < voters; ++site)
    site_actions(now, site, out);
  if (limits_.leases) {
    if (now.renewals < limits_.renewals)
      out.push_back({action::kind::renew, 0, {}});
    for (std::uint16_t n = now.basis + 1; n <= now.renewals; ++n)
      if ((now.answers >> n & 1) != 0)
        out.push_back({action::kind::answer, 0, {input::kind::deliver, n, 0}});
  }
}

state world::after(const state& now, const action& what) {
  auto next = now;
  auto in = what.in;
  switch (what.how) {
    case action::kind::renew:
      ++next.renewals;
      return next;
    case action::kind::answer:
      // S4: a lease counts from the sending. The answer to an older one changes nothing.
      next.basis = static_cast<std::uint8_t>(std::max<std::uint16_t>(next.basis, in.what));
      return next;
    case action::kind::learn:
      in.what = sites_.question(now.sites[in.what], what.site);
      break;
    case action::kind::expire:
      // A ttl (and the drift) after the leader heard the node last. All leases that were sent for
      // before that have ended by now, and their owners with them (F1, F2), at the latest now.
      if (next.basis <= sites_.facts(now.sites[what.site]).heard_at)
        next.fenced = 1;
      break;
    case action::kind::at_site:
      break;
  }
  const auto& came = sites_.step(now.sites[what.site], in);
  next.sites[what.site] = came.site;
  for (const auto sent : came.sent)
    next.network.add(sent);
  next.answers |= came.answered;
  next.ballots += in.how == input::kind::campaign ? 1 : 0;
  next.crashes += in.how == input::kind::crash ? 1 : 0;
  return next;
}

// -- what must hold -------------------------------------------------------------------------------

world::votes& world::votes_of(slot where, ballot at) {
  const auto pos = std::find_if(votes_.begin(), votes_.end(), [&](const votes& known) {
    return known.where == where && known.at == at;
  });
  if (pos != votes_.end())
    return *pos;
  votes_.push_back({where, at, {}, {}});
  return votes_.back();
}

void world::learn_messages() {
  for (; seen_messages_ < sites_.messages().size(); ++seen_messages_) {
    const auto& message = sites_.messages().at(seen_messages_);
    if (const auto* x = std::get_if<accept>(&message.what))
      votes_of(x->where, x->at).proposals.emplace_back(seen_messages_, &x->value);
    else if (const auto* y = std::get_if<accepted>(&message.what))
      votes_of(y->where, y->at).accepted[message.from.value - 1] = seen_messages_ + 1;
  }
}

/// L2, judged by what was said: a majority of acceptances in one ballot chooses a value, all
/// ballots choose the same, and what a learner hands out is the chosen one.
std::string world::broken_log(const state& now) {
  learn_messages();
  std::map<slot, const batch*> chosen;
  for (const auto& known : votes_) {
    const batch* value = nullptr;
    for (const auto& [number, proposed] : known.proposals) {
      if (!now.network.has(number))
        continue;
      if (value != nullptr && !(*value == *proposed))
        return "I5: in ballot " + paxtor::to_string(known.at) + " two values were proposed in slot "
               + paxtor::to_string(known.where);
      value = proposed;
    }
    const auto said = std::count_if(known.accepted.begin(), known.accepted.end(),
                                    [&](auto one) { return one != 0 && now.network.has(one - 1); });
    if (value == nullptr || static_cast<std::size_t>(said) <= voters / 2)
      continue;
    const auto [pos, first] = chosen.emplace(known.where, value);
    if (!first && !(*pos->second == *value))
      return "agreement: two values are chosen in slot " + paxtor::to_string(known.where);
  }
  for (const auto site : now.sites) {
    const auto& decided = sites_.facts(site).decided;
    for (std::size_t i = decided_before_.value; i < decided.size(); ++i) {
      const auto pos = chosen.find(slot{i + 1});
      if (pos == chosen.end())
        return "agreement: slot " + std::to_string(i + 1)
               + " is taken for decided, and no majority has accepted anything there";
      if (!(*pos->second == decided[i]))
        return "agreement: what is taken for decided in slot " + std::to_string(i + 1)
               + " is not what a majority has accepted";
    }
  }
  return {};
}

std::string world::broken(const state& now) {
  if (auto why = broken_log(now); !why.empty())
    return why;
  if (limits_.leases && now.fenced == 0 && granted(now))
    return "exclusion: the key has a second owner, and the first has not been stopped";
  return {};
}

bool world::granted(const state& now) const {
  return std::any_of(now.sites.begin(), now.sites.end(), [this](std::uint32_t site) {
    return sites_.registries().at(sites_.facts(site).registry).second_owns;
  });
}

std::string world::describe(const action& what) const {
  const auto site = "site " + std::to_string(what.site + 1);
  const auto nth = std::to_string(what.in.what);
  switch (what.how) {
    case action::kind::renew:
      return "the node sends a renewal";
    case action::kind::answer:
      return "the node gets the answer to renewal " + nth;
    case action::kind::learn:
      return site + " is asked by site " + std::to_string(what.in.what + 1)
             + " for what it has not learned";
    case action::kind::expire:
      return "a ttl passes: leases that " + site + " could have answered before have ended; " + site
             + " proposes to expire the session";
    case action::kind::at_site:
      break;
  }
  switch (what.in.how) {
    case input::kind::deliver:
      return site + " gets " + to_string(sites_.messages().at(what.in.what));
    case input::kind::persist:
      return site + ": a write is durable";
    case input::kind::crash:
      return site + " crashes, keeps " + nth + " of its writes, and starts again";
    case input::kind::campaign:
      return site + " campaigns";
    case input::kind::command:
      return site + " proposes a command";
    case input::kind::renewal:
      return site + " gets renewal " + nth;
    case input::kind::expire:
      break;
  }
  return site;
}

} // namespace paxtor::scope
