#pragma once

/// \file
/// An actor that spares its thread: what is little work is done where it arrives.

#include <cstddef>
#include <thread>

#include <caf/event_based_actor.hpp>
#include <caf/fwd.hpp>
#include <caf/scoped_execution_unit.hpp>

namespace paxtor::net {

/// The longest frame, in bytes, that counts as little work: a few requests, or a slot's votes.
inline constexpr std::size_t small_frame = 1024;

/// Has a thread of its own (spawn_own_thread), so no user's actor can starve it (F6). But a thread
/// costs a wake-up each time it has slept, and for one lock a dozen of them are on the way. So when
/// CAF's I/O thread brings a message and the actor is idle, that thread runs the actor at once, if
/// the message `is_little_work`, and what the actor sends on goes the same way. All that comes from
/// other threads (ticks, durable writes, users' requests), that comes while the actor is busy, or
/// that is much work, runs on the actor's own thread: the loop goes on reading meanwhile, and a
/// burst is gathered.
///
/// The mailbox decides, as in CAF's scheduler, who runs the actor: never two threads at once, and
/// in the order of arrival. A handler must not block, for then all links of the node stand still.
class inline_actor : public caf::event_based_actor {
public:
  explicit inline_actor(caf::actor_config& cfg);
  ~inline_actor() override;

  using caf::event_based_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* unit) override;

protected:
  /// Whether the I/O thread may carry out `what`: a small frame, unless the actor says otherwise.
  /// Asked on that thread while the actor may run on its own, so it reads nothing that the actor
  /// changes, but for atomics.
  [[nodiscard]] virtual bool is_little_work(const caf::type_erased_tuple& what) const {
    return is_small_frame(what);
  }

  /// A (frame_atom, bytes) of at most small_frame bytes.
  [[nodiscard]] static bool is_small_frame(const caf::type_erased_tuple& what);

private:
  /// Messages that the I/O thread handles before it gives the rest to the actor's own.
  static constexpr std::size_t max_messages = 16;

  void run_here();

  std::thread::id io_thread_;
  caf::scoped_execution_unit here_;
};

} // namespace paxtor::net
