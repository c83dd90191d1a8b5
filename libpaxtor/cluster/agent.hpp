#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/cluster/command_queue.hpp"
#include "libpaxtor/cluster/lease_options.hpp"
#include "libpaxtor/cluster/messages.hpp"

namespace paxtor::cluster {

/// What a node is, as it tells the cluster.
struct node_info {
  node_id id;
  std::string name;
  std::string endpoint;
  std::vector<std::string> types;
  std::map<std::string, std::string> labels;
  std::uint64_t capacity = 0;
  /// F4: the SHA-256 of the secret that this process's guardian was given; empty: it has none.
  std::string seal;
};

enum class failure : std::uint8_t {
  deadlock,      ///< waiting would never end; `detail` is the cycle
  timed_out,     ///< the deadline passed, or it was cancelled: nothing is held, nothing was done
  busy,          ///< try: somebody else holds it
  no_host,       ///< no node hosts this actor type
  type_mismatch, ///< the name runs with another type
  start_failed,  ///< the host could not start it
  name_taken,    ///< another node is in the cluster under this node's name
  /// The node lost its session before the outcome was known to be nothing: nothing is held.
  session_lost,
  /// It may or may not have been done. put: no answer by the deadline, or by the end of the
  /// session. acquire: `withdraw_patience` after its deadline nobody had said whether the grant or
  /// the withdrawal came first; if it was the grant, the keys stay with the actor until it ends, so
  /// end it.
  outcome_unknown,
  not_joined, ///< leaving, or not in the cluster
  overloaded, ///< too many requests wait on this node
  owner_gone, ///< the actor that asked ended
  invalid,    ///< out of bounds; `detail` says what
};

struct failed {
  request_id id;
  failure code = failure::invalid;
  std::string detail;
};
struct granted {
  request_id id;
  local_actor_id actor;
  token grant;
  std::vector<term> keys;
  registry::ownership kind = registry::ownership::bounded;
};
struct located {
  request_id id;
  registry::location where;
};
struct stored {
  request_id id;
  std::string value;
};
struct replied {
  request_id id;
  std::string json;
};
/// How a request of an actor ended. Exactly one per request.
using completion = std::variant<failed, granted, located, stored, replied>;

/// News about a name that some handle of this node uses.
struct name_moved {
  term name;
  std::optional<registry::location> where; ///< nullopt: it does not run; the next message starts it
  bool failed = false;
  std::string reason;
};

/// F1: stop these now with exit_reason::kill and report each end by owner_exited /
/// singleton_exited.
struct fence {
  std::vector<local_actor_id> owners; ///< bounded owners
  std::vector<local_actor_id> singletons;
  std::string reason;
};

struct session_up {
  session_id session;
};
struct session_down {
  session_id session;
  std::string reason;
};
/// The agent has left: no session is open any more.
struct session_left {};

/// A singleton of this node moves to another one: see actors/host_actor.hpp for how no message is
/// lost. Its end is reported by singleton_exited, as any other.
using notice = std::variant<completion, registry::start_singleton, name_moved, fence, session_up,
                            session_down, session_left, registry::hand_over>;

/// For the watchdog (F2): while `armed`, the process must not outlive `lease_end`.
struct lease_state {
  time_point lease_end{};
  /// Bounded owners and singletons (including starting ones) live on this node.
  bool armed = false;

  bool operator==(const lease_state&) const = default;
};

struct agent_output {
  std::vector<to_voter> send;
  std::vector<notice> notices;
};

struct acquire_options {
  registry::acquire_mode mode = registry::acquire_mode::wait;
  registry::ownership kind = registry::ownership::bounded;
  std::optional<time_point> deadline;
};

/// The session agent: a node's end of its session (S4, F1, F3), the queue of its commands (R1), and
/// what it owns. Pure; owned by the agent actor, one per node, on voters and client nodes alike.
///
/// When the session is lost, what it had not yet effected goes over into the next one, in the order
/// it was asked for: waiting acquires (at the end of their queues), resolves, and puts without an
/// owner. The old session is over in the log before the next one opens, so no copy left there can
/// take effect.
///
/// I18 no owner is told `granted` after the fence of its session (F1), nor with a lease that has
/// ended.
/// I19 lease_end = time of sending of the last answered renewal + ttl; never later (S4).
/// I20 commands are numbered in the order they were asked for; each request gets exactly one
///     outcome; at most max_window undone.
/// I21 a new session is asked for only when every bounded owner and singleton of the old one has
///     ended (F3).
class agent {
public:
  /// Requests without an outcome; one more fails as `overloaded`. (command_queue::max_backlog
  /// bounds those among them that are not yet sent.)
  static constexpr std::size_t max_requests = 1'000'000;
  /// Names that handles of this node use at once; one more fails as `overloaded`.
  static constexpr std::size_t max_names = 1'000'000;
  /// Renewals whose answers may still come; older ones are forgotten.
  static constexpr std::size_t max_renewals = 64;
  /// After its deadline an acquire waits at most this long to hear whether it was withdrawn.
  static constexpr duration withdraw_patience = std::chrono::seconds{2};
  /// Bytes of one submit message.
  static constexpr std::size_t max_submit_bytes = std::size_t{1} << 20;

