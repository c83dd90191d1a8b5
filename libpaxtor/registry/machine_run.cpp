// What each command does. `apply` in machine.cpp has checked bounds, session and window.

#include <type_traits>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/base/digest.hpp"
#include "libpaxtor/registry/machine_impl.hpp"

namespace paxtor::registry {

namespace {

constexpr const char* owner_ended = "the owner has ended";

std::string no_such_node(const std::string& name) {
  return "no node named " + name + " is in the cluster; paxtor members lists them";
}

std::string_view to_words(end_reason reason) {
  switch (reason) {
    case end_reason::exited:
      return "has exited";
    case end_reason::left:
      return "has left";
    case end_reason::expired:
      return "was silent for longer than its lease";
    case end_reason::process_died:
      return "has died";
    case end_reason::store_reopened:
      return "was replaced by a new process";
    case end_reason::forced:
      return "was released by force";
  }
  return "has ended";
}

} // namespace

// -- sessions -------------------------------------------------------------------------------------

void machine::impl::run(index at, const open_session& what, outcome& out) {
  answer reply;
  reply.number = seq{what.nth};
  bool fresh = false;
  effect_list effects;
  if (auto* opened = who.open(at, what, reply, fresh)) {
    reply.opened = opened->id;
    if (fresh) {
      out.events.emplace_back(session_opened{opened->id, opened->node, opened->name});
      singletons.offer(at, *opened, effects);
    } else {
      ++out.ignored;
    }
  }
  out.answers.push_back({session_id{}, what.node, std::move(reply)});
  send(at, effects, out);
}

void machine::impl::run(index at, const close_session& what, outcome& out) {
  auto* whose = who.find(what.session);
  answer reply;
  if (whose == nullptr) {
    ++out.ignored;
    reply.code = status::no_session;
    reply.detail = "the session has ended already";
    out.answers.push_back({what.session, node_id{}, std::move(reply)});
    return;
  }
  out.answers.push_back({what.session, whose->node, std::move(reply)});
  end_session(at, *whose, what.proof, what.detail, out);
}

void machine::impl::run(index at, const expire_session& what, outcome& out) {
  auto* whose = who.find_open(what.session);
  // S3: a ghost of an old reign, decided late, expires nobody.
#ifdef PAXTOR_CANARY_GHOSTS_EXPIRE
  if (whose == nullptr) {
#else
  if (whose == nullptr || what.at != reign) {
#endif
    ++out.ignored;
    return;
  }
  end_session(at, *whose, end_reason::expired, {}, out);
}

/// F4. Bound to one life of one process: no other session has this node id, and none but who was
/// given the secret can match its seal. So a forged, repeated or late one changes nothing.
void machine::impl::run(index at, const certify_end& what, outcome& out) {
  end_certified verdict{what, 0, {}};
  const auto seal = sha256(what.secret);
  for (auto id : who.of_node(what.node)) {
    auto& whose = *who.find(id);
    if (what.proof == end_reason::forced) {
      if (id != what.session)
        continue;
#ifdef PAXTOR_CANARY_OPERATOR_ENDS_THE_LIVING
      const bool heard_of = false;
#else
      const bool heard_of = whose.open;
#endif
      if (heard_of) {
        // An operator can be wrong about a node that is heard of; it would go on as an owner.
        verdict.problem = "node " + whose.name
                          + " is in the cluster and may still work: stop it, or wait until its "
                            "session has expired, then release again";
        continue;
      }
#ifndef PAXTOR_CANARY_CERTIFICATE_WITHOUT_SEAL
    } else if (whose.seal.empty() || whose.seal != seal) {
      verdict.problem = "the certificate does not match the seal of node " + whose.name;
      continue;
#endif
    }
    ++verdict.closed;
    end_session(at, whose, what.proof, what.detail, out);
  }
  out.ignored += verdict.closed == 0 ? 1 : 0;
  out.events.emplace_back(std::move(verdict));
}

/// S5: one entry frees everything, and grants and places it again.
void machine::impl::end_session(index at, session& whose, end_reason reason,
                                const std::string& detail, outcome& out) {
  effect_list effects;
#ifdef PAXTOR_CANARY_SILENCE_FREES_STRICT
  bool silent = false;
#else
  bool silent = reason == end_reason::expired;
#endif
  session_closed news{whose.id, whose.node, reason, whose.name, detail, 0, 0, 0, 0};
  who.note_end(whose, at, reason, detail);
  if (whose.open) {
    who.shut(whose);
    news.singletons_moved = whose.hosted.size();
    singletons.end_session(at, whose, to_words(reason), effects);
    news.entries_erased = entries.end_session(whose.id);
  }
  std::vector<grant_note> notes;
  const auto mine_before = held.tally(whose.id).held;
  held.end_session(at, whose.id, silent, notes);
  news.locks_freed = mine_before - held.tally(whose.id).held;
  news.waits_granted = notes.size();
  out.events.emplace_back(std::move(news));
  note_grants(notes, effects);
  // F5: only proof ends strict owners.
  if (held.tally(whose.id).held == 0)
    who.erase(whose.id);
  send(at, effects, out);
}

// -- locks ----------------------------------------------------------------------------------------

/// Turns ended waits into effects, and into what a repeat of the acquire is answered.
void machine::impl::note_grants(const std::vector<grant_note>& notes, effect_list& out) {
  for (const auto& x : notes) {
    auto* to = who.find_open(x.who.session);
    PAXTOR_CHECK("I11", to != nullptr);
    if (auto* known = to->applied.find(x.of)) {
      known->code = status::granted;
      known->grant = x.grant;
    }
    out.add(to->id, lock_granted{x.who.actor, x.of, x.grant, x.keys});
  }
}

void machine::impl::run(index at, session& from, const acquire& what, answer& reply,
                        effect_list& out) {
  // R1: the owner's exit was decided first; nobody is left to hold the key.
#ifndef PAXTOR_CANARY_ENDED_OWNERS_ACQUIRE
  if (from.ended_owners.contains(what.actor)) {
    reply.code = status::not_owner;
    reply.detail = owner_ended;
    return;
  }
#endif
  std::vector<grant_note> notes;
  auto result = held.acquire(at, {from.id, what.actor}, what.from.number, what.keys, what.mode,
                             what.kind, notes);
  reply.code = result.code;
  reply.grant = result.grant;
  reply.position = result.position;
  reply.detail = result.cycle.empty() ? std::string{result.detail} : describe(result.cycle);
  note_grants(notes, out);
}

void machine::impl::run(index at, session& from, const withdraw& what, answer& reply,
                        effect_list& out) {
  owner_id me{from.id, what.actor};
  std::vector<grant_note> notes;
  if (held.withdraw(at, me, what.of, notes)) {
    reply.code = status::withdrawn;
    if (auto* known = from.applied.find(what.of))
      known->code = status::withdrawn;
    note_grants(notes, out);
    return;
  }
  if (auto grant = held.granted(me, what.of)) {
    reply.code = status::granted;
    reply.grant = *grant;
    return;
  }
  auto* known = from.applied.find(what.of);
  if (known == nullptr && what.of >= from.applied.done_below()) {
    // R1: decided before its acquire, which from now on finds itself applied and withdrawn.
    from.applied.note(what.of, record::kind::acquire).code = status::withdrawn;
    reply.code = status::withdrawn;
  } else if (known != nullptr && known->what != record::kind::acquire) {
    reply.code = status::invalid;
    reply.detail = "the command to withdraw is no acquire";
  } else if (known != nullptr && known->code == status::granted && held.holds(me, known->grant)) {
    reply.code = status::granted; // reentrant: the owner had all keys before
    reply.grant = known->grant;
  } else {
    reply.code = status::withdrawn; // refused, or its owner has ended: there is no wait
  }
}

void machine::impl::run(index at, session& from, const owner_exited& what, answer& reply,
                        effect_list& out) {
  auto* whose = who.find(what.owner_session);
  if (whose != nullptr && whose->node != from.node) {
    reply.code = status::not_owner;
    reply.detail = "only the owner's own node can report its exit";
    return;
  }
  if (whose == nullptr)
    return; // all of that session has ended
  owner_id ended{whose->id, what.actor};
  std::vector<seq> dropped;
  std::vector<grant_note> notes;
  held.end_owner(at, ended, dropped, notes);
  entries.end_owner(ended);
  for (auto of : dropped) {
    if (auto* known = whose->applied.find(of))
      known->code = status::withdrawn;
  }
  note_grants(notes, out);
  if (whose->open) {
    // R1: an acquire of this owner may be decided after its exit. Only one that stands below and is
    // not applied yet can be.
    if (from.applied.first_gap() < what.from.number)
      from.ended_owners.add(what.actor, what.from.number);
  } else if (held.tally(whose->id).held == 0) {
    who.erase(whose->id); // its last strict owner
  }
}

// -- names and entries ----------------------------------------------------------------------------

void machine::impl::run(index at, session& from, const resolve& what, answer& reply,
                        effect_list& out) {
  // R1: the session has said since that it does not want the name.
  if (from.forgotten.ended_after(what.name, what.from.number)) {
    singletons.locate(from, what, reply);
    return;
  }
  singletons.resolve(at, from, what, reply, out);
}

void machine::impl::run(index, session& from, const forget& what, answer&, effect_list&) {
  singletons.forget(from, what);
  if (from.applied.first_gap() < what.from.number)
    from.forgotten.add(what.name, what.from.number);
}

void machine::impl::run(index at, session& from, const started& what, answer& reply,
                        effect_list& out) {
  reply.code = singletons.started(at, from, what, out);
}

void machine::impl::run(index, session& from, const start_failed& what, answer& reply,
                        effect_list& out) {
  reply.code = singletons.start_failed(from, what, out);
}

void machine::impl::run(index at, session& from, const singleton_exited& what, answer& reply,
                        effect_list& out) {
  reply.code = singletons.exited(at, from, what, out);
}

void machine::impl::run(index at, session&, const drain& what, answer& reply, effect_list& out) {
  auto* whose = who.find_named(what.node);
  if (whose == nullptr) {
    reply.code = status::no_node;
    reply.detail = no_such_node(what.node);
    return;
  }
  singletons.drain(at, *whose, what.on, out);
  reply.value = describe_drain(*whose);
}

void machine::impl::run(index at, session& from, const put& what, answer& reply, effect_list&) {
  std::optional<owner_id> owner;
  if (what.owner) {
    owner = owner_id{from.id, local_actor_id{*what.owner}};
    if (from.ended_owners.contains(owner->actor)) {
      reply.code = status::not_owner;
      reply.detail = owner_ended;
      return;
    }
  }
  const auto* chosen = entries.put(at, what.bucket, what.key, what.value, owner);
  if (chosen == nullptr) {
    reply.code = status::invalid;
    reply.detail = "the store has as many entries as it may";
    return;
  }
  reply.value = chosen->value;
}

// -- repeats --------------------------------------------------------------------------------------

void machine::impl::repeat(session& from, const command& what, const record& known,
                           answer& reply) const {
  reply.code = known.code;
  reply.grant = known.grant;
  if (known.detail)
    reply.detail = *known.detail;
  if (const auto* x = std::get_if<acquire>(&what)) {
    if (known.code == status::queued)
      reply.position = held.position({from.id, x->actor}, x->from.number);
  } else if (const auto* y = std::get_if<resolve>(&what)) {
    if (known.code == status::located || known.code == status::starting) {
      reply.grant = {};
      singletons.locate(from, *y, reply);
    }
  } else if (const auto* u = std::get_if<drain>(&what)) {
    const auto* whose = who.find_named(u->node);
    reply.code = whose != nullptr ? status::ok : status::no_node;
    reply.detail = whose != nullptr ? std::string{} : no_such_node(u->node);
    reply.value = whose != nullptr ? describe_drain(*whose) : std::string{};
  } else if (const auto* z = std::get_if<put>(&what)) {
    if (known.code != status::ok)
      return;
    if (const auto* chosen = entries.get(z->bucket, z->key)) {
      reply.value = chosen->value;
    } else {
      reply.code = status::not_owner;
      reply.detail = "the entry has been erased since, with its owner";
    }
  }
}

} // namespace paxtor::registry
