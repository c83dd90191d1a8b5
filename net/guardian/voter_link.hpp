#pragma once

/// \file
/// A guardian's link to one voter: connects, does TLS and the preamble, carries frames, and comes
/// back after a break. While it is linked it has no timer.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <poll.h>

#include "libpaxtor/base/random.hpp"
#include "net/guardian/link.hpp"
#include "net/guardian/orders.hpp"
#include "net/guardian/tls.hpp"

namespace paxtor::guardian {

using clock = std::chrono::steady_clock;

/// For connecting and for the whole handshake.
inline constexpr std::chrono::milliseconds dial_timeout{1000};
/// Between attempts, with jitter: doubled each time.
inline constexpr std::chrono::milliseconds redial_min{50};
inline constexpr std::chrono::milliseconds redial_max{5000};

class voter_link {
public:
  /// `own_id`: the guardian's. `tls` may be null: plain TCP.
  voter_link(voter_address where, std::uint64_t own_id, tls_context tls, generator random);
  ~voter_link();
  voter_link(voter_link&& other) noexcept;
  voter_link& operator=(voter_link&&) = delete;

  [[nodiscard]] const voter_address& where() const { return where_; }
  [[nodiscard]] bool linked() const { return at_ == phase::linked; }

  /// What to poll; fd -1 while it waits for its next attempt.
  [[nodiscard]] pollfd wants() const;
  /// When to call `look` at the latest; none while linked.
  [[nodiscard]] std::optional<clock::time_point> due() const;
  /// Does what can be done now. `ready`: the socket has something to say.
  void look(clock::time_point now, bool ready);

  /// Connects at once if it does not yet, and waits less between attempts from now on.
  void hurry(clock::time_point now);

  /// Since when every attempt ended with a refusal: a host is there, and no voter. None if the last
  /// one ended otherwise.
  [[nodiscard]] std::optional<clock::time_point> refused_since() const { return refused_since_; }

  /// Nothing if it is not linked, or what was said before has not left yet. A link that answers
  /// nothing for dial_timeout is made anew: its other end may be gone without a word.
  void say(const std::string& frame);

  /// A frame from the voter.
  [[nodiscard]] std::optional<std::string> hear();

  /// Whether an attempt or the link has ended since this was asked last. `why` stays empty if it
  /// ended as the one before it.
  [[nodiscard]] bool take_failure(std::string& why);

private:
  enum class phase : std::uint8_t { waiting, connecting, securing, greeting, judged, linked };
  enum class io : std::uint8_t { moved, again, closed };

  void dial(clock::time_point now);
  /// True if the next phase can begin at once.
  bool advance(clock::time_point now);
  bool connected(clock::time_point now);
  bool secured(clock::time_point now);
  void listen(clock::time_point now);
  void flush(clock::time_point now);
  io receive(char* to, std::size_t size, std::size_t& got);
  io transmit(const char* from, std::size_t size, std::size_t& sent);
  void fail(clock::time_point now, const std::string& why);
  void cannot_connect(clock::time_point now, int code);
  void hang_up();

  voter_address where_;
  std::uint64_t own_id_;
  tls_context context_;
  generator random_;
  tls_session session_;
  int fd_ = -1;
  phase at_ = phase::waiting;
  bool want_write_ = false;
  std::string unsent_;
  frame_reader heard_;
  bool hurried_ = false;
  std::chrono::milliseconds backoff_{0};
  clock::time_point due_{};
  /// Since when an answer is missing.
  std::optional<clock::time_point> asked_at_;
  std::optional<clock::time_point> refused_since_;
  bool failed_ = false;
  std::string problem_;
  std::string last_problem_;
};

} // namespace paxtor::guardian
