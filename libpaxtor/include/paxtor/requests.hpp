#pragma once

/// \file
/// What the door sends to this node's session agent. For cluster.hpp alone: nothing here is for
/// users.

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/behavior.hpp>
#include <caf/error.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/message.hpp>
#include <caf/response_promise.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/unit.hpp>

#include <paxtor/grant.hpp>
#include <paxtor/key.hpp>
#include <paxtor/options.hpp>

namespace paxtor::detail {

/// `problem` is what a key says of itself: requests with one are answered with errc::invalid.
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

/// get, list, why, members, name, counts.
struct ask_request {
  std::string what;
  std::string bucket;
  std::string key;
  std::string problem;
  std::uint64_t limit = 0;
  std::optional<std::chrono::milliseconds> deadline;
};

/// An operator's word that the owner of a strict lock has ended. `by`: who says so.
struct release_request {
  std::string key;
  std::string problem;
  std::string by;
  std::optional<std::chrono::milliseconds> deadline;
};

/// `with`: the node that comes, if it is another one. `address`: where others reach it.
struct voters_request {
  voter_change kind = voter_change::look;
  std::string node;
  std::string address;
  std::string with;
  std::optional<std::chrono::milliseconds> deadline;
};

/// A node that shall be empty of singletons, or not any more.
struct drain_request {
  std::string node;
  bool on = true;
  std::optional<std::chrono::milliseconds> deadline;
};

[[nodiscard]] lock_request make_lock_request(const keys& what, const lock_options& options);
[[nodiscard]] put_request make_put_request(std::string bucket, const key& k,
                                           const nlohmann::json& value, const put_options& options);

template <class Self>
Self* self_pointer(Self* self) {
  return self;
}

inline caf::blocking_actor* self_pointer(const caf::scoped_actor& self) {
  return self.operator->();
}

} // namespace paxtor::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::detail::lock_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::detail::whereis_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::detail::put_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::detail::ask_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::detail::release_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::detail::voters_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::detail::drain_request)

namespace paxtor::detail {

using run_atom = caf::atom_constant<caf::atom("pxRun")>;

/// Compares equal to caf::exit_reason::unhandled_exception; `what` is what the exception says.
[[nodiscard]] caf::error thrown(const char* what);

/// The short-lived owner of with_lock: takes the lock, runs `fn` on a thread of its own, answers,
/// and ends, which releases.
template <class Fn>
caf::behavior lock_worker(caf::event_based_actor* self, const caf::actor& agent,
                          const lock_request& what, const Fn& fn) {
  static_assert(std::is_invocable_v<Fn&, const grant&>, "with_lock: fn takes a paxtor::grant");
  using answer = std::invoke_result_t<Fn&, const grant&>;
  // Nobody waits for the answer any more: give up the place in the queue.
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  return {
    [=](run_atom) {
      if (self->current_sender() != nullptr)
        self->monitor(caf::actor_cast<caf::actor_addr>(self->current_sender()));
      auto promise = self->make_response_promise();
      self->request(agent, caf::infinite, what)
        .then(
          [=](const grant& held) mutable {
            try {
              auto work = fn;
              if constexpr (std::is_void_v<answer>) {
                std::invoke(work, held);
                promise.deliver(caf::unit);
              } else {
                promise.deliver(std::invoke(work, held));
              }
            } catch (const std::exception& ex) {
              promise.deliver(thrown(ex.what()));
            } catch (...) {
              promise.deliver(thrown("an exception that is no std::exception"));
            }
            self->quit();
          },
          [=](caf::error& why) mutable {
            promise.deliver(std::move(why));
            self->quit();
          });
      return promise;
    },
  };
}

} // namespace paxtor::detail
