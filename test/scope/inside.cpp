#include "test/scope/inside.hpp"

#include <type_traits>

#include "libpaxtor/base/codec.hpp"

namespace paxtor::scope {

namespace {

using namespace paxos;

#if defined(__GNUC__) && !defined(__clang__)
// It is meant: each tag has a function of its own.
#pragma GCC diagnostic ignored "-Wnon-template-friend"
#endif

/// `reach(Tag{})` is the pointer to the member that `expose<Member, Tag>` was instantiated with.
template <class Tag>
struct door {
  friend constexpr auto reach(Tag);
};

template <auto Member, class Tag>
struct expose {
  friend constexpr auto reach(Tag) { return Member; }
};

} // namespace

// One line per member: a tag, and what it opens.
#define PAXTOR_SCOPE_MEMBER(type, member)                                                          \
  namespace {                                                                                      \
  struct type##_##member : door<type##_##member> {};                                               \
  template struct expose<&type::member, type##_##member>;                                          \
  }

PAXTOR_SCOPE_MEMBER(acceptor, promised_)
PAXTOR_SCOPE_MEMBER(acceptor, accepted_)
PAXTOR_SCOPE_MEMBER(acceptor, truncated_upto_)
PAXTOR_SCOPE_MEMBER(acceptor, last_write_)
PAXTOR_SCOPE_MEMBER(acceptor, durable_)
PAXTOR_SCOPE_MEMBER(acceptor, promise_write_)
PAXTOR_SCOPE_MEMBER(acceptor, held_)
PAXTOR_SCOPE_MEMBER(acceptor, told_)

PAXTOR_SCOPE_MEMBER(proposer, decided_upto_)
PAXTOR_SCOPE_MEMBER(proposer, highest_seen_)
PAXTOR_SCOPE_MEMBER(proposer, phase_)
PAXTOR_SCOPE_MEMBER(proposer, ballot_)
PAXTOR_SCOPE_MEMBER(proposer, phase_one_)
PAXTOR_SCOPE_MEMBER(proposer, pipeline_)
PAXTOR_SCOPE_MEMBER(proposer, rounds_)
PAXTOR_SCOPE_MEMBER(proposer, announced_upto_)
PAXTOR_SCOPE_MEMBER(proposer, state_)

PAXTOR_SCOPE_MEMBER(phase_one, answers_)
PAXTOR_SCOPE_MEMBER(phase_one, values_)
PAXTOR_SCOPE_MEMBER(phase_one, truncated_upto_)
PAXTOR_SCOPE_MEMBER(pipeline, first_)
PAXTOR_SCOPE_MEMBER(pipeline, next_)
PAXTOR_SCOPE_MEMBER(pipeline, reign_slot_)
PAXTOR_SCOPE_MEMBER(pipeline, recovered_)
PAXTOR_SCOPE_MEMBER(pipeline, in_flight_)
PAXTOR_SCOPE_MEMBER(pipeline, queue_)
PAXTOR_SCOPE_MEMBER(batch_queue, open_)
PAXTOR_SCOPE_MEMBER(rounds, started_)
PAXTOR_SCOPE_MEMBER(rounds, confirmed_)
PAXTOR_SCOPE_MEMBER(rounds, replied_)
PAXTOR_SCOPE_MEMBER(rounds, open_)

PAXTOR_SCOPE_MEMBER(learner, decided_upto_)
PAXTOR_SCOPE_MEMBER(learner, last_index_)
PAXTOR_SCOPE_MEMBER(learner, window_)
PAXTOR_SCOPE_MEMBER(learner, log_)
PAXTOR_SCOPE_MEMBER(learner, log_first_)
PAXTOR_SCOPE_MEMBER(learner, heard_)
PAXTOR_SCOPE_MEMBER(learner, behind_upto_)
PAXTOR_SCOPE_MEMBER(learner, told_upto_)

namespace {

template <class T>
void put(std::string& out, const T& value) {
  out += encode(value);
}

/// How many more writes must be durable; 0: none.
std::uint64_t still_to_write(write_id after, write_id durable) {
  return after > durable ? after.value - durable.value : 0;
}

void describe(const phase_one& part, std::string& out) {
  put(out, part.*reach(phase_one_truncated_upto_{}));
  for (const auto& [from, answer] : part.*reach(phase_one_answers_{})) {
    put(out, from);
    put(out, answer.parts);
    put(out, answer.whole);
    put(out, answer.bit);
    put(out, answer.got);
  }
  for (const auto& [where, found] : part.*reach(phase_one_values_{})) {
    put(out, where);
    put(out, found.at);
    put(out, found.value);
    put(out, found.held_by);
  }
}

void describe(const pipeline& part, std::string& out) {
  put(out, part.*reach(pipeline_first_{}));
  put(out, part.*reach(pipeline_next_{}));
  put(out, part.*reach(pipeline_reign_slot_{}));
  for (const auto& [where, found] : part.*reach(pipeline_recovered_{})) {
    put(out, where);
    put(out, found.value);
    put(out, found.decided);
  }
  out += '|';
  for (const auto& flying : part.*reach(pipeline_in_flight_{})) {
    put(out, flying.where);
    put(out, flying.value);
    put(out, flying.decided);
  }
  out += '|';
  for (const auto& waiting : part.*reach(pipeline_queue_{}).*reach(batch_queue_open_{}))
    put(out, waiting.bytes);
}

void describe(const rounds& part, std::string& out) {
  put(out, part.*reach(rounds_started_{}));
  put(out, part.*reach(rounds_confirmed_{}));
  put(out, part.*reach(rounds_replied_{}));
  for (const auto& waiting : part.*reach(rounds_open_{})) {
    put(out, waiting.id);
    put(out, waiting.round);
    put(out, waiting.upto);
  }
}

} // namespace

void describe(const acceptor& role, std::string& out) {
  const auto durable = role.*reach(acceptor_durable_{});
  put(out, role.*reach(acceptor_promised_{}));
  put(out, role.*reach(acceptor_accepted_{}));
  put(out, role.*reach(acceptor_truncated_upto_{}));
  put(out, role.*reach(acceptor_told_{}));
  put(out, still_to_write(role.*reach(acceptor_last_write_{}), durable));
  put(out, still_to_write(role.*reach(acceptor_promise_write_{}), durable));
  for (const auto& held : role.*reach(acceptor_held_{})) {
    put(out, still_to_write(held.after, durable));
    put(out, held.what.to);
    put(out, held.what.what);
  }
}

void describe(const proposer& role, std::string& out) {
  put(out, role.*reach(proposer_decided_upto_{}));
  put(out, role.*reach(proposer_highest_seen_{}));
  put(out, static_cast<int>(role.*reach(proposer_phase_{})));
  put(out, role.*reach(proposer_ballot_{}));
  put(out, role.*reach(proposer_announced_upto_{}));
  const auto& state = role.*reach(proposer_state_{});
  put(out, state.leading);
  put(out, state.at);
  put(out, state.leader);
  if (const auto& part = role.*reach(proposer_phase_one_{}))
    describe(*part, out);
  if (const auto& part = role.*reach(proposer_pipeline_{})) {
    describe(*part, out);
    describe(role.*reach(proposer_rounds_{}), out);
  }
}

void describe(const learner& role, std::string& out) {
  put(out, role.*reach(learner_decided_upto_{}));
  put(out, role.*reach(learner_last_index_{}));
  put(out, role.*reach(learner_log_first_{}));
  put(out, role.*reach(learner_heard_{}));
  put(out, role.*reach(learner_behind_upto_{}));
  put(out, role.*reach(learner_told_upto_{}));
  for (const auto& value : role.*reach(learner_log_{}))
    put(out, value);
  out += '|';
  for (const auto& open : role.*reach(learner_window_{})) {
    put(out, open.value_at);
    put(out, open.value);
    put(out, open.votes_at);
    put(out, open.votes);
    put(out, open.decided);
    put(out, open.told);
  }
}

ballot highest_seen(const proposer& role) {
  return role.*reach(proposer_highest_seen_{});
}

bool may_campaign(const proposer& role) {
  // `following` and `asking` come first.
  return static_cast<int>(role.*reach(proposer_phase_{})) < 2;
}

} // namespace paxtor::scope
