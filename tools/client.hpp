#pragma once

/// \file
/// A stay in the cluster for the length of a command.

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <paxtor/paxtor.hpp>

#include "tools/actor_types.hpp"
#include "tools/settings.hpp"

namespace paxtor::tools {

/// An actor system that has joined. Leaves in good order at its end.
class client {
public:
  /// Null if it cannot join; `problem` says why.
  /// `more` may add actor types of the caller's own.
  [[nodiscard]] static std::unique_ptr<client>
  join(const node_options& options, hosting hosts, caf::error& problem,
       const std::function<void(caf::actor_system_config&)>& more = {});

  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  [[nodiscard]] caf::actor_system& system() { return *system_; }
  [[nodiscard]] const cluster& door() const { return door_; }
  void leave();

private:
  client() = default;

  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  cluster door_;
};

/// Why a node cannot join. The library speaks of its options (`paxtor.voters`), a person typed
/// flags (`--voters`).
[[nodiscard]] std::string why_not_joined(const caf::error& problem);

/// What commands do first: settings, then join. Null: `status` is what to exit with, and stderr has
/// the reason. `options`: what the settings do not say.
[[nodiscard]] std::unique_ptr<client> join_for_command(const settings& given,
                                                       const std::string& tool, int& status,
                                                       stay kind = stay::command,
                                                       node_options options = {});

/// Sends the request that `ask(self)` makes from an actor of its own and waits for the answer.
/// timed_out after `patience`.
template <class Answer, class Ask>
caf::expected<Answer> await(caf::actor_system& sys, std::chrono::milliseconds patience, Ask ask) {
  auto promise = std::make_shared<std::promise<caf::expected<Answer>>>();
  auto future = promise->get_future();
  auto asker = sys.spawn([promise, ask](caf::event_based_actor* self) {
    ask(self).then([promise](const Answer& answer) { promise->set_value(answer); },
                   [promise](const caf::error& err) { promise->set_value(err); });
  });
  if (future.wait_for(patience) == std::future_status::ready)
    return future.get();
  caf::anon_send_exit(asker, caf::exit_reason::kill);
  return make_error(errc::timed_out, "the cluster did not answer within "
                                       + std::to_string(patience.count())
                                       + " ms: has it a majority?");
}

} // namespace paxtor::tools
