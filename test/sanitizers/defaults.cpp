/// \file
/// What the sanitizers are told, in every program of a sanitized build: also those that a test
/// starts, whatever their environment. README.md says why each suppression is there.

#define PAXTOR_NOT_SANITIZED __attribute__((no_sanitize("address", "thread", "undefined")))

extern "C" {

PAXTOR_NOT_SANITIZED const char* __asan_default_options() {
  return "detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1:"
         "abort_on_error=0";
}

PAXTOR_NOT_SANITIZED const char* __ubsan_default_options() {
  return "print_stacktrace=1:halt_on_error=1";
}

PAXTOR_NOT_SANITIZED const char* __tsan_default_options() {
  // atexit_sleep_ms: by default a process waits a second before its end for more reports; the tests
  // of the watchdog measure when it ends.
  return "halt_on_error=1:second_deadlock_stack=1:history_size=5:atexit_sleep_ms=0";
}

PAXTOR_NOT_SANITIZED const char* __lsan_default_suppressions() {
  return "";
}

PAXTOR_NOT_SANITIZED const char* __tsan_default_suppressions() {
  // Only where libcaf itself calls new or delete: what our own code does under libcaf has no such
  // frame on its stack.
  return "race:^caf::scheduler::worker<\n"
         "race:^caf::scheduler::coordinator<\n"
         "race:^caf::detail::double_ended_queue<caf::resumable>::\n";
}

} // extern "C"
