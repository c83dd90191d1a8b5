#include "test/fuzz/making.hpp"

#include <utility>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/base/digest.hpp"
#include "libpaxtor/paxos/batches.hpp"

namespace paxtor::fuzz {

namespace {

using namespace paxos;

slot make_slot(reader& in) {
  return slot{in.number()};
}

entry make_entry(reader& in) {
  switch (in.below(6)) {
    case 0:
      return {entry_kind::noop, {}};
    case 1:
      return {entry_kind::reign, encode(make_ballot(in))};
    case 2:
      return {entry_kind::configure, encode(make_voters(in))};
    case 3:
      // A kind that nobody knows, or one whose data do not fit it.
      return {static_cast<entry_kind>(in.byte()), in.text()};
    default:
      return {entry_kind::command, encode(make_command(in))};
  }
}

std::vector<batch> make_values(reader& in) {
  std::vector<batch> result(in.below(4));
  for (auto& value : result)
    value = make_value(in);
  return result;
}

promise make_promise(reader& in) {
  promise what;
  what.at = make_ballot(in);
  what.part = static_cast<std::uint32_t>(in.number());
  what.parts = static_cast<std::uint32_t>(in.number());
  for (auto left = in.below(4); left > 0; --left) {
    const auto where = make_slot(in);
    const auto at = make_ballot(in);
    what.accepted[where] = accepted_value{at, make_value(in)};
  }
  what.truncated_upto = make_slot(in);
  what.from = make_slot(in);
  return what;
}

snapshot_chunk make_chunk(reader& in) {
  snapshot_chunk what;
  what.upto = make_slot(in);
  what.last = paxtor::index{in.number()};
  what.voters = make_voters(in);
  what.offset = in.number();
  what.bytes = blob{in.text()};
  // Often the whole image in one part.
  what.total = in.chance() ? what.bytes.size() : in.number();
  what.voters_since = make_slot(in);
  return what;
}

} // namespace

voter_id make_voter(reader& in) {
  return voter_id{in.below(6)};
}

ballot make_ballot(reader& in) {
  const auto round = in.number();
  return {round, make_voter(in)};
}

configuration make_voters(reader& in) {
  configuration result;
  for (auto left = in.below(6); left > 0; --left) {
    const auto id = make_voter(in);
    result.members.push_back({id, "v" + std::to_string(id.value), {}});
  }
  return result;
}

batch make_value(reader& in) {
  if (in.below(8) == 0)
    return blob{in.text()};
  std::vector<entry> entries(in.below(4));
  for (auto& what : entries)
    what = make_entry(in);
  return make_batch(entries);
}

// Every field is read in a statement of its own: the order of evaluation is part of the input.
message make_message(reader& in) {
  const auto kind = in.below(std::variant_size_v<message>);
  if (kind == 3)
    return make_promise(in);
  if (kind == 11)
    return make_chunk(in);
  if (kind == 10) {
    learned_values what{make_slot(in), {}, {}};
    what.values = make_values(in);
    what.decided_upto = make_slot(in);
    return what;
  }
  if (kind == 17)
    return truncate{make_slot(in)};
  if (kind == 18) {
    already_decided what;
    what.values[make_slot(in)] = make_value(in);
    return what;
  }
  const auto at = make_ballot(in);
  switch (kind) {
    case 0:
      return prevote_request{at, make_slot(in)};
    case 1: {
      prevote_reply what{at, in.chance(), {}};
      what.highest_seen = make_ballot(in);
      return what;
    }
    case 2:
      return prepare{at, make_slot(in)};
    case 4:
      return rejected{at, make_ballot(in)};
    case 6:
      return accepted{at, make_slot(in)};
    case 8:
      return heartbeat_reply{at, in.number()};
    case 15:
      return observed{at, make_slot(in)};
    default:
      break;
  }
  const auto where = make_slot(in);
  switch (kind) {
    case 5: {
      accept what{at, where, make_value(in), {}};
      what.decided_upto = make_slot(in);
      return what;
    }
    case 7:
      return heartbeat{at, in.number(), where};
    case 9:
      return learn{where};
    case 12:
      return learn_snapshot{where, in.number()};
    case 13:
      return proposed{at, where, make_value(in)};
    case 14:
      return accepted_here{at, where, make_value(in)};
    default: {
      advanced what{where, make_voters(in), {}};
      what.told_upto = make_slot(in);
      return what;
    }
  }
}

namespace {

role usual_role(const message& what) {
  if (std::holds_alternative<prepare>(what) || std::holds_alternative<accept>(what)
      || std::holds_alternative<heartbeat>(what))
    return role::acceptor;
  return what.index() == 6 || (what.index() >= 9 && what.index() <= 12) ? role::learner
                                                                        : role::proposer;
}

/// Who leads the ballot that a leader's message names; else `other`.
voter_id usual_sender(const message& what, voter_id other) {
  if (const auto* x = std::get_if<prepare>(&what))
    return x->at.voter;
  if (const auto* y = std::get_if<accept>(&what))
    return y->at.voter;
  if (const auto* z = std::get_if<heartbeat>(&what))
    return z->at.voter;
  return other;
}

} // namespace

envelope make_envelope(voter_id to, reader& in) {
  envelope result;
  const auto odd = in.below(8);
  result.from = make_voter(in);
  result.to = to;
  result.what = make_message(in);
  result.to_role = odd == 1 ? static_cast<role>(in.below(3)) : usual_role(result.what);
  if (odd != 2)
    result.from = usual_sender(result.what, result.from);
  return result;
}

// -- the registry's commands ----------------------------------------------------------------------

namespace {

using namespace registry;

term make_term(reader& in) {
  static constexpr std::array<const char*, 6> texts{"\"a\"", "\"b\"", "\"c\"",
                                                    "7",     "null",  "[\"x\",1]"};
  const auto which = in.below(texts.size() + 1);
  // The last one need not be a term at all: the bytes of a log entry are not trusted.
  return term::from_canonical(which < texts.size() ? std::string{texts[which]} : in.text());
}

session_id make_session(reader& in) {
  return session_id{in.number()};
}

origin make_origin(reader& in) {
  origin result;
  result.session = make_session(in);
  result.number = seq{in.number()};
  result.done_below = seq{in.number()};
  return result;
}

local_actor_id make_actor(reader& in) {
  return local_actor_id{in.number()};
}

token make_token(reader& in) {
  return token{in.number()};
}

std::map<std::string, std::string> make_labels(reader& in) {
  std::map<std::string, std::string> result;
  for (auto left = in.below(3); left > 0; --left) {
    const auto name = in.text(2);
    result[name] = in.text(2);
  }
  return result;
}

std::string make_secret(reader& in) {
  const std::size_t size = in.below(5) == 0 ? in.byte() : 16;
  return std::string(size, static_cast<char>('a' + in.below(3)));
}

open_session make_open(reader& in) {
  static constexpr std::array<const char*, 4> names{"n1", "n2", "n3", ""};
  open_session what;
  what.node = node_id{in.number()};
  what.nth = in.number();
  what.name = names[in.below(names.size())];
  what.endpoint = in.text(4);
  for (auto left = in.below(3); left > 0; --left)
    what.types.emplace_back(1, static_cast<char>('s' + in.below(3)));
  what.labels = make_labels(in);
  what.capacity = in.number();
  what.seal = in.chance() ? sha256(make_secret(in)) : in.text(33);
  return what;
}

acquire make_acquire(reader& in) {
  acquire what;
  what.from = make_origin(in);
  what.actor = make_actor(in);
  for (auto left = in.below(4); left > 0; --left)
    what.keys.push_back(make_term(in));
  if (in.chance()) {
    std::sort(what.keys.begin(), what.keys.end());
    what.keys.erase(std::unique(what.keys.begin(), what.keys.end()), what.keys.end());
  }
  what.mode = static_cast<acquire_mode>(in.below(3));
  what.kind = static_cast<ownership>(in.below(3));
  return what;
}

resolve make_resolve(reader& in) {
  resolve what;
  what.from = make_origin(in);
  what.name = make_term(in);
  what.spec.type = std::string(1, static_cast<char>('s' + in.below(4)));
  what.spec.args = blob{in.text(4)};
  what.spec.labels = make_labels(in);
  what.spec.where = static_cast<placement>(in.below(3));
  what.spec.restart = static_cast<restart_policy>(in.below(4));
  return what;
}

put make_put(reader& in) {
  static constexpr std::array<const char*, 3> values{"1", "\"v\"", "{\"k\":[]}"};
  put what;
  what.from = make_origin(in);
  what.bucket = std::string(1, static_cast<char>('k' + in.below(2)));
  what.key = make_term(in);
  const auto which = in.below(values.size() + 1);
  what.value = which < values.size() ? std::string{values[which]} : in.text();
  if (in.chance())
    what.owner = in.number();
  return what;
}

/// Those that say something of a name.
command make_name_command(std::size_t kind, reader& in) {
  const auto from = make_origin(in);
  auto name = make_term(in);
  if (kind == 7)
    return forget{from, std::move(name)};
  const auto grant = make_token(in);
  if (kind == 8)
    return started{from, std::move(name), grant, make_actor(in)};
  if (kind == 9)
    return start_failed{from, std::move(name), grant, in.text(8)};
  singleton_exited what{from, std::move(name), grant, in.chance(), {}};
  what.reason = in.text(8);
  return what;
}

} // namespace

command make_command(reader& in) {
  const auto kind = in.below(std::variant_size_v<command>);
  switch (kind) {
    case 0:
      return make_open(in);
    case 1: {
      close_session what;
      what.session = make_session(in);
      what.proof = static_cast<end_reason>(in.below(8));
      what.detail = in.text(4);
      return what;
    }
    case 2: {
      expire_session what{make_session(in), {}};
      what.at = make_ballot(in);
      return what;
    }
    case 3:
      return make_acquire(in);
    case 4: {
      withdraw what;
      what.from = make_origin(in);
      what.actor = make_actor(in);
      what.of = seq{in.number()};
      return what;
    }
    case 5: {
      owner_exited what;
      what.from = make_origin(in);
      what.owner_session = make_session(in);
      what.actor = make_actor(in);
      what.reason = in.text(8);
      return what;
    }
    case 6:
      return make_resolve(in);
    case 11:
      return make_put(in);
    case 12: {
      certify_end what;
      what.node = node_id{in.number()};
      what.session = make_session(in);
      what.proof = static_cast<end_reason>(in.below(8));
      what.secret = make_secret(in);
      what.detail = in.text(4);
      return what;
    }
    case 13: {
      drain what;
      what.from = make_origin(in);
      what.node = std::string{"n"} + static_cast<char>('1' + in.below(4));
      what.on = in.chance();
      return what;
    }
    default:
      return make_name_command(kind, in);
  }
}

query make_query(reader& in) {
  switch (in.below(std::variant_size_v<query>)) {
    case 0: {
      query_get what;
      what.bucket = std::string(1, static_cast<char>('k' + in.below(2)));
      what.key = make_term(in);
      return what;
    }
    case 1: {
      query_list what;
      what.bucket = std::string(1, static_cast<char>('k' + in.below(2)));
      what.after = in.text(4);
      what.limit = in.number();
      return what;
    }
    case 2:
      return query_why{make_term(in)};
    case 3:
      return query_members{in.number()};
    case 4:
      return query_name{make_term(in)};
    default:
      return query_counts{in.number()};
  }
}

cluster::node_message make_node_message(reader& in) {
  using namespace cluster;
  switch (in.below(std::variant_size_v<node_message>)) {
    case 0: {
      submit what;
      for (auto left = 1 + in.below(3); left > 0; --left)
        what.commands.push_back(in.below(8) == 0 ? in.text() : encode(make_command(in)));
      return what;
    }
    case 1: {
      renew what;
      what.session = make_session(in);
      what.n = in.number();
      what.watermark = index{in.number()};
      return what;
    }
    case 2: {
      read what{in.number(), {}};
      what.what = make_query(in);
      return what;
    }
    case 3: {
      certify what;
      what.proof.node = node_id{in.number()};
      what.proof.session = make_session(in);
      what.proof.proof = static_cast<end_reason>(in.below(8));
      what.proof.secret = make_secret(in);
      return what;
    }
    case 4: {
      change_voters what;
      what.id = in.number();
      what.kind = static_cast<voter_change>(in.below(5));
      what.name = std::string{"v"} + static_cast<char>('0' + in.below(6));
      what.address = in.chance() ? "127.0.0.1:4801" : in.text(8);
      if (in.chance())
        what.with = std::string{"v"} + static_cast<char>('0' + in.below(6));
      return what;
    }
    default: {
      voter_report what;
      what.voter = make_voter(in);
      what.name = std::string{"v"} + static_cast<char>('0' + in.below(6));
      what.address = in.chance() ? "127.0.0.1:4802" : in.text(8);
      what.decided_upto = slot{in.number()};
      what.stored_upto = slot{in.number()};
      return what;
    }
  }
}

} // namespace paxtor::fuzz
