#include "actors/name_cell.hpp"

#include <thread>
#include <utility>

#include <caf/abstract_actor.hpp>
#include <caf/make_message.hpp>
#include <caf/system_messages.hpp>

#include <paxtor/error.hpp>

#include "actors/name_book.hpp"

namespace paxtor::actors {

namespace {

/// Orders to end, and news of ends: no reason to start a singleton.
bool starts_nothing(const caf::mailbox_element& what) {
  const auto type = what.content().type_token();
  return type == caf::make_type_token<caf::exit_msg>()
         || type == caf::make_type_token<caf::down_msg>();
}

} // namespace

name_cell::name_cell(term name, registry::singleton_spec spec, std::set<std::string> interface,
                     std::shared_ptr<name_book> book)
    : name_(std::move(name)),
      spec_(std::move(spec)),
      interface_(std::move(interface)),
      book_(std::move(book)) {}

name_cell::~name_cell() = default;

void name_cell::bounce(const caf::mailbox_element& what, const caf::error& why,
                       caf::execution_unit* context) {
  if (what.sender && what.mid.is_request())
    what.sender->enqueue(nullptr, what.mid.response_id(), caf::make_message(why), context);
  else
    book_->count_dropped();
}

void name_cell::wait_or_refuse(caf::mailbox_element_ptr what, caf::execution_unit* context) {
  caf::error why;
  {
    std::lock_guard guard{mutex_};
    if (auto* to = target_.load()) {
      // Connected in between. Under the mutex nobody takes the target away.
      to->enqueue(std::move(what), context);
      return;
    }
    if (closed_) {
      why = closed_;
    } else if (starts_nothing(*what)) {
      why = make_error(errc::not_delivered, "the singleton " + name_.text() + " does not run");
    } else if (waiting_.size() >= max_waiting_messages) {
      why =
        make_error(errc::overloaded, "more than " + std::to_string(max_waiting_messages)
                                       + " messages wait for " + name_.text() + ": send slower");
    } else {
      waiting_.push_back(std::move(what));
      if (!std::exchange(asked_, true))
        book_->tell(name_wanted_atom::value, shared_from_this());
      return;
    }
  }
  bounce(*what, why, context);
}

void name_cell::connect(const caf::strong_actor_ptr& target) {
  if (!target)
    return;
  disconnect();
  {
    std::lock_guard guard{mutex_};
    if (closed_)
      return;
    held_ = target;
    asked_ = false;
    // I32: what waits goes first; who sends now stands at the mutex until the way is direct.
    for (auto& what : waiting_)
      target->enqueue(std::move(what), nullptr);
    waiting_.clear();
    target_.store(target.get());
  }
  // Called at once if the target has ended already. No handle is kept alive by a singleton, nor the
  // other way round.
  auto* raw = target.get();
  target->get()->attach_functor([weak = weak_from_this(), raw] {
    if (auto self = weak.lock())
      self->target_ended(raw);
  });
}

void name_cell::target_ended(caf::actor_control_block* which) {
  // Not disconnect(): this thread may be inside the target itself. held_ keeps it valid for those
  // who are.
  if (target_.compare_exchange_strong(which, nullptr))
    book_->tell(name_lost_atom::value, shared_from_this());
}

void name_cell::disconnect() {
  caf::strong_actor_ptr old;
  {
    std::lock_guard guard{mutex_};
    target_.store(nullptr);
    old = std::move(held_);
    held_ = nullptr;
  }
  if (!old)
    return;
  // I33: who came inside before the store above may still be at it; who comes later sees no target.
  // Being inside is a few hundred nanoseconds.
  while (inside_.load() != 0)
    std::this_thread::yield();
}

void name_cell::refuse(const caf::error& why) {
  std::deque<caf::mailbox_element_ptr> refused;
  {
    std::lock_guard guard{mutex_};
    refused.swap(waiting_);
    asked_ = false;
  }
  for (const auto& what : refused)
    bounce(*what, why, nullptr);
}

void name_cell::close(const caf::error& why) {
  disconnect();
  {
    std::lock_guard guard{mutex_};
    closed_ = why;
  }
  refuse(why);
}

void name_cell::released() {
  if (users.fetch_sub(1) == 1)
    book_->tell(name_idle_atom::value, shared_from_this());
}

std::size_t name_cell::waiting() const {
  std::lock_guard guard{mutex_};
  return waiting_.size();
}

} // namespace paxtor::actors
