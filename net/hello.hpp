#pragma once

/// \file
/// Who may be linked with whom. Pure.

#include <string>

#include "libpaxtor/cluster/frame.hpp"

namespace paxtor::net {

enum class verdict : std::uint8_t { link, refuse, ourselves };

/// Whether a node that says `mine` links with one that says `theirs`. `why` is set on refuse: one
/// line, as this node tells it, that says what to do. Both sides come to the same verdict.
[[nodiscard]] verdict judge(const cluster::hello_frame& mine, const cluster::hello_frame& theirs,
                            std::string& why);

} // namespace paxtor::net
