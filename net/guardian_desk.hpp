#pragma once

/// \file
/// A voter's side of guardians' links (guardian/link.hpp). They come from the gate after TLS and
/// preamble and never reach CAF: a guardian says one kind of frame and hears another, so all of it
/// fits into one thread that polls.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "net/log.hpp"
#include "net/peers.hpp"
#include "net/wire.hpp"

namespace paxtor::net {

/// Guardians linked at once; more are turned away. One per node of the cluster.
inline constexpr std::size_t max_guardians = 4096;
/// Answers that wait for one guardian; more are dropped, it asks again.
inline constexpr std::size_t max_answers_waiting = 16;

/// The thread starts with the first guardian. Without guardians, and while none says anything, it
/// costs nothing.
///
/// I42 what goes on to the proposer is a certificate that a process died, from the guardian whose
///     link it came by; whoever sends anything else is cut.
/// I44 a guest is in the book exactly while its link is open.
class guardian_desk {
public:
  explicit guardian_desk(std::shared_ptr<peers> book, std::string node_name);
  ~guardian_desk();
  guardian_desk(const guardian_desk&) = delete;
  guardian_desk& operator=(const guardian_desk&) = delete;

  /// Takes over a link whose handshake is done. Any thread.
  void adopt(channel socket, node_id guardian);
  /// This node is no voter any more: all links end.
  void dismiss();
  /// No more. Idempotent.
  void stop();

  [[nodiscard]] std::size_t linked() const { return linked_; }
  /// Links that were cut for what they said.
  [[nodiscard]] std::uint64_t cut() const { return cut_; }

private:
  class seat;

  void run();
  void take_new();
  void wake() const;
  void serve(const std::shared_ptr<seat>& one, bool readable);
  void forward(seat& from, const std::string& bytes);
  void close(seat& one, const char* why);

  std::shared_ptr<peers> book_;
  std::string node_name_;
  /// Also held by guests, which outlive this object in a sender's hands.
  std::shared_ptr<channel> bell_;
  std::vector<std::shared_ptr<seat>> seats_; // the thread's
  std::atomic<std::size_t> linked_ = 0;
  std::atomic<std::uint64_t> cut_ = 0;
  log_limiter cuts_{std::chrono::seconds{10}};

  std::mutex mutex_;
  std::vector<std::shared_ptr<seat>> new_;
  bool dismissed_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

} // namespace paxtor::net
