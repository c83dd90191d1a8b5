#pragma once

/// \file
/// The gate: one thread that listens, connects, and does what has to be done on a socket before CAF
/// may see it: the TLS handshake, and our preamble. Everything has a deadline. CAF's own calls
/// connect blockingly, one after the other, so that one host that drops packets would stop the
/// links to all others for two minutes; and a stranger's bytes can crash its parser.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "net/endpoint.hpp"
#include "net/tls.hpp"
#include "net/wire.hpp"

namespace paxtor::net {

/// Strangers at the door at once; more have to wait in the kernel's queue.
inline constexpr std::size_t max_in_handshake = 64;

/// How long an accepted connection may take for its handshake.
inline constexpr std::chrono::seconds handshake_timeout{3};

class gate {
public:
  /// Called on the gate's thread; must not block.
  struct events {
    /// The dial reached this node itself: CAF must never be connected with itself.
    std::function<void(std::uint64_t id)> reached_self;
    std::function<void(std::uint64_t id, channel)> dialed;
    std::function<void(std::uint64_t id, std::string why)> dial_failed;
    std::function<void(channel)> accepted;
    /// A guardian (net/guardian/link.hpp): its socket never reaches CAF.
    std::function<void(channel, node_id guardian)> guardian;
    std::function<void(std::string why)> turned_away;
  };

  /// `tls` may be null: plain TCP. `self` is this node's id: what the preamble carries.
  gate(std::uint64_t self, tls_context tls, events callbacks);

  /// Stops the thread and closes everything.
  ~gate();

  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  /// Binds and listens, now. False with `why`. `port` is set before anybody is accepted.
  [[nodiscard]] bool listen(const endpoint& where, std::atomic<std::uint16_t>& port,
                            std::string& why);

  /// Starts to connect; ends in `dialed` or `dial_failed` with this id, once. A host name is
  /// resolved on the gate's thread: while the resolver does not answer, other handshakes wait.
  void dial(std::uint64_t id, endpoint where, std::chrono::milliseconds timeout);

  /// Whether guardians are let in from now on: they are for voters. At first they are not.
  void admit_guardians(bool yes) { guardians_ = yes; }

  /// No more events. Idempotent.
  void stop();

private:
  using clock = std::chrono::steady_clock;

  struct handshake {
    std::uint64_t id = 0; ///< 0: accepted
    channel socket;
    bool connecting = false;
    bool tls_done = false;
    bool want_write = false;
    /// What is to be said, or was heard so far.
    std::string words;
    std::size_t moved = 0;
    bool await_verdict = false;
    node_id guardian; ///< valid(): the caller is one
    clock::time_point deadline;
    std::string where;
  };

  struct order {
    std::uint64_t id = 0;
    endpoint where;
    std::chrono::milliseconds timeout{0};
  };

  void run();
  void take_orders();
  void begin(const order& what);
  void accept_some();
  /// True if the handshake is over, one way or the other.
  bool advance(handshake& one);
  bool advance_tls(handshake& one, bool& failed);
  bool advance_words(handshake& one, bool& over);
  /// Moves bytes of `words`, out or in. False: not all yet, or over.
  bool move_words(handshake& one, bool out, bool& over);
  bool hear_preamble(handshake& one, bool& over);
  void fail_one(handshake& one, const std::string& why);
  void wake();
  [[nodiscard]] int wait_ms(clock::time_point now) const;

  std::uint64_t self_;
  tls_context tls_;
  events events_;
  channel listener_;
  channel bell_;
  std::vector<handshake> open_;
  std::size_t strangers_ = 0;

  std::mutex mutex_;
  std::vector<order> orders_;
  bool listening_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> guardians_ = false;
  std::thread thread_;
};

} // namespace paxtor::net
