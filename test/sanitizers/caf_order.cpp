/// \file
/// Tells ThreadSanitizer what libcaf orders. libcaf is not instrumented, so the atomics of its
/// mailboxes, work queues and reference counts are invisible, and every message would look like a
/// data race. A suppression would have to hide all that runs under libcaf, which is all of our
/// actors. Instead, these functions stand before CAF's own (a program's symbols come before a
/// library's), add the order that CAF guarantees, and go on to it:
///
/// - what was done before an actor is launched or a message is enqueued happens before the actor
///   handles it;
/// - one run of an actor happens before the next, whatever the thread. A run ends inside libcaf,
///   when the mailbox is found empty, and from then on another thread may run the actor, before
///   the function returns here. So each message handled is told at once;
/// - what was done with a message or an actor happens before its last reference deletes it: the
///   three functions that count down are short, so they stand here as a whole, with atomics that
///   are seen;
/// - what an ended actor never handled was enqueued before it is deleted.
///
/// Written for CAF 0.17.6 (mangled names, the three functions). With another version the names are
/// not used, and the reports come back.

#ifdef __SANITIZE_THREAD__

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <dlfcn.h>
#include <unistd.h>

#include <caf/actor_control_block.hpp>
#include <caf/ref_counted.hpp>

extern "C" void __tsan_acquire(void* addr);
extern "C" void __tsan_release(void* addr);

#define PAXTOR_UNSEEN __attribute__((no_sanitize("thread")))

