#pragma once

/// \file
/// The guardian: a process beside a node's process, which proves to the voters that the node's has
/// ended (F4). Silence proves nothing, and neither does a connection that was reset; but the kernel
/// of the host knows, and a pidfd tells it.
///
///   node's process --socketpair (orders.hpp)--> guardian ==links (voter_link.hpp)==> voters
///
/// I39 A certificate leaves only after the kernel said that all threads of the ward are gone (its
///     pidfd is readable), and after everything that its end has to wait for has said that it is
///     over: one byte on each awaited descriptor. One that closes without saying so proves nothing,
///     and then neither does the guardian: the ttl decides.
/// I40 The guardian is gone 5 s after its ward at the latest, whatever the network does.

#include <chrono>

namespace paxtor::guardian {

/// How long a certificate is tried for; a second later than `give_up_after` at the latest the
/// kernel ends the process.
inline constexpr std::chrono::milliseconds give_up_after{4500};
/// Or until every voter's host has refused to connect for this long: nobody is left to tell. (A
/// voter that is only being started again is not there to be told either; then the ttl decides.)
inline constexpr std::chrono::milliseconds refused_for{2000};
/// Between sending it again on a link, growing.
inline constexpr std::chrono::milliseconds resend_min{20};
inline constexpr std::chrono::milliseconds resend_max{100};

/// The whole life of a guardian; `order_socket` is its end of the socketpair. Returns the exit
/// status. Needs no thread and, while nothing happens, no CPU.
[[nodiscard]] int run(int order_socket);

} // namespace paxtor::guardian
