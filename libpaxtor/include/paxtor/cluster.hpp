#pragma once

/// \file
/// The cluster as one node sees it.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/duration.hpp>
#include <caf/expected.hpp>
#include <caf/is_typed_actor.hpp>
#include <caf/message.hpp>
#include <nlohmann/json.hpp>

#include <paxtor/config.hpp>
#include <paxtor/error.hpp>
#include <paxtor/grant.hpp>
#include <paxtor/key.hpp>
#include <paxtor/options.hpp>
#include <paxtor/requests.hpp>

namespace paxtor {

namespace detail {

class node;

} // namespace detail

/// A node's door to the cluster. Cheap to copy, safe to use from any thread. The requests return
/// what CAF's `request` returns: use `.then` or `.await` in a behavior, `.receive` with a
/// scoped_actor. `self` is the actor that asks: it becomes the owner of locks and owned entries.
class cluster {
public:
  cluster() = default;
  explicit cluster(std::shared_ptr<detail::node> impl) : impl_(std::move(impl)) {}

  /// Waits until `self` is the only owner of the key (or of all keys, atomically) in the cluster.
  /// Answers a `grant`. Reentrant; first come, first served; released only by the end of `self`.
  /// `self` must be an actor of this process. If the node loses the cluster, `self` is killed
  /// before its lease ends. An actor that blocks (scoped_actor, blocking_actor) cannot be killed:
  /// if it has not ended by then, the process is.
  /// ERRORS: deadlock, timed_out, busy, ownership_lost, overloaded, not_joined, invalid.
  template <class Self>
  auto lock(Self&& self, const keys& what, const lock_options& options = {}) const {
    return detail::self_pointer(self)->request(agent(), caf::infinite,
                                               detail::make_lock_request(what, options));
  }

  /// Runs `fn(grant)` in a short-lived actor that holds the key(s), and answers what it returns
  /// (nothing for void: `.then([] { ... })`). The lock is released when fn is done. fn may block;
  /// it must not touch the state of `self`.
  /// ERRORS: as lock, and caf::exit_reason::unhandled_exception if fn throws.
  template <class Self, class Fn>
  auto with_lock(Self&& self, const keys& what, Fn fn, const lock_options& options = {}) const {
    auto* asker = detail::self_pointer(self);
    auto worker = asker->home_system().template spawn<caf::detached>(
      detail::lock_worker<Fn>, agent(), detail::make_lock_request(what, options), std::move(fn));
    return asker->request(worker, caf::infinite, detail::run_atom::value);
  }

  /// An ordinary actor handle for the singleton `k`. Nothing starts until the first message; then
  /// the cluster agrees on a node that has the actor type `type`
  /// (caf::actor_system_config::add_actor_type) and starts it there with `args`, once.
  [[nodiscard]] caf::actor name(const key& k, const std::string& type, caf::message args = {},
                                const name_options& options = {}) const {
    return caf::actor_cast<caf::actor>(named(k, type, std::move(args), options, {}));
  }

  /// The same for statically typed actors. A request is answered with type_mismatch, and nothing
  /// else happens, if the actor that runs does not have this interface.
  template <class Handle>
  [[nodiscard]] Handle name(const key& k, const std::string& type, caf::message args = {},
                            const name_options& options = {}) const {
    static_assert(std::is_same_v<Handle, caf::actor> || caf::is_typed_actor<Handle>::value,
                  "name<H>: H is caf::actor or a caf::typed_actor");
    return caf::actor_cast<Handle>(
      named(k, type, std::move(args), options, interface_of<Handle>()));
  }

  /// Where the singleton lives; starts it if needed. Answers `whereabouts`.
  /// ERRORS: no_host, type_mismatch, start_failed, not_joined, invalid.
  template <class Self>
  auto whereis(Self&& self, const key& k, const std::string& type, caf::message args = {},
               const name_options& options = {}) const {
    return detail::self_pointer(self)->request(
      agent(), caf::infinite,
      detail::whereis_request{k.text(), k.problem(), type, std::move(args), options});
  }

  /// Put-once: answers a `document` with the value that was chosen first, this one or an earlier
  /// one.
  template <class Self>
  auto put(Self&& self, std::string bucket, const key& k, const nlohmann::json& value,
           const put_options& options = {}) const {
    return detail::self_pointer(self)->request(
      agent(), caf::infinite, detail::make_put_request(std::move(bucket), k, value, options));
  }

  /// Linearizable. Answers a `document`; `found` is false if there is no entry.
  template <class Self>
  auto get(Self&& self, std::string bucket, const key& k) const {
    return ask(self, {"get", std::move(bucket), k.text(), k.problem(), 0, {}});
  }

  /// Who holds the key, where, since which token, how long its node has been silent, who waits.
  /// Answers a `document`.
  template <class Self>
  auto why(Self&& self, const key& k) const {
    return ask(self, {"why", {}, k.text(), k.problem(), 0, {}});
  }

  /// The nodes in the cluster. Answers a `document`.
  template <class Self>
  auto members(Self&& self) const {
    return ask(self, {"members", {}, {}, {}, 1000, {}});
  }

  /// Who votes, and which standbys there are. Answers a `document` {"state", "why", "voters",
  /// "standbys", "decided_upto", "since", "stored_by", "changing_to"}.
  template <class Self>
  auto voters(Self&& self, std::optional<std::chrono::milliseconds> deadline = {}) const {
    return change_voters(self, {voter_change::look, {}, {}, {}, deadline});
  }