namespace {

/// CAF's function of this name.
template <class Function>
PAXTOR_UNSEEN Function* next(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

} // namespace

/// Microseconds that each run of an actor takes to return after it has ended (probe.cpp).
std::atomic<unsigned> paxtor_late_return{0};

namespace {

PAXTOR_UNSEEN void return_late() {
  if (const auto time = paxtor_late_return.load(std::memory_order_relaxed); time > 0)
    ::usleep(time);
}

/// The blocking actor whose thread this is, while it receives.
thread_local void* receiving = nullptr;

/// The actor that ends in this thread, while it does.
thread_local void* ending = nullptr;

} // namespace

// (mailbox_element_ptr, execution_unit*); the pointer comes by reference.
#define PAXTOR_ENQUEUE_ARGS                                                                        \
  "ESt10unique_ptrINS_15mailbox_elementENS_6detail8disposerEEPNS_14execution_unitE"

// caf::scheduled_actor::enqueue
#define PAXTOR_ENQUEUE "_ZN3caf15scheduled_actor7enqueue" PAXTOR_ENQUEUE_ARGS
void enqueue(void* self, void* element, void* unit) __asm__(PAXTOR_ENQUEUE);
PAXTOR_UNSEEN void enqueue(void* self, void* element, void* unit) {
  static auto* const go_on = next(&enqueue, PAXTOR_ENQUEUE);
  __tsan_release(self);
  go_on(self, element, unit);
}

// caf::blocking_actor::enqueue
#define PAXTOR_BLOCKING_ENQUEUE "_ZN3caf14blocking_actor7enqueue" PAXTOR_ENQUEUE_ARGS
void blocking_enqueue(void* self, void* element, void* unit) __asm__(PAXTOR_BLOCKING_ENQUEUE);
PAXTOR_UNSEEN void blocking_enqueue(void* self, void* element, void* unit) {
  static auto* const go_on = next(&blocking_enqueue, PAXTOR_BLOCKING_ENQUEUE);
  __tsan_release(self);
  go_on(self, element, unit);
}

// caf::scheduled_actor::launch(execution_unit*, bool, bool)
#define PAXTOR_LAUNCH "_ZN3caf15scheduled_actor6launchEPNS_14execution_unitEbb"
void launch(void* self, void* unit, bool lazy, bool hide) __asm__(PAXTOR_LAUNCH);
PAXTOR_UNSEEN void launch(void* self, void* unit, bool lazy, bool hide) {
  static auto* const go_on = next(&launch, PAXTOR_LAUNCH);
  __tsan_release(self);
  go_on(self, unit, lazy, hide);
}

// caf::scheduled_actor::resume(execution_unit*, size_t)
#define PAXTOR_RESUME "_ZN3caf15scheduled_actor6resumeEPNS_14execution_unitEm"
int resume(void* self, void* unit, std::size_t most) __asm__(PAXTOR_RESUME);
PAXTOR_UNSEEN int resume(void* self, void* unit, std::size_t most) {
  static auto* const go_on = next(&resume, PAXTOR_RESUME);
  __tsan_acquire(self);
  const auto result = go_on(self, unit, most);
  return_late();
  __tsan_release(self);
  return result;
}

// The same, called through the actor's base caf::resumable, which lies 160 bytes into it.
#define PAXTOR_RESUME_BASE "_ZThn160_N3caf15scheduled_actor6resumeEPNS_14execution_unitEm"
int resume_base(std::byte* base, void* unit, std::size_t most) __asm__(PAXTOR_RESUME_BASE);
PAXTOR_UNSEEN int resume_base(std::byte* base, void* unit, std::size_t most) {
  static auto* const go_on = next(&resume_base, PAXTOR_RESUME_BASE);
  __tsan_acquire(base - 160);
  const auto result = go_on(base, unit, most);
  return_late();
  __tsan_release(base - 160);
  return result;
}

// caf::scheduled_actor::finalize(): deletes what is left in the mailbox, without a look at it.
#define PAXTOR_FINALIZE "_ZN3caf15scheduled_actor8finalizeEv"
bool finalize(void* self) __asm__(PAXTOR_FINALIZE);
PAXTOR_UNSEEN bool finalize(void* self) {
  static auto* const go_on = next(&finalize, PAXTOR_FINALIZE);
  auto* const outer = ending;
  ending = self;
  const bool result = go_on(self);
  ending = outer;
  return result;
}

// caf::memory_managed::request_deletion(bool) const: a mailbox's elements, which nobody counts
// references to.
#define PAXTOR_DELETION "_ZNK3caf14memory_managed16request_deletionEb"
void request_deletion(void* self, bool counted) __asm__(PAXTOR_DELETION);
PAXTOR_UNSEEN void request_deletion(void* self, bool counted) {
  static auto* const go_on = next(&request_deletion, PAXTOR_DELETION);
  if (ending != nullptr)
    __tsan_acquire(ending);
  go_on(self, counted);
}

// caf::scheduled_actor::consume(mailbox_element&)
#define PAXTOR_CONSUME "_ZN3caf15scheduled_actor7consumeERNS_15mailbox_elementE"
int consume(void* self, void* element) __asm__(PAXTOR_CONSUME);
PAXTOR_UNSEEN int consume(void* self, void* element) {
  static auto* const go_on = next(&consume, PAXTOR_CONSUME);
  __tsan_acquire(self);
  const auto result = go_on(self, element);
  __tsan_release(self);
  return result;
}

// caf::scheduled_actor::activate(execution_unit*): the first run, which may handle no message.
#define PAXTOR_ACTIVATE "_ZN3caf15scheduled_actor8activateEPNS_14execution_unitE"
bool activate(void* self, void* unit) __asm__(PAXTOR_ACTIVATE);
PAXTOR_UNSEEN bool activate(void* self, void* unit) {
  static auto* const go_on = next(&activate, PAXTOR_ACTIVATE);
  const auto result = go_on(self, unit);
  __tsan_release(self);
  return result;
}

// caf::blocking_actor::receive_impl(receive_cond&, message_id, blocking_behavior&)
#define PAXTOR_RECEIVE                                                                             \
  "_ZN3caf14blocking_actor12receive_implERNS0_12receive_condENS_10message_idERNS_6detail17"        \
  "blocking_behaviorE"
void receive(void* self, void* condition, std::uint64_t id, void* behavior) __asm__(PAXTOR_RECEIVE);
PAXTOR_UNSEEN void receive(void* self, void* condition, std::uint64_t id, void* behavior) {
  static auto* const go_on = next(&receive, PAXTOR_RECEIVE);
  auto* const outer = receiving;
  receiving = self;
  go_on(self, condition, id, behavior);
  receiving = outer;
}

// caf::type_erased_tuple::matches(size_t, uint16_t, const std::type_info*) const: the first look
// into a message. That is where a blocking actor gets it: the mailbox itself is all inside libcaf.
#define PAXTOR_MATCHES "_ZNK3caf17type_erased_tuple7matchesEmtPKSt9type_info"
bool matches(void* tuple, std::size_t at, std::uint16_t number, void* type) __asm__(PAXTOR_MATCHES);
PAXTOR_UNSEEN bool matches(void* tuple, std::size_t at, std::uint16_t number, void* type) {
  static auto* const go_on = next(&matches, PAXTOR_MATCHES);
  if (receiving != nullptr)
    __tsan_acquire(receiving);
  return go_on(tuple, at, number, type);
}

namespace caf {

void ref_counted::deref() const noexcept {
  if (unique())
    request_deletion(false);
  else if (rc_.fetch_sub(1) == 1)
    request_deletion(true);
}

void intrusive_ptr_release_weak(actor_control_block* x) {
  if (x->weak_refs == 1 || x->weak_refs.fetch_sub(1) == 1)
    x->block_dtor(x);
}

void intrusive_ptr_release(actor_control_block* x) {
  if (x->strong_refs.fetch_sub(1) == 1) {
    x->data_dtor(x->get());
    intrusive_ptr_release_weak(x);
  }
}

} // namespace caf

#endif // __SANITIZE_THREAD__