  agent(node_info info, lease_options options, std::vector<voter_id> voters, generator random,
        time_point now);
  agent(agent&&) noexcept;
  agent& operator=(agent&&) noexcept;
  ~agent();

  // -- the node's actors -------------------------------------------------------------------------
  /// REQUIRES: the caller watches the actor and calls owner_exited once when it ends.
  request_id acquire(time_point now, local_actor_id actor, std::vector<term> keys,
                     acquire_options options);
  void owner_exited(time_point now, local_actor_id actor, std::string reason);
  request_id resolve(time_point now, term name, registry::singleton_spec spec);
  /// No handle of this node uses the name any more.
  void forget(time_point now, const term& name);
  /// Messages to the singleton fail: look again. A `name_moved` follows: to where it lives now,
  /// which may be where it lived before. Does nothing if the last news was that it does not run.
  void suspect(time_point now, const term& name);
  /// Each start_singleton is answered by exactly one of these two; a start that was answered by
  /// `started` by one singleton_exited when the actor ends.
  void started(time_point now, const term& name, token grant, local_actor_id actor);
  void start_failed(time_point now, const term& name, token grant, std::string error);
  void singleton_exited(time_point now, const term& name, token grant, bool failed,
                        std::string reason);
  request_id put(time_point now, std::string bucket, term key, std::string value,
                 std::optional<local_actor_id> owner, std::optional<time_point> deadline);
  request_id ask(time_point now, registry::query what, std::optional<time_point> deadline);
  /// Wants a node empty of singletons, or takes that back. `replied` with what is left on it now.
  request_id drain(time_point now, std::string node, bool on, std::optional<time_point> deadline);
  /// F4: brings a proof that owners of another node have ended. Needs no session. `replied` with
  /// {"closed": sessions that it ended}, or `failed` as invalid with what is wrong with it.
  request_id prove_end(time_point now, registry::certify_end proof,
                       std::optional<time_point> deadline);

  /// L6: asks the leader for a change of the voters, or who they are. Needs no session. `replied`
  /// with the JSON of steward: "state" is done, waiting (ask again) or refused, "why" says more.
  request_id change(time_point now, change_voters what, std::optional<time_point> deadline);
  void cancel(time_point now, request_id id);
  /// Stops everything that this node owns (as a fence does, strict owners too), closes the session,
  /// then `session_left`: after one ttl in any case; what is left then expires by itself.
  void leave(time_point now);

  // -- the cluster -------------------------------------------------------------------------------
  void step(time_point now, voter_id from, const voter_message& what);
  void link_up(time_point now, voter_id voter);
  void link_down(time_point now, voter_id voter);
  /// The voters changed (or became known).
  void voters_are(time_point now, std::vector<voter_id> voters);
  void tick(time_point now);

  [[nodiscard]] agent_output take_output();

  [[nodiscard]] lease_state lease() const;
  /// Not valid() while there is none that may be used.
  [[nodiscard]] session_id session() const;
  /// True while a grant of this session is worth something at `now`: before the fence.
  [[nodiscard]] bool valid(time_point now) const;
  /// How near a lease came to its end: the least that one had left when it was renewed or lost; the
  /// ttl before any was.
  [[nodiscard]] duration least_left() const;
  /// The voter that leads, as far as this node knows; not valid() while it looks for one. For
  /// status.
  [[nodiscard]] voter_id leader() const;
  /// When tick must be called at the latest.
  [[nodiscard]] time_point next_wake() const;
  /// Messages that were late, foreign or malformed.
  [[nodiscard]] std::uint64_t dropped() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace paxtor::cluster
