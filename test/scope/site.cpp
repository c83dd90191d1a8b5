#include "test/scope/site.hpp"

#include <chrono>
#include <type_traits>
#include <utility>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/base/codec.hpp"
#include "test/scope/inside.hpp"

namespace paxtor::scope {

using namespace paxos;

namespace {

/// Longer than any timeout: who wants to campaign may.
constexpr duration long_time = std::chrono::hours{1};

configuration all_voters() {
  configuration result;
  for (std::uint64_t i = 1; i <= voters; ++i)
    result.members.push_back({voter_id{i}, "v" + std::to_string(i), {}});
  return result;
}

limits role_limits(bool known_decided) {
  limits result;
  result.slots_in_flight = 2;
  // Each entry is a batch, so that slots are what is interleaved.
  result.batch_entries = 1;
  if (known_decided)
    result.slots_known_decided = 1;
  return result;
}

/// Whether the store would take this write; what it holds afterwards.
void store(recovered& kept, const write& what) {
  for (const auto& op : what.ops) {
    if (const auto* x = std::get_if<write_promise>(&op))
      kept.promised = x->promised;
    else if (const auto* y = std::get_if<write_accepted>(&op))
      kept.accepted[y->where] = y->value;
  }
}

} // namespace

struct site_table::site {
  acceptor accepts;
  proposer proposes;
  learner learns;
  recovered kept;
  std::deque<write> waiting;
  time_point now;
  std::uint8_t commands = 0;
  // The registry, and the leader's rule of leases (S1-S3).
  std::uint16_t registry = registry_table::base;
  bool leading = false;
  bool expiring = false;
  std::uint8_t heard_at = 0;

  [[nodiscard]] voter_id self() const { return kept.self; }

