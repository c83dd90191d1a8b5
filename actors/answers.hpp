#pragma once

/// \file
/// From what the session agent says to what the door's callers get.

#include <memory>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <paxtor/error.hpp>
#include <paxtor/grant.hpp>

#include "libpaxtor/cluster/agent.hpp"

namespace paxtor::actors {

[[nodiscard]] errc code_for(cluster::failure what);

[[nodiscard]] caf::error error_for(const cluster::failed& what);

[[nodiscard]] grant grant_for(const cluster::granted& what, session_id session,
                              std::shared_ptr<const detail::lease_view> lease);

[[nodiscard]] whereabouts whereabouts_for(const registry::location& what);

/// A put's answer: the value that was chosen first.
[[nodiscard]] document document_for(const cluster::stored& what);

/// ERRORS: invalid: the registry refused the question.
[[nodiscard]] caf::expected<document> document_for(const cluster::replied& what, bool entry);

} // namespace paxtor::actors
