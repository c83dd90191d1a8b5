/// \file
/// Tells ThreadSanitizer what libcaf orders. libcaf is not instrumented, so the atomics of its mailboxes, work queues and
/// reference counts are invisible, and every message would look like a data race. A suppression would have to
/// hide all that runs under libcaf, which is all of our actors. Instead, these functions stand before CAF's own
/// (a program's symbols come before a library's), add the order that CAF guarantees, and go on to it:
///
/// - what was done before an actor is launched or a message is enqueued happens before the actor handles it;
/// - one run of an actor happens before the next, whatever the thread;
/// - what was done with a message or an actor happens before its last reference deletes it: the three functions that
///   count down are short, so they stand here as a whole, with atomics that are seen.
///
/// Written for CAF 0.17.6 (mangled names, the three functions). With another version the names are not used, and the
/// reports come back.

#ifdef __SANITIZE_THREAD__

#include <cstddef>
#include <cstdint>

#include <dlfcn.h>

#include <caf/actor_control_block.hpp>
#include <caf/ref_counted.hpp>

extern "C" void __tsan_acquire(void* addr);
extern "C" void __tsan_release(void* addr);

namespace {

#define PAXTOR_UNSEEN __attribute__((no_sanitize("thread")))

/// CAF's function of this name.
template <class Function>
PAXTOR_UNSEEN Function* next(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

PAXTOR_UNSEEN std::byte* at(void* base, std::ptrdiff_t offset) {
  return static_cast<std::byte*>(base) + offset;
}

/// The blocking actor whose thread this is, while it receives.
thread_local void* receiving = nullptr;

} // namespace

#define PAXTOR_NEXT(name) static auto* const go_on = next(&name, #name)

extern "C" {

// caf::scheduled_actor::enqueue(mailbox_element_ptr, execution_unit*); the pointer comes by reference.
PAXTOR_UNSEEN void
_ZN3caf15scheduled_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_6detail8disposerEEPNS_14execution_unitE(
  void* self, void* element, void* unit) {
  PAXTOR_NEXT(
    _ZN3caf15scheduled_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_6detail8disposerEEPNS_14execution_unitE);
  __tsan_release(self);
  go_on(self, element, unit);
}

// caf::scheduled_actor::launch(execution_unit*, bool lazy, bool hide)
PAXTOR_UNSEEN void _ZN3caf15scheduled_actor6launchEPNS_14execution_unitEbb(void* self, void* unit, bool lazy,
                                                                           bool hide) {
  PAXTOR_NEXT(_ZN3caf15scheduled_actor6launchEPNS_14execution_unitEbb);
  __tsan_release(self);
  go_on(self, unit, lazy, hide);
}

// caf::scheduled_actor::resume(execution_unit*, size_t)
PAXTOR_UNSEEN int _ZN3caf15scheduled_actor6resumeEPNS_14execution_unitEm(void* self, void* unit, std::size_t most) {
  PAXTOR_NEXT(_ZN3caf15scheduled_actor6resumeEPNS_14execution_unitEm);
  __tsan_acquire(self);
  const auto result = go_on(self, unit, most);
  __tsan_release(self);
  return result;
}

// The same through its base caf::resumable, which lies 160 bytes into the actor.
PAXTOR_UNSEEN int _ZThn160_N3caf15scheduled_actor6resumeEPNS_14execution_unitEm(void* base, void* unit,
                                                                               std::size_t most) {
  PAXTOR_NEXT(_ZThn160_N3caf15scheduled_actor6resumeEPNS_14execution_unitEm);
  auto* self = at(base, -160);
  __tsan_acquire(self);
  const auto result = go_on(base, unit, most);
  __tsan_release(self);
  return result;
}

// caf::scheduled_actor::consume(mailbox_element&)
PAXTOR_UNSEEN int _ZN3caf15scheduled_actor7consumeERNS_15mailbox_elementE(void* self, void* element) {
  PAXTOR_NEXT(_ZN3caf15scheduled_actor7consumeERNS_15mailbox_elementE);
  __tsan_acquire(self);
  return go_on(self, element);
}

// caf::blocking_actor::enqueue(mailbox_element_ptr, execution_unit*)
PAXTOR_UNSEEN void
_ZN3caf14blocking_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_6detail8disposerEEPNS_14execution_unitE(
  void* self, void* element, void* unit) {
  PAXTOR_NEXT(
    _ZN3caf14blocking_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_6detail8disposerEEPNS_14execution_unitE);
  __tsan_release(self);
  go_on(self, element, unit);
}

// caf::blocking_actor::receive_impl(receive_cond&, message_id, blocking_behavior&)
PAXTOR_UNSEEN void
_ZN3caf14blocking_actor12receive_implERNS0_12receive_condENS_10message_idERNS_6detail17blocking_behaviorE(
  void* self, void* condition, std::uint64_t id, void* behavior) {
  PAXTOR_NEXT(
    _ZN3caf14blocking_actor12receive_implERNS0_12receive_condENS_10message_idERNS_6detail17blocking_behaviorE);
  auto* const outer = receiving;
  receiving = self;
  go_on(self, condition, id, behavior);
  receiving = outer;
}

// caf::type_erased_tuple::matches(size_t, uint16_t, const std::type_info*) const: the first look into a message. That is where
// a blocking actor gets it: the mailbox itself is all inside libcaf.
PAXTOR_UNSEEN bool _ZNK3caf17type_erased_tuple7matchesEmtPKSt9type_info(void* tuple, std::size_t at, std::uint16_t number,
                                                                        void* type) {
  PAXTOR_NEXT(_ZNK3caf17type_erased_tuple7matchesEmtPKSt9type_info);
  if (receiving != nullptr)
    __tsan_acquire(receiving);
  return go_on(tuple, at, number, type);
}

} // extern "C"

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