  [[nodiscard]] std::string key() const {
    std::string result;
    describe(accepts, result);
    describe(proposes, result);
    describe(learns, result);
    result += encode(kept.self) + encode(kept.promised) + encode(kept.accepted);
    for (const auto& what : waiting)
      result += encode(what.ops);
    result += encode(now.time_since_epoch().count()) + encode(commands) + encode(registry);
    return result + encode(leading) + encode(expiring) + encode(heard_at);
  }
};

site_table::site_table(const bounds& limits) : limits_(limits) {}

site_table::~site_table() = default;

site_table::site site_table::make(const recovered& state) const {
  const time_point now{long_time};
  learner learns{state.self, state, all_voters(), timing{}, role_limits(limits_.known_decided),
                 now};
  acceptor accepts{state};
  proposer proposes{state.self,
                    learns.voters(),
                    learns.decided_upto(),
                    accepts.promised(),
                    timing{},
                    role_limits(limits_.known_decided),
                    generator{1},
                    now};
  return {std::move(accepts), std::move(proposes), std::move(learns), state, {}, now};
}

std::uint32_t site_table::start(std::size_t which) {
  recovered blank;
  blank.self = voter_id{which + 1};
  auto here = make(blank);
  effect nothing;
  settle(here, {}, nothing);
  return number(std::move(here));
}

const effect& site_table::step(std::uint32_t from, const input& what) {
  const auto [pos, fresh] = effects_.try_emplace({from, what});
  if (fresh) {
    site here = *sites_[from];
    effect out;
    carry_out(here, what, out);
    settle(here, what, out);
    out.site = number(std::move(here));
    pos->second = std::move(out);
  }
  return pos->second;
}

std::uint16_t site_table::question(std::uint32_t from, std::size_t to) {
  const auto& here = *sites_[from];
  return messages_.number(
    {here.self(), voter_id{to + 1}, role::learner, learn{here.learns.decided_upto().next()}});
}

void site_table::carry_out(site& here, const input& what, effect& out) {
  switch (what.how) {
    case input::kind::deliver: {
      const auto& message = messages_.at(what.what);
      deliver(here, message.from, message.to_role, message.what);
      return;
    }
    case input::kind::persist:
      store(here.kept, here.waiting.front());
      here.accepts.persisted(here.waiting.front().id);
      here.waiting.pop_front();
      return;
    case input::kind::crash: {
      // One transaction at a time: a crash leaves a prefix of what waited (libpaxtor/storage).
      for (std::size_t i = 0; i < what.what; ++i)
        store(here.kept, here.waiting[i]);
      const auto commands = here.commands;
      here = make(here.kept);
      here.commands = commands;
      return;
    }
    case input::kind::campaign: {
      here.now += long_time;
      here.proposes.tick(here.now);
      // L3 is about progress: whoever asks may be promised that it would be. So this is no less
      // than what can happen.
      const ballot next{highest_seen(here.proposes).round + 1, here.self()};
      const voter_id friendly{here.self().value % voters + 1};
      here.proposes.step(here.now, friendly, prevote_reply{next, true, {}});
      return;
    }
    case input::kind::command:
      ++here.commands;
      (void)here.proposes.propose({entry_kind::command, "of " + paxtor::to_string(here.self())});
      return;
    case input::kind::renewal:
      here.heard_at = what.now;
      if (limits_.without_confirmation)
        answer(here, what.what, out);
      else
        here.proposes.confirm(here.now, what.what);
      return;
    case input::kind::expire: {
      here.expiring = true;
      const registry::command order =
        registry::expire_session{registries_.first(), here.proposes.state().at};
      (void)here.proposes.propose({entry_kind::command, encode(order)});
      return;
    }
  }
}

void site_table::settle(site& here, const input& what, effect& out) {
  for (bool busy = true; busy;) {
    auto proposed = here.proposes.take_output();
    auto accepted = here.accepts.take_output();
    auto learned = here.learns.take_output();
    busy = !proposed.send.empty() || !accepted.send.empty() || !learned.send.empty();
    for (auto& one : accepted.writes) {
      if (limits_.crashes > 0) {
        here.waiting.push_back(std::move(one));
        continue;
      }
      store(here.kept, one);
      here.accepts.persisted(one.id);
      busy = true;
    }
    if (proposed.changed && proposed.changed->leading) {
      // S1: a new leader counts silence from here.
      here.heard_at = what.now;
      here.expiring = false;
    }
    here.leading = here.proposes.state().leading;
    apply(here, learned.decided);
    for (const auto& done : proposed.confirmations)
      answer(here, done.id, out);
    route(here, learned.send, out);
    route(here, proposed.send, out);
    route(here, accepted.send, out);
  }
  if (!here.leading) {
    here.expiring = false;
    here.heard_at = 0;
  }
}

bool site_table::wanted(const envelope& what) const {
  const auto is = [&](auto&&... kinds) {
    return (std::holds_alternative<std::decay_t<decltype(kinds)>>(what.what) || ...);
  };
  if (is(prevote_request{}, prevote_reply{}))
    return false;
  if (!limits_.rejections && is(rejected{}))
    return false;
  // Without leases nobody asks for a confirmation, and accepts tell what is decided.
  if (!limits_.leases && is(heartbeat{}, heartbeat_reply{}))
    return false;
  // Who never leads is an acceptor alone, unless learners ask each other.
  return what.to_role == role::acceptor || limits_.learning || what.to.value <= limits_.candidates;
}

void site_table::route(site& here, std::vector<outgoing>& all, effect& out) {
  for (auto& what : all) {
    for (const auto to : what.to) {
      const envelope one{here.self(), to, what.to_role, what.what};
      if (!wanted(one))
        continue;
      const bool own = to == here.self() && !limits_.own_late;
      if (is_local(what.what) || own)
        deliver(here, here.self(), what.to_role, what.what);
      // Also what was taken at once was said, and counts (world::broken).
      if (!is_local(what.what))
        out.sent.push_back(messages_.number(one));
    }
  }
}

void site_table::deliver(site& here, voter_id from, role to, const message& what) {
  switch (to) {
    case role::acceptor:
      here.accepts.step(from, what);
      return;
    case role::proposer:
      here.proposes.step(here.now, from, what);
      return;
    case role::learner:
      here.learns.step(here.now, from, what);
      return;
  }
}

void site_table::apply(site& here, const std::vector<decided_entry>& entries) {
  if (!limits_.leases)
    return;
  for (const auto& one : entries) {
    const index at{registries_.base_index().value + one.at.value};
    here.registry = registries_.apply(here.registry, at, one.what);
  }
  if (!entries.empty())
    here.proposes.reign_in_force(here.now, registries_.at(here.registry).reign);
}

void site_table::answer(site& here, std::uint64_t renewal, effect& out) const {
  const auto& reg = registries_.at(here.registry);
  const bool barrier = limits_.without_barrier || reg.reign == here.proposes.state().at;
  // S2: the own reign is applied, the session open there, and no expiration of it in flight.
  if (here.proposes.state().leading && barrier && reg.first_open && !here.expiring)
    out.answered |= static_cast<std::uint8_t>(1U << renewal);
}

std::uint32_t site_table::number(site&& here) {
  const auto [pos, fresh] =
    numbers_.try_emplace(here.key(), static_cast<std::uint32_t>(sites_.size()));
  if (!fresh)
    return pos->second;
  site_facts known;
  known.waiting = static_cast<std::uint8_t>(here.waiting.size());
  known.may_campaign = may_campaign(here.proposes);
  known.leading = here.leading;
  known.commands = here.commands;
  known.expiring = here.expiring;
  known.heard_at = here.heard_at;
  known.registry = here.registry;
  known.decided_upto = here.learns.decided_upto();
  for (slot i{1}; i <= known.decided_upto; i = i.next())
    known.decided.push_back(*here.learns.value_of(i));
  facts_.push_back(std::move(known));
  sites_.push_back(std::make_unique<const site>(std::move(here)));
  return pos->second;
}

} // namespace paxtor::scope
