// The host hands a singleton over: why nothing is lost is said in host_actor.hpp.

#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/make_message.hpp>
#include <caf/message_id.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#include <paxtor/error.hpp>

#include "actors/host_actor.hpp"
#include "libpaxtor/base/check.hpp"

namespace paxtor::actors {

auto host_actor::give(const term& name, token grant)
  -> caf::result<caf::strong_actor_ptr, std::set<std::string>> {
  auto* found = find(name, grant);
  if (found == nullptr)
    return make_error(errc::not_delivered, "it does not run here");
  if (found->holding) // I58
    return make_error(errc::not_delivered, "it moves to another node");
  if (const auto& asker = current_sender()) {
    const auto address = caf::actor_cast<caf::actor_addr>(asker);
    found->users.insert(address);
    if (users_.insert(address).second)
      monitor(address);
  }
  return {found->actor, found->interface};
}

void host_actor::hand_over(const registry::hand_over& order) {
  auto* one = find(order.name, order.grant);
  if (one == nullptr || one->holding)
    return; // It has ended, and its end is on its way; or R4: the same order again.
  log_.info(
    "singleton is handed over",
    {{"name", one->name.text()}, {"token", one->grant.value}, {"nodes", one->users.size()}});
  one->holding = one->users;
  const auto id = one->actor->id();
  const auto name = one->name.text();
  const auto grant = one->grant.value;
  for (const auto& user : one->users) {
    const auto agent = caf::actor_cast<caf::actor>(user);
    if (!agent) {
      one->holding->erase(user);
      continue;
    }
    request(agent, patience_.let_go, let_go_atom::value, name, grant)
      .then([this, id, user](let_go_atom) { let_go(id, user, {}); },
            [this, id, user](const caf::error& why) { let_go(id, user, why); });
  }
  if (one->holding->empty())
    ask_to_end(*one);
}

void host_actor::let_go(caf::actor_id which, const caf::actor_addr& user, const caf::error& why) {
  const auto i = residents_.find(which);
  if (i == residents_.end() || !i->second.holding || i->second.holding->erase(user) == 0)
    return; // It has ended meanwhile, or its node has.
  // One that has ended, or is not linked any more, has nothing under way.
  if (why && why != caf::sec::request_receiver_down)
    log_.warn("a node did not let go of a singleton that moves; what it still sends may be lost",
              {{"name", i->second.name.text()}, {"why", describe(why)}});
  if (i->second.holding->empty())
    ask_to_end(i->second);
}

/// Its node has ended, or the link to it: all that came over that link is in the mailboxes.
void host_actor::user_gone(const caf::actor_addr& user) {
  users_.erase(user);
  for (auto& [id, one] : residents_) {
    one.users.erase(user);
    if (one.holding && one.holding->erase(user) > 0 && one.holding->empty())
      ask_to_end(one);
  }
}

void host_actor::ask_to_end(const resident& one) {
  PAXTOR_CHECK("I56", one.holding && one.holding->empty());
  // Of normal priority, which send_exit has not: it is handled after all that is in the mailbox.
  one.actor->enqueue(ctrl(), caf::make_message_id(caf::message_priority::normal),
                     caf::make_message(caf::exit_msg{address(), caf::exit_reason::user_shutdown}),
                     context());
  delayed_send(this, patience_.end, overdue_atom::value, one.actor->id());
}

void host_actor::overdue(caf::actor_id which) {
  const auto i = residents_.find(which);
  if (i != residents_.end() && i->second.holding)
    kill(i->second, "it moves, and has not ended in time");
}

} // namespace paxtor::actors
