#pragma once

/// \file
/// Private to the agent: its state. The functions are grouped by file: agent.cpp (the door,
/// timers), agent_session.cpp (lease, fence, the way from one session to the next),
/// agent_requests.cpp (locks, puts, questions), agent_names.cpp (singletons and their names).

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "libpaxtor/cluster/agent.hpp"
#include "libpaxtor/cluster/command_queue.hpp"
#include "libpaxtor/cluster/leader_finder.hpp"

namespace paxtor::cluster {

/// An acquire without an outcome.
struct acquire_request {
  local_actor_id actor;
  std::vector<term> keys;
  acquire_options options;
  /// Set once the registry has queued it, under this number.
  seq queued_as;
  /// The deadline has passed, or it was cancelled: it ends as withdrawn unless the grant came
  /// first.
  bool withdrawing = false;
  bool withdraw_sent = false;
  time_point give_up{};
  std::string why;
};

struct resolve_request {
  term name;
  registry::singleton_spec spec;
};

struct put_request {
  registry::put what;
  std::optional<time_point> deadline;
};

/// A question, a proof of another's end (F4), or a wish for other voters (L6): sent again until it
/// is answered.
struct ask_request {
  std::variant<registry::query, registry::certify_end, change_voters> what;
  std::optional<time_point> deadline;
  bool to_send = true;
  time_point sent_at{};
};

struct drain_request {
  std::string node;
  bool on = true;
  std::optional<time_point> deadline;
};

using request =
  std::variant<acquire_request, resolve_request, put_request, ask_request, drain_request>;

/// An actor of this node in the current session.
struct owner_state {
  /// A command that names it may have reached the registry: its end must be told.
  bool known_there = false;
  /// It asked for a strict lock in this session.
  bool asked_strict = false;
  std::map<token, registry::ownership> held;
  std::set<request_id> requests;
};

/// A name that handles of this node use.
struct name_state {
  registry::singleton_spec spec;
  std::optional<registry::location> where;
  /// The last life that is known to have ended: answers about it that come later are old.
  token gone;
  /// This session resolved it, so it gets news.
  bool watched = false;
  /// A resolve of it is on its way, or was answered `starting`: there will be news.
  bool asked = false;
  /// Somebody waits for a name_moved.
  bool suspect = false;
  unsigned suspicions = 0;
  time_point suspected_at{};
  /// The requests that the news will answer.
  std::set<request_id> waiting;
};

/// A singleton that this node was told to start.
struct hosted_state {
  enum class phase : std::uint8_t { starting, running, ended };

  phase now = phase::starting;
  local_actor_id actor;
  /// It was told to be handed over.
  bool moves = false;
};

/// R4: a sync that comes in parts, as far as it has come.
struct sync_progress {
  index as_of;
  index previous;
  std::uint64_t next = 0;
  std::set<term> names;
  /// The start orders in it. The watermark, which tells old orders from new ones, rises only at the
  /// end, and what was started may have ended by then.
  std::set<std::pair<term, token>> starts;
};

struct agent::impl {
  enum class phase : std::uint8_t {
    opening, ///< no session; open_session goes out again and again
    open,    ///< a session; usable once a renewal is answered
    leaving, ///< a session, and everything that it owns is being stopped
    fenced,  ///< the session is lost, and its owners are being stopped
    closing, ///< nothing of the session is left: waiting until the log says that it is over
    left,
  };

  impl(node_info info_, lease_options options_, std::vector<voter_id> voters, generator random,
       time_point now);

  // -- agent.cpp ---------------------------------------------------------------------------------
  /// Every input comes through here first: a fence that is due is carried out before anything else.
  void advance(time_point to);
  void timers();
  /// Sends what shows who leads to the voter that is now to be tried.
  void probe();
  void flush();
  void flush_commands();
  void tell(notice what) { out.notices.push_back(std::move(what)); }
  void send(node_message what);
  [[nodiscard]] time_point next_wake() const;

  // One per message of a voter.
  void handle(voter_id from, const answers& what);
  void handle(voter_id from, const registry::effects_for& what);
  void handle(voter_id from, const renewed& what);
  void handle(voter_id from, const session_over& what);
  void handle(voter_id from, const read_answer& what);
  void handle(voter_id from, const not_leading& what);
  void handle(voter_id from, const overloaded& what);
  void handle(voter_id from, const certified& what);

  /// Takes note of a message that only leaders send.
  void heard_leader(voter_id from, ballot by);

  // -- agent_session.cpp -------------------------------------------------------------------------
  [[nodiscard]] bool usable(time_point at) const;
  [[nodiscard]] time_point fence_at() const { return *lease_end - options.margin(); }
  /// Sends what this phase needs answered: open_session, a renewal, close_session.
  void drive();
  void send_renewal();
  void opened(const registry::answer& what);
  /// Takes note of how near the lease came to its end.
  void note_left();
  void lease_answered(const renewed& what);
  void lose_session(const std::string& reason, bool over);
  /// Orders the end of everything this session owns. Strict owners are spared unless `strict_too`.
  void order_end(const std::string& reason, bool strict_too);
  void take_effects(const registry::effects_for& what);
  /// True if this is the part of a sync that is to be taken next.
  bool take_part(const registry::effects_for& what);
  /// R4: asks for a sync soon, by a renewal that carries the watermark.
  void ask_for_sync();
  void carry_over();
  /// Goes on to the next phase if everything that had to end has ended.
  void progress();
  void next_session();
  void start_leaving();
  void finish_leaving();
  [[nodiscard]] bool strict_owners_alive() const;
  [[nodiscard]] bool nothing_to_end() const { return ending.empty() && hosted_alive == 0; }
  /// Until what this phase sends is sent again; longer each time.
  [[nodiscard]] duration retry_after();
  /// F5: after this much silence the leader has expired the session.
  [[nodiscard]] duration quiet() const;

