#pragma once

/// \file
/// Invariants of our own, checked in every build type. Never use these on peer or user input: bad
/// input is counted and refused, a broken invariant stops the process.

#include <string_view>

namespace paxtor {

/// What to do when an invariant is broken. The default prints one line to stderr and aborts.
using check_handler = void (*)(std::string_view invariant, std::string_view expression,
                               std::string_view file, int line);

/// Replaces the handler (the simulator's throws, so that a violation becomes a finding). Returns
/// the previous one. Call before any other thread runs.
check_handler set_check_handler(check_handler handler) noexcept;

/// Calls the handler, then aborts if it returned.
[[noreturn]] void check_failed(std::string_view invariant, std::string_view expression,
                               std::string_view file, int line);

} // namespace paxtor

/// Stops the process unless `cond` holds. `invariant` is the number in the header, such as "I3".
#define PAXTOR_CHECK(invariant, cond)                                                              \
  do {                                                                                             \
    if (!(cond)) [[unlikely]]                                                                      \
      ::paxtor::check_failed(invariant, #cond, __FILE__, __LINE__);                                \
  } while (false)
