#include "test/transcripts/names.hpp"

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/paxos/batches.hpp"
#include "libpaxtor/paxos/visit.hpp"

namespace paxtor::transcripts {

using paxos::overloaded;

std::string text_of(const std::vector<term>& keys) {
  std::string out;
  for (const auto& key : keys)
    out += (out.empty() ? "" : " and ") + key.text();
  return out;
}

std::string names::of(voter_id id) const {
  const auto known = voters_.find(id);
  return known != voters_.end() ? known->second : "voter " + to_string(id);
}

std::string names::of(node_id id) const {
  const auto known = nodes_.find(id);
  return known != nodes_.end() ? known->second : "node " + to_string(id);
}

std::string names::node_of(session_id id) const {
  const auto known = sessions_.find(id);
  return known != sessions_.end() ? of(known->second) : "?";
}

std::string names::of(session_id id) const {
  return node_of(id) + ", session " + to_string(id);
}

std::string names::of(session_id id, local_actor_id actor) const {
  return node_of(id) + "/a" + to_string(actor);
}

std::string names::of(ballot at) const {
  return std::to_string(at.round) + " of " + of(at.voter);
}

std::string names::describe(const registry::command& what) const {
  using namespace registry;
  const auto from = [this](const origin& x) { return node_of(x.session); };
  return std::visit(
    overloaded{
      [&](const open_session& x) { return "open_session " + x.name; },
      [&](const close_session& x) { return "close_session " + of(x.session); },
      [&](const expire_session& x) {
        return "expire_session " + of(x.session) + ", in reign " + of(x.at);
      },
      [&](const certify_end& x) { return "certify_end " + of(x.node); },
      [&](const acquire& x) {
        return "acquire " + of(x.from.session, x.actor) + " " + text_of(x.keys)
               + (x.mode == acquire_mode::try_once ? ", try" : "")
               + (x.kind == ownership::strict ? ", strict" : "");
      },
      [&](const withdraw& x) { return "withdraw " + of(x.from.session, x.actor); },
      [&](const owner_exited& x) { return "owner_exited " + of(x.owner_session, x.actor); },
      [&](const resolve& x) { return "resolve " + from(x.from) + " " + x.name.text(); },
      [&](const forget& x) { return "forget " + from(x.from) + " " + x.name.text(); },
      [&](const started& x) {
        return "started " + of(x.from.session, x.actor) + " as " + x.name.text() + ", token "
               + to_string(x.grant);
      },
      [&](const start_failed& x) {
        return "start_failed " + from(x.from) + " " + x.name.text() + ", token "
               + to_string(x.grant);
      },
      [&](const singleton_exited& x) {
        return "singleton_exited " + from(x.from) + " " + x.name.text() + ", token "
               + to_string(x.grant);
      },
      [&](const put& x) {
        return "put " + from(x.from) + " " + x.bucket + " " + x.key.text() + " = " + x.value;
      },
      [&](const registry::drain& x) {
        return "drain " + x.node + (x.on ? "" : ", no more") + ", asked by " + from(x.from);
      },
    },
    what);
}

std::string names::describe(const paxos::entry& what) const {
  switch (what.kind) {
    case paxos::entry_kind::noop:
      return "noop";
    case paxos::entry_kind::reign: {
      ballot at;
      return decode(what.data, at) ? "reign " + of(at) : "reign, unreadable";
    }
    case paxos::entry_kind::configure:
      return "configure";
    case paxos::entry_kind::command: {
      registry::command command;
      return decode(what.data, command) ? describe(command) : "command, unreadable";
    }
  }
  return "?";
}

namespace {

std::string word(cluster::failure code) {
  using cluster::failure;
  switch (code) {
    case failure::deadlock:
      return "deadlock";
    case failure::timed_out:
      return "timed out";
    case failure::busy:
      return "busy";
    case failure::no_host:
      return "no host";
    case failure::type_mismatch:
      return "type mismatch";
    case failure::start_failed:
      return "start failed";
    case failure::name_taken:
      return "name taken";
    case failure::session_lost:
      return "session lost";
    case failure::outcome_unknown:
      return "outcome unknown";
    case failure::not_joined:
      return "not joined";
    case failure::overloaded:
      return "overloaded";
    case failure::owner_gone:
      return "owner gone";
    case failure::invalid:
      return "invalid";
  }
  return "?";
}

} // namespace

std::string names::describe(const cluster::completion& what) const {
  return std::visit(
    overloaded{
      [](const cluster::failed& x) {
        return "refused, " + word(x.code) + (x.detail.empty() ? "" : ": " + x.detail);
      },
      [](const cluster::granted& x) {
        return "a" + to_string(x.actor) + " owns " + text_of(x.keys) + ", token "
               + to_string(x.grant);
      },
      [](const cluster::located& x) {
        return x.where.name.text() + " lives at " + x.where.node_name + "/a"
               + to_string(x.where.actor) + ", token " + to_string(x.where.grant);
      },
      [](const cluster::stored& x) { return "stored, and there is now " + x.value; },
      [](const cluster::replied& x) { return "answer " + x.json; },
    },
    what);
}

std::string names::kind_of(const cluster::frame& what) {
  if (const auto* paxos = std::get_if<cluster::paxos_frame>(&what))
    return std::visit(overloaded{
                        [](const paxos::accept&) { return "accept"; },
                        [](const paxos::accepted&) { return "accepted"; },
                        [](const paxos::prepare&) { return "prepare"; },
                        [](const paxos::promise&) { return "promise"; },
                        [](const paxos::heartbeat&) { return "heartbeat"; },
                        [](const paxos::heartbeat_reply&) { return "heartbeat_reply"; },
                        [](const paxos::prevote_request&) { return "prevote_request"; },
                        [](const paxos::prevote_reply&) { return "prevote_reply"; },
                        [](const paxos::rejected&) { return "rejected"; },
                        [](const paxos::learn&) { return "learn"; },
                        [](const paxos::learned_values&) { return "learned_values"; },
                        [](const paxos::learn_snapshot&) { return "learn_snapshot"; },
                        [](const paxos::snapshot_chunk&) { return "snapshot_chunk"; },
                        [](const auto&) { return "local"; },
                      },
                      paxos->what);
  if (const auto* node = std::get_if<cluster::node_frame>(&what))
    return std::visit(overloaded{
                        [](const cluster::submit&) { return "submit"; },
                        [](const cluster::renew&) { return "renew"; },
                        [](const cluster::read&) { return "read"; },
                        [](const auto&) { return "node"; },
                      },
                      node->what);
  if (const auto* voter = std::get_if<cluster::voter_frame>(&what))
    return std::visit(overloaded{
                        [](const cluster::answers&) { return "answers"; },
                        [](const registry::effects_for&) { return "effects"; },
                        [](const cluster::renewed&) { return "renewed"; },
                        [](const auto&) { return "voter"; },
                      },
                      voter->what);
  return "frame";
}

} // namespace paxtor::transcripts