  // -- agent_requests.cpp ------------------------------------------------------------------------
  request_id admit(request what);
  void queue_request(request_id id, const request& what);
  void complete(request_id id, completion what);
  void fail(request_id id, failure code, std::string detail);
  void fail_all(failure code, const std::string& detail);
  void grant(request_id id, token with);
  void owner_ended(local_actor_id actor, std::string reason);
  void deadline_passed(request_id id, std::string why);
  void withdraw_if_queued(request_id id, acquire_request& what);
  void answered(const registry::answer& what);
  void run_deadlines();

  // One per command that is answered.
  void answer_to(request_id id, const registry::open_session& was, const registry::answer& what);
  void answer_to(request_id id, const registry::close_session& was, const registry::answer& what);
  void answer_to(request_id id, const registry::expire_session& was, const registry::answer& what);
  void answer_to(request_id id, const registry::acquire& was, const registry::answer& what);
  void answer_to(request_id id, const registry::withdraw& was, const registry::answer& what);
  void answer_to(request_id id, const registry::owner_exited& was, const registry::answer& what);
  void answer_to(request_id id, const registry::resolve& was, const registry::answer& what);
  void answer_to(request_id id, const registry::forget& was, const registry::answer& what);
  void answer_to(request_id id, const registry::started& was, const registry::answer& what);
  void answer_to(request_id id, const registry::start_failed& was, const registry::answer& what);
  void answer_to(request_id id, const registry::singleton_exited& was,
                 const registry::answer& what);
  void answer_to(request_id id, const registry::put& was, const registry::answer& what);
  void answer_to(request_id id, const registry::certify_end& was, const registry::answer& what);
  void answer_to(request_id id, const registry::drain& was, const registry::answer& what);

  // One per effect.
  void handle(const registry::lock_granted& what);
  void handle(const registry::start_singleton& what);
  void handle(const registry::name_located& what);
  void handle(const registry::name_gone& what);
  void handle(const registry::hand_over& what);

  // -- agent_names.cpp ---------------------------------------------------------------------------
  void resolve(request_id id, const resolve_request& what);
  /// Answers whoever waits for it and can be answered by `where`.
  void serve(name_state& state);
  void ask_again(const term& name, name_state& state);
  void name_is(const registry::location& where);
  /// `ended`: the life that is known to have ended, if it is known; news of it comes too late.
  void name_is_not(const term& name, std::optional<token> ended, bool failed,
                   const std::string& reason);
  void refused(const registry::resolve& was, failure code, const std::string& detail);
  void run_suspicions();
  void suspected(const term& name);
  [[nodiscard]] duration suspicion_delay(name_state& state);
  void unsuspect(const term& name, name_state& state);
  /// `listed`: the names in a sync up to entry `upto`.
  void names_after_sync(const std::set<term>& listed, index upto);
  /// A new session hears no news of the names that older ones resolved.
  void forget_locations();
  void forget_name(const term& name);
  void singleton_started(const term& name, token grant, local_actor_id actor);
  void singleton_ended(const term& name, token grant, registry::command report);

  node_info info;
  lease_options options;
  duration least_left;
  leader_finder finder;
  time_point now;
  phase at = phase::opening;

  // The session.
  session_id session;
  session_id newest; ///< of all that were opened
  std::uint64_t nth = 1;
  index watermark;
  sync_progress syncing;
  std::optional<time_point> lease_end;
  bool up = false;   ///< session_up was told, session_down not yet
  bool over = false; ///< the log says that `session` is not open any more
  std::uint64_t last_renewal = 0;
  std::map<std::uint64_t, time_point> renewals; ///< S4: when each was sent
  std::optional<time_point> renewed_at;         ///< when the last one was sent
  time_point drive_at;
  unsigned drive_tries = 0;
  bool open_sent = false;
  std::optional<time_point> leave_by;

  // What it owns.
  command_queue commands;
  std::map<local_actor_id, owner_state> owners;
  std::set<local_actor_id> bounded; ///< owners that hold something bounded
  std::set<local_actor_id> ending;  ///< owners that were ordered to end and have not
  /// F5: owners that may hold strictly in a session that is lost, and have not ended.
  std::set<owner_id> old_strict;
  std::map<std::pair<term, token>, hosted_state> hosted;
  std::size_t hosted_alive = 0; ///< those among them that have not ended

  // What is asked of it.
  request_id last_request;
  std::map<request_id, request> requests;
  std::set<std::pair<time_point, request_id>> deadlines;
  std::map<seq, request_id> queued; ///< acquires that wait in the registry
  std::set<request_id> questions;
  std::map<term, name_state> names;
  std::map<term, time_point> suspects;  ///< when to look again
  std::optional<time_point> hold_until; ///< the leader is full

  agent_output out;
  std::uint64_t dropped = 0;
};

} // namespace paxtor::cluster
