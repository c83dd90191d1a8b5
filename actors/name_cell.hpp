#pragma once

/// \file
/// What a named handle and the node's name keeper share: the way to a singleton, or the messages
/// that wait for one.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include <caf/actor_control_block.hpp>
#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <caf/execution_unit.hpp>
#include <caf/mailbox_element.hpp>

#include "libpaxtor/base/term.hpp"
#include "libpaxtor/registry/commands.hpp"

namespace paxtor::actors {

class name_book;

/// The most messages that wait in one handle while its singleton is started or moves. Beyond, a
/// request is answered with errc::overloaded; what is no request is dropped and counted
/// (`dropped_messages` in cluster::status).
inline constexpr std::size_t max_waiting_messages = 1024;

/// One per name, type, arguments and interface that this node uses. `deliver` is called by any
/// thread, the rest by the name keeper. Kept alive by handles, and by the keeper while messages
/// wait or the name is in use.
///
/// I32 messages of one sender arrive in the order in which it sent them, also across a switch
/// between waiting and direct.
/// I33 when `disconnect` has returned, the old target gets no message any more.
class name_cell : public std::enable_shared_from_this<name_cell> {
public:
  name_cell(term name, registry::singleton_spec spec, std::set<std::string> interface,
            std::shared_ptr<name_book> book);
  ~name_cell();

  name_cell(const name_cell&) = delete;
  name_cell& operator=(const name_cell&) = delete;

  /// Passes `what` on to the singleton, or keeps it until there is one. The first message that
  /// waits tells the keeper.
  void deliver(caf::mailbox_element_ptr what, caf::execution_unit* context) {
    // Direct: two atomic additions, no lock, no mailbox of our own. Whoever changes the target
    // waits for `inside_`
    // (I33), so that it cannot go while it is used here.
    inside_.fetch_add(1);
    if (auto* to = target_.load()) {
      to->enqueue(std::move(what), context);
      inside_.fetch_sub(1);
      return;
    }
    inside_.fetch_sub(1);
    wait_or_refuse(std::move(what), context);
  }

  /// The singleton lives at `target`: hands over what waits, then everything goes there directly.
  void connect(const caf::strong_actor_ptr& target);

  /// Everything waits from now on. Returns when nobody is inside the old target any more (I33).
  void disconnect();

  /// Answers all that waits with `why`. The next message asks the keeper again.
  void refuse(const caf::error& why);

  /// This node leaves: refuses everything from now on.
  void close(const caf::error& why);

  [[nodiscard]] bool connected() const { return target_.load() != nullptr; }
  [[nodiscard]] std::size_t waiting() const;

  [[nodiscard]] const term& name() const { return name_; }
  [[nodiscard]] const registry::singleton_spec& spec() const { return spec_; }
  [[nodiscard]] const std::set<std::string>& interface() const { return interface_; }

  /// A handle is gone; the last one tells the keeper. By the thread that dropped it.
  void released();

  // -- the name book's ---------------------------------------------------------------------------
  /// Handles that exist: one, or none; for a moment two, when the last goes while a new one is
  /// made.
  std::atomic<int> users{0};
  /// Guarded by the book's mutex.
  caf::weak_actor_ptr handle;

private:
  void wait_or_refuse(caf::mailbox_element_ptr what, caf::execution_unit* context);
  void bounce(const caf::mailbox_element& what, const caf::error& why,
              caf::execution_unit* context);
  /// The singleton ended, or the link to it: called by its thread, perhaps while somebody is
  /// inside.
  void target_ended(caf::actor_control_block* which);

  const term name_;
  const registry::singleton_spec spec_;
  const std::set<std::string> interface_;
  const std::shared_ptr<name_book> book_;

  /// Set only under mutex_, cleared by anybody. Owned by `held_`.
  std::atomic<caf::actor_control_block*> target_{nullptr};
  std::atomic<std::uint64_t> inside_{0};

  mutable std::mutex mutex_;
  caf::strong_actor_ptr held_;
  std::deque<caf::mailbox_element_ptr> waiting_;
  bool asked_ = false;
  caf::error closed_;
};

/// To the name keeper: what became of a cell.
using name_wanted_atom = caf::atom_constant<caf::atom("pxWanted")>; ///< messages wait
using name_lost_atom =
  caf::atom_constant<caf::atom("pxLost")>; ///< its target ended, or cannot be reached
using name_idle_atom = caf::atom_constant<caf::atom("pxIdle")>; ///< its last handle is gone

} // namespace paxtor::actors
