#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/time.hpp"
#include "libpaxtor/registry/commands.hpp"

namespace paxtor::cluster {

/// Numbers the requests of the node's actors, from 1.
using request_id = strong<struct request_id_tag>;

/// A session's commands on their way (R1): those that wait for a number, and those that are
/// numbered and not answered. Owned by the agent.
///
/// I20 commands are numbered in the order they were asked for; the numbers that are not done span
///     at most registry::max_window.
class command_queue {
public:
  /// Commands that wait for a number. Requests beyond it are refused; what the node must report (an
  /// exit) is taken all the same: there is at most one per actor.
  static constexpr std::size_t max_backlog = 65536;

  struct item {
    registry::command what;
    /// The request that it serves, if any.
    request_id request;
    bool ever_sent = false;
    bool to_send = true;
    time_point sent_at{};
    unsigned tries = 0;
  };

  /// How a command was when it was dropped.
  enum class dropped : std::uint8_t { absent, unsent, sent };

  [[nodiscard]] bool full() const { return backlog_.size() >= max_backlog; }
  [[nodiscard]] bool idle() const { return backlog_.empty() && open_.empty(); }

  void push(registry::command what, request_id request = {});

  /// Numbers what fits into the window, and returns the bytes of all that is to be sent now, in
  /// order. `first` is told of each command that was never sent before.
  std::vector<std::string> take(time_point now, session_id session,
                                const std::function<void(const registry::command&)>& first);

  /// Another leader: everything that is unanswered goes out again.
  void send_again();
  /// What has been unanswered for too long goes out again: after `quick`, twice that, .. at most
  /// `slow`.
  void send_again_if_due(time_point now, duration quick, duration slow);

  [[nodiscard]] const item* find(seq number) const;
  /// The number of the command that serves `request`, if it has one and is not answered.
  [[nodiscard]] std::optional<seq> number_of(request_id request) const;

  /// The answer is here.
  [[nodiscard]] std::optional<item> done(seq number);

  /// Never send (again) what serves `request`. Its number, if any, counts as done: the registry
  /// ignores it once it has seen a later done_below.
  dropped drop(request_id request);

  /// Drops what is not wanted any more, as if it were answered.
  void keep_if(const std::function<bool(const registry::command&)>& wanted);

  /// The session is over: forgets everything and numbers from 1. Returns what was not answered, in
  /// order.
  std::vector<item> start_over();

  /// When the oldest unanswered command is to be looked at.
  [[nodiscard]] std::optional<time_point> next_wake(duration quick) const;

private:
  [[nodiscard]] seq done_below() const;

  std::deque<item> backlog_;
  std::map<seq, item> open_;
  std::map<request_id, seq> by_request_;
  seq next_{1};
  /// Nothing below is to be sent.
  seq look_from_{1};
  std::optional<time_point> last_look_;
};

} // namespace paxtor::cluster
