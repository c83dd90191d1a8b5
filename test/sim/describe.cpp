#include "test/sim/describe.hpp"

#include "libpaxtor/base/codec.hpp"
#include "test/sim/cases.hpp"

namespace paxtor::sim {

namespace {

std::string joined(const std::vector<term>& keys) {
  std::string out;
  for (const auto& key : keys)
    out += (out.empty() ? "" : "+") + key.text();
  return out;
}

std::string describe(const registry::origin& from) {
  return "s" + to_string(from.session) + "#" + to_string(from.number) + " (done below "
         + to_string(from.done_below) + ")";
}

std::string describe(const registry::effect& what) {
  return std::visit(cases{
                      [](const registry::lock_granted& x) {
                        return "lock_granted a" + to_string(x.actor) + " of#" + to_string(x.of)
                               + " token " + to_string(x.grant) + " " + joined(x.keys);
                      },
                      [](const registry::start_singleton& x) {
                        return "start " + x.name.text() + " token " + to_string(x.grant);
                      },
                      [](const registry::name_located& x) {
                        return "located " + x.where.name.text() + " token "
                               + to_string(x.where.grant);
                      },
                      [](const registry::name_gone& x) {
                        return "gone " + x.name.text() + " token " + to_string(x.grant);
                      },
                      [](const registry::hand_over& x) {
                        return "hand over " + x.name.text() + " token " + to_string(x.grant);
                      },
                    },
                    what);
}

std::string describe(const paxos::message& what) {
  using namespace paxos;
  return std::visit(
    cases{
      [](const prevote_request& x) { return "prevote_request " + to_string(x.next); },
      [](const prevote_reply& x) {
        return "prevote_reply " + to_string(x.next) + (x.granted ? " yes" : " no") + " seen "
               + to_string(x.highest_seen);
      },
      [](const prepare& x) {
        return "prepare " + to_string(x.at) + " from slot " + to_string(x.from);
      },
      [](const promise& x) {
        return "promise " + to_string(x.at) + " part " + std::to_string(x.part) + "/"
               + std::to_string(x.parts) + " of " + std::to_string(x.accepted.size())
               + " slots, truncated " + to_string(x.truncated_upto);
      },
      [](const rejected& x) {
        return "rejected " + to_string(x.asked) + " by " + to_string(x.promised);
      },
      [](const accept& x) {
        return "accept " + to_string(x.at) + " slot " + to_string(x.where) + " ("
               + std::to_string(x.value.size()) + " bytes) decided " + to_string(x.decided_upto);
      },
      [](const accepted& x) {
        return "accepted " + to_string(x.at) + " slot " + to_string(x.where);
      },
      [](const heartbeat& x) {
        return "heartbeat " + to_string(x.at) + " round " + std::to_string(x.round) + " decided "
               + to_string(x.decided_upto);
      },
      [](const heartbeat_reply& x) {
        return "heartbeat_reply " + to_string(x.at) + " round " + std::to_string(x.round);
      },
      [](const learn& x) { return "learn from " + to_string(x.from); },
      [](const learned_values& x) {
        return "learned_values from " + to_string(x.first) + " (" + std::to_string(x.values.size())
               + ") decided " + to_string(x.decided_upto);
      },
      [](const snapshot_chunk& x) {
        return "snapshot_chunk upto " + to_string(x.upto) + " at " + std::to_string(x.offset) + "/"
               + std::to_string(x.total);
      },
      [](const learn_snapshot& x) {
        return "learn_snapshot upto " + to_string(x.upto) + " at " + std::to_string(x.offset);
      },
      [](const proposed& x) {
        return "proposed " + to_string(x.at) + " slot " + to_string(x.where);
      },
      [](const already_decided& x) {
        return "already_decided " + std::to_string(x.values.size()) + " slots"
               + (x.values.empty() ? "" : " to slot " + to_string(x.values.rbegin()->first));
      },
      [](const accepted_here& x) {
        return "accepted_here " + to_string(x.at) + " slot " + to_string(x.where);
      },
      [](const observed& x) {
        return "observed " + to_string(x.at) + " decided " + to_string(x.decided_upto);
      },
      [](const advanced& x) { return "advanced " + to_string(x.upto); },
      [](const truncate& x) { return "truncate " + to_string(x.upto); },
    },
    what);
}

std::string describe(const cluster::node_message& what) {
  return std::visit(
    cases{
      [](const cluster::submit& x) {
        std::string out = "submit";
        for (const auto& bytes : x.commands) {
          registry::command c;
          out += " [" + (decode(bytes, c) ? sim::describe(c) : std::string{"malformed"}) + "]";
        }
        return out;
      },
      [](const cluster::renew& x) {
        return "renew s" + to_string(x.session) + " n " + std::to_string(x.n) + " watermark "
               + to_string(x.watermark);
      },
      [](const cluster::read& x) { return "read " + std::to_string(x.id); },
      [](const cluster::certify& x) { return sim::describe(registry::command{x.proof}); },
      [](const cluster::change_voters& x) {
        return "change_voters " + std::to_string(static_cast<int>(x.kind)) + " " + x.name;
      },
      [](const cluster::voter_report& x) {
        return "report of " + x.name + " decided " + to_string(x.decided_upto) + " stored "
               + to_string(x.stored_upto);
      },
    },
    what);
}

std::string describe(const cluster::voter_message& what) {
  return std::visit(
    cases{
      [](const cluster::answers& x) {
        std::string out = "answers s" + to_string(x.session);
        for (const auto& a : x.items)
          out += " #" + to_string(a.number) + ":" + std::to_string(static_cast<int>(a.code))
                 + (a.grant.valid() ? " token " + to_string(a.grant) : "")
                 + (a.opened.valid() ? " opened " + to_string(a.opened) : "")
                 + (a.detail.empty() ? "" : " " + a.detail);
        return out;
      },
      [](const registry::effects_for& x) {
        std::string out = "effects s" + to_string(x.session) + " at " + to_string(x.at)
                          + " previous " + to_string(x.previous) + (x.complete ? " complete" : "");
        if (x.parts > 1)
          out += " part " + std::to_string(x.part) + "/" + std::to_string(x.parts) + " as of "
                 + to_string(x.as_of);
        for (const auto& e : x.effects)
          out += " [" + describe(e) + "]";
        return out;
      },
      [](const cluster::renewed& x) {
        return "renewed s" + to_string(x.session) + " n " + std::to_string(x.n) + " by "
               + to_string(x.by);
      },
      [](const cluster::session_over& x) { return "session_over s" + to_string(x.session); },
      [](const cluster::read_answer& x) {
        return "read_answer " + std::to_string(x.id) + " " + x.json;
      },
      [](const cluster::not_leading& x) {
        return "not_leading, try " + to_string(x.leader) + " at " + to_string(x.at);
      },
      [](const cluster::overloaded&) { return std::string{"overloaded"}; },
      [](const cluster::certified& x) {
        return "certified: closed " + std::to_string(x.closed)
               + (x.problem.empty() ? std::string{} : ", " + x.problem);
      },
    },
    what);
}

} // namespace

std::string describe(const registry::command& what) {
  using namespace registry;
  return std::visit(
    cases{
      [](const open_session& x) {
        return "open_session " + x.name + " nth " + std::to_string(x.nth);
      },
      [](const close_session& x) { return "close_session " + to_string(x.session); },
      [](const certify_end& x) {
        return "certify_end of node " + to_string(x.node) + ": " + x.detail;
      },
      [](const expire_session& x) {
        return "expire_session " + to_string(x.session) + " at " + to_string(x.at);
      },
      [](const acquire& x) {
        return "acquire " + describe(x.from) + " a" + to_string(x.actor) + " " + joined(x.keys)
               + (x.mode == acquire_mode::try_once ? " try" : "")
               + (x.kind == ownership::strict ? " strict" : "");
      },
      [](const withdraw& x) { return "withdraw " + describe(x.from) + " of#" + to_string(x.of); },
      [](const owner_exited& x) {
        return "owner_exited " + describe(x.from) + " s" + to_string(x.owner_session) + "/a"
               + to_string(x.actor);
      },
      [](const resolve& x) { return "resolve " + describe(x.from) + " " + x.name.text(); },
      [](const forget& x) { return "forget " + describe(x.from) + " " + x.name.text(); },
      [](const started& x) {
        return "started " + describe(x.from) + " " + x.name.text() + " token " + to_string(x.grant);
      },
      [](const start_failed& x) {
        return "start_failed " + describe(x.from) + " " + x.name.text() + " token "
               + to_string(x.grant);
      },
      [](const singleton_exited& x) {
        return "singleton_exited " + describe(x.from) + " " + x.name.text() + " token "
               + to_string(x.grant);
      },
      [](const put& x) {
        return "put " + describe(x.from) + " " + x.bucket + "/" + x.key.text() + " = " + x.value;
      },
      [](const registry::drain& x) {
        return "drain " + describe(x.from) + " " + x.node + (x.on ? "" : " no more");
      },
    },
    what);
}

std::string describe(const cluster::frame& what) {
  return std::visit(cases{
                      [](const cluster::hello_frame&) { return std::string{"hello"}; },
                      [](const cluster::refuse_frame&) { return std::string{"refuse"}; },
                      [](const cluster::formation_frame&) { return std::string{"formation"}; },
                      [](const cluster::paxos_frame& x) { return describe(x.what); },
                      [](const cluster::node_frame& x) {
                        return describe(x.what)
                               + (x.relayed_by.valid() ? " relayed by " + to_string(x.relayed_by)
                                                       : "");
                      },
                      [](const cluster::voter_frame& x) { return describe(x.what); },
                    },
                    what);
}

std::string describe(const registry::query& what) {
  return std::visit(
    cases{
      [](const registry::query_get& x) { return "get " + x.bucket + "/" + x.key.text(); },
      [](const registry::query_list& x) { return "list " + x.bucket; },
      [](const registry::query_why& x) { return "why " + x.key.text(); },
      [](const registry::query_members&) { return std::string{"members"}; },
      [](const registry::query_name& x) { return "name " + x.name.text(); },
      [](const registry::query_counts&) { return std::string{"counts"}; },
    },
    what);
}

std::string describe(cluster::failure code) {
  using cluster::failure;
  switch (code) {
    case failure::deadlock:
      return "deadlock";
    case failure::timed_out:
      return "timed_out";
    case failure::busy:
      return "busy";
    case failure::no_host:
      return "no_host";
    case failure::type_mismatch:
      return "type_mismatch";
    case failure::start_failed:
      return "start_failed";
    case failure::name_taken:
      return "name_taken";
    case failure::session_lost:
      return "session_lost";
    case failure::outcome_unknown:
      return "outcome_unknown";
    case failure::not_joined:
      return "not_joined";
    case failure::overloaded:
      return "overloaded";
    case failure::owner_gone:
      return "owner_gone";
    case failure::invalid:
      return "invalid";
  }
  return "?";
}

} // namespace paxtor::sim
