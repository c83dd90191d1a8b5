#include "net/inline_actor.hpp"

#include <string>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/detail/private_thread.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/sec.hpp>

#include "net/hub.hpp"

#ifdef __SANITIZE_THREAD__
extern "C" void __tsan_release(void* addr);
extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line);
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);
#endif

namespace paxtor::net {

namespace {

/// The mailbox's push_back. ThreadSanitizer is told of it what test/sanitizers/caf_order.cpp tells
/// of CAF's own `enqueue`, and sees as little of its inside: the other half is in libcaf.
caf::intrusive::inbox_result put(caf::scheduled_actor& whose, caf::mailbox_element_ptr what) {
#ifdef __SANITIZE_THREAD__
  __tsan_release(&whose);
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
  const auto result = whose.mailbox().push_back(std::move(what));
#ifdef __SANITIZE_THREAD__
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
#endif
  return result;
}

} // namespace

inline_actor::inline_actor(caf::actor_config& cfg)
    : caf::event_based_actor(cfg), here_(&home_system()) {
  if (home_system().has_middleman())
    io_thread_ = home_system().middleman().backend().thread_id();
}

inline_actor::~inline_actor() = default;

bool inline_actor::is_small_frame(const caf::type_erased_tuple& what) {
  return what.match_elements<frame_atom, std::string>()
         && what.get_as<std::string>(1).size() <= small_frame;
}

void inline_actor::enqueue(caf::mailbox_element_ptr what, caf::execution_unit* unit) {
  // Without a thread of its own it is the scheduler's.
  if (std::this_thread::get_id() != io_thread_ || private_thread_ == nullptr
      || !is_little_work(what->content())) {
    caf::event_based_actor::enqueue(std::move(what), unit);
    return;
  }
  // As CAF's own does it, but for who runs an actor that was idle.
  const auto id = what->mid;
  const auto sender = what->sender;
  switch (put(*this, std::move(what))) {
    case caf::intrusive::inbox_result::unblocked_reader:
      run_here();
      break;
    case caf::intrusive::inbox_result::queue_closed:
      if (id.is_request())
        caf::detail::sync_request_bouncer{caf::sec::request_receiver_down}(sender, id);
      break;
    case caf::intrusive::inbox_result::success:
      break;
  }
}

void inline_actor::run_here() {
  // Whoever wakes an actor holds a reference until it rests again: here this thread, or its own.
  intrusive_ptr_add_ref(ctrl());
  if (resume(&here_, max_messages) == caf::resumable::resume_later)
    private_thread_->resume();
  else
    intrusive_ptr_release(ctrl());
}

} // namespace paxtor::net
