#pragma once

/// \file
/// The cluster as one node sees it.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/duration.hpp>
#include <caf/expected.hpp>
#include <caf/make_message.hpp>
#include <caf/scoped_actor.hpp>

#include <paxtor/config.hpp>
#include <paxtor/error.hpp>
#include <paxtor/grant.hpp>
#include <paxtor/key.hpp>

namespace paxtor {

/// Whether silence is enough to take a lock away. `bounded`: the owner is killed before its lease ends, then the next one gets
/// the lock. `strict`: only proof of the owner's end frees it, however long that takes.
enum class ownership : std::uint8_t { bounded, strict };

struct lock_options {
  /// Give up after this time (errc::timed_out). None: wait for ever.
  std::optional<std::chrono::milliseconds> deadline;
  /// Fail with errc::busy instead of waiting.
  bool try_once = false;
  ownership kind = ownership::bounded;
};

struct name_options {
  /// The host must carry these labels.
  std::map<std::string, std::string> labels;
  /// Choose the host with the fewest singletons instead of by hashing the name.
  bool fewest = false;
  /// What happens when the singleton ends with an error. Default: the next message starts a new one.
  bool restart_on_failure = false;
};

struct put_options {
  /// Erase the entry when the actor that puts it ends.
  bool owned = false;
  std::optional<std::chrono::milliseconds> deadline;
};

namespace detail {

class node;

/// Requests of this header to the session agent: the arguments of one request, local to the process.
struct lock_request {
  std::vector<std::string> keys;
  std::string problem;
  lock_options options;
};
struct whereis_request {
  std::string name;
  std::string problem;
  std::string type;
  caf::message args;
  name_options options;
};
struct put_request {
  std::string bucket;
  std::string key;
  std::string value;
  std::string problem;
  put_options options;
};
/// get, list, why, members: encoded by the node.
struct ask_request {
  std::string what;
  std::string bucket;
  std::string key;
  std::string problem;
  std::uint64_t limit = 0;
  std::optional<std::chrono::milliseconds> deadline;
};

[[nodiscard]] lock_request make_lock_request(const keys& what, const lock_options& options);
[[nodiscard]] put_request make_put_request(std::string bucket, const key& k, const nlohmann::json& value,
                                           const put_options& options);

template <class Self>
auto* self_pointer(Self* self) {
  return self;
}
inline auto* self_pointer(caf::scoped_actor& self) {
  return self.operator->();
}

} // namespace detail

/// A node's door to the cluster. Cheap to copy, safe to use from any thread. The requests return what CAF's `request`
/// returns: use `.then` or `.await` in a behavior, `.receive` with a scoped_actor. `self` is the actor that asks: it becomes the
/// owner of locks and owned entries.
class cluster {
public:
  cluster() = default;
  explicit cluster(std::shared_ptr<detail::node> impl) : impl_(std::move(impl)) {}

  /// Waits until `self` is the only owner of the key (or of all keys, atomically) in the cluster. Answers a `grant`.
  /// Reentrant; first come, first served; released only by the end of `self`.
  /// ERRORS: deadlock, timed_out, busy, ownership_lost, overloaded, not_joined, invalid.
  template <class Self>
  auto lock(Self&& self, const keys& what, const lock_options& options = {}) const {
    return detail::self_pointer(self)->request(agent(), caf::infinite,
                                               detail::make_lock_request(what, options));
  }

  /// Runs `fn(grant)` in a short-lived actor that holds the key(s), and answers what it returns (`caf::unit_t` for void). The lock
  /// is released when fn is done. fn may block; it must not touch the state of `self`.
  /// ERRORS: as lock, and caf::exit_reason::unhandled_exception if fn throws.
  template <class Self, class Fn>
  auto with_lock(Self&& self, const keys& what, Fn fn, const lock_options& options = {}) const;

  /// An ordinary actor handle for the singleton `k`. Nothing starts until the first message; then the cluster agrees on a
  /// node that has the actor type `type` (caf::actor_system_config::add_actor_type) and starts it there with `args`, once.
  [[nodiscard]] caf::actor name(const key& k, const std::string& type, caf::message args = {},
                                const name_options& options = {}) const {
    return caf::actor_cast<caf::actor>(named(k, type, std::move(args), options, {}));
  }

  /// The same for statically typed actors.
  template <class Handle>
  [[nodiscard]] Handle name(const key& k, const std::string& type, caf::message args = {},
                            const name_options& options = {}) const {
    return caf::actor_cast<Handle>(
      named(k, type, std::move(args), options, handle_interface<Handle>()));
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

  /// Put-once: answers a `document` with the value that was chosen first, this one or an earlier one.
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

  /// Who holds the key, where, since which token, how long its node has been silent, who waits. Answers a `document`.
  template <class Self>
  auto why(Self&& self, const key& k) const {
    return ask(self, {"why", {}, k.text(), k.problem(), 0, {}});
  }

  /// The nodes in the cluster. Answers a `document`.
  template <class Self>
  auto members(Self&& self) const {
    return ask(self, {"members", {}, {}, {}, 1000, {}});
  }

  /// Any question of the above by its name, with a deadline (errc::timed_out): for tools.
  template <class Self>
  auto ask(Self&& self, detail::ask_request what) const {
    return detail::self_pointer(self)->request(agent(), caf::infinite, std::move(what));
  }

  /// This node's name, and the port it listens on (0: none).
  [[nodiscard]] std::string node_name() const;
  [[nodiscard]] std::uint16_t port() const;

  /// What this node knows of itself, as JSON: session, leader, voters, lease, links, counters. No round trip.
  [[nodiscard]] nlohmann::json status() const;

  /// Leaves in good order: stops what this node owns, closes its session, then its actors. Blocks until done, at most about a
  /// ttl. Also done when the actor system ends. Further requests fail with not_joined.
  void leave();

  explicit operator bool() const { return impl_ != nullptr; }

private:
  template <class Handle>
  static std::set<std::string> handle_interface() {
    if constexpr (std::is_same_v<Handle, caf::actor>)
      return {};
    else
      return caf::actor_system{nullptr}.message_types(Handle{});
  }

  [[nodiscard]] caf::actor agent() const;
  [[nodiscard]] caf::strong_actor_ptr named(const key& k, const std::string& type, caf::message args,
                                            const name_options& options,
                                            std::set<std::string> interface) const;

  std::shared_ptr<detail::node> impl_;
};

/// Joins the cluster with the options in `cfg`: starts this node's actors, connects, waits until the cluster has formed and this
/// node's session is open (or join_timeout passes).
/// ERRORS: invalid (which option), cannot_open (address in use, certificate missing), wrong_cluster, name_taken,
/// timed_out (says which voters did not answer).
[[nodiscard]] caf::expected<cluster> join(caf::actor_system& sys, const caf::actor_system_config& cfg);

/// The same with options given in code.
[[nodiscard]] caf::expected<cluster> join(caf::actor_system& sys, const node_options& options);

} // namespace paxtor

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::detail::lock_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::detail::whereis_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::detail::put_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::detail::ask_request)