  /// For operators: `node`, a standby, becomes a voter (and catches up before it does). `address`:
  /// where others reach it; empty: where it listens. Answers the `document` of `voters` as things
  /// stand: ask again while its "state" is "waiting". "done": a majority of the new voters has
  /// stored all that the old ones had decided. "refused": "why" says what to do.
  template <class Self>
  auto add_voter(Self&& self, std::string node, std::string address = {},
                 std::optional<std::chrono::milliseconds> deadline = {}) const {
    return change_voters(self,
                         {voter_change::add, std::move(node), std::move(address), {}, deadline});
  }

  /// `node` votes no more. That says nothing of its actors: what it owns it keeps. Answers as
  /// add_voter.
  template <class Self>
  auto remove_voter(Self&& self, std::string node,
                    std::optional<std::chrono::milliseconds> deadline = {}) const {
    return change_voters(self, {voter_change::remove, std::move(node), {}, {}, deadline});
  }

  /// A standby takes the place of the voter `node` in one step: `with`, or, if empty, one of the
  /// same name with a new store, or the same one at a new address. Answers as add_voter.
  template <class Self>
  auto replace_voter(Self&& self, std::string node, std::string address, std::string with = {},
                     std::optional<std::chrono::milliseconds> deadline = {}) const {
    return change_voters(self, {voter_change::replace, std::move(node), std::move(address),
                                std::move(with), deadline});
  }

  /// Any of these four: for tools.
  template <class Self>
  auto change_voters(Self&& self, detail::voters_request what) const {
    return detail::self_pointer(self)->request(agent(), caf::infinite, std::move(what));
  }

  /// For operators: says that the owner of `k` has ended, although nothing proves it. Frees what
  /// its node's session still holds: strict locks, once silence has ended the session. Answers a
  /// `document` {"closed", "holder"}; `by` is who says so, for the voters' logs and for `why`. If
  /// it is not true, two owners work at once.
  /// ERRORS: invalid (nobody holds it, or the holder's node is in the cluster: stop that),
  /// timed_out, not_joined.
  template <class Self>
  auto force_release(Self&& self, const key& k, std::string by,
                     std::optional<std::chrono::milliseconds> deadline = {}) const {
    return detail::self_pointer(self)->request(
      agent(), caf::infinite,
      detail::release_request{k.text(), k.problem(), std::move(by), deadline});
  }

  /// For operators: wants the node named `node` empty of singletons, before it is stopped. It gets
  /// no new ones; each that another node can host moves there: messages wait at their senders, it
  /// ends behind the last that it got, and starts anew. No message is lost, no two lives overlap,
  /// and each sender's order is kept. Answers at once, with a `document` of what is left: ask again
  /// until "singletons" is 0. "staying" of them have no other host, and run on. Locks do not move:
  /// their owners are the node's own actors. Holds for as long as the node's process lives; `on`
  /// false takes it back.
  /// ERRORS: invalid (no node has this name), timed_out, outcome_unknown, not_joined.
  template <class Self>
  auto drain(Self&& self, std::string node, bool on = true,
             std::optional<std::chrono::milliseconds> deadline = {}) const {
    return detail::self_pointer(self)->request(
      agent(), caf::infinite, detail::drain_request{std::move(node), on, deadline});
  }

  /// Any question of the above by its name, with a deadline (errc::timed_out): for tools.
  template <class Self>
  auto ask(Self&& self, detail::ask_request what) const {
    return detail::self_pointer(self)->request(agent(), caf::infinite, std::move(what));
  }

  /// This node's name, and the port it listens on (0: none).
  [[nodiscard]] std::string node_name() const;
  [[nodiscard]] std::uint16_t port() const;

  /// What this node knows of itself, as JSON: session, leader, voters, lease, links, counters. No
  /// round trip.
  [[nodiscard]] nlohmann::json status() const;

  /// Leaves in good order: stops what this node owns, closes its session, then its actors. Blocks
  /// until done, at most about a ttl. Also done when the actor system ends. Further requests fail
  /// with not_joined.
  void leave();

  explicit operator bool() const { return impl_ != nullptr; }

private:
  /// What a typed handle may be sent, in CAF's portable form; empty for caf::actor.
  template <class Handle>
  [[nodiscard]] std::set<std::string> interface_of() const {
    if constexpr (std::is_same_v<Handle, caf::actor>) {
      return {};
    } else {
      auto* sys = system();
      return sys != nullptr ? sys->template message_types<Handle>() : std::set<std::string>{};
    }
  }

  [[nodiscard]] caf::actor_system* system() const;
  [[nodiscard]] caf::actor agent() const;
  [[nodiscard]] caf::strong_actor_ptr named(const key& k, const std::string& type,
                                            caf::message args, const name_options& options,
                                            std::set<std::string> interface) const;

  std::shared_ptr<detail::node> impl_;
};

/// Joins the cluster with the options in `cfg`: starts this node's actors, connects, waits until
/// the cluster has formed and this node's session is open (or join_timeout passes).
/// ERRORS: invalid (which option), cannot_open (address in use, certificate missing),
/// wrong_cluster, name_taken, timed_out (says which voters did not answer).
[[nodiscard]] caf::expected<cluster> join(caf::actor_system& sys,
                                          const caf::actor_system_config& cfg);

/// The same with options given in code.
[[nodiscard]] caf::expected<cluster> join(caf::actor_system& sys, const node_options& options);

} // namespace paxtor
