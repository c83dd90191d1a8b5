#pragma once

/// \file
/// R5: where a singleton goes, decided inside apply from replicated state alone.

#include <cstdint>
#include <string_view>

#include "libpaxtor/base/term.hpp"
#include "libpaxtor/registry/commands.hpp"

namespace paxtor::registry {

struct session;
class sessions;

/// FNV-1a, 64 bits: fixed, so that replicas of different builds agree.
[[nodiscard]] std::uint64_t hash_text(std::string_view text);

/// The rendezvous score of a name on a node: the open session with the highest one hosts it. When a
/// node leaves, only its own names move.
[[nodiscard]] std::uint64_t rendezvous_score(std::uint64_t name_hash, std::uint64_t node_hash);

/// True if `who` is open, hosts the type, carries the wanted labels and has room.
[[nodiscard]] bool can_host(const session& who, const singleton_spec& spec);

/// The session that shall host `name`, or null if none can. Those that are drained get nothing.
/// Costs O(sessions).
[[nodiscard]] session* choose_host(sessions& among, const term& name, const singleton_spec& spec);

} // namespace paxtor::registry
