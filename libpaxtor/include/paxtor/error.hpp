#pragma once

/// \file
/// How a request to the cluster can fail, and what the caller should do.

#include <cstdint>
#include <string>

#include <caf/error.hpp>
#include <caf/fwd.hpp>

namespace paxtor {

enum class errc : std::uint8_t {
  none = 0,
  /// Waiting would never end: the error text holds the cycle. Lock in one order, or several keys at
  /// once.
  deadlock,
  /// The deadline passed; the wait was withdrawn and nothing is held. Try again if it is still
  /// wanted.
  timed_out,
  /// lock_options::try_once: somebody else holds or waits for the key. Do something else.
  busy,
  /// No node of the cluster hosts this actor type. Start one that calls add_actor_type for it.
  no_host,
  /// The name already runs an actor of another type. Use another name, or that type.
  type_mismatch,
  /// The host could not start the actor; the text says why.
  start_failed,
  /// The singleton moved, or ended, before it could take the message. The request may be sent
  /// again.
  not_delivered,
  /// Too many messages wait for this name, or too many requests for this node. Send slower.
  overloaded,
  /// The node lost its session: what it held is not held any more, and its owners are stopped.
  ownership_lost,
  /// It may or may not have been done. Look (get, why, whereis) before it is tried again.
  outcome_unknown,
  /// This node is not in the cluster (it left, or is leaving). Join again.
  not_joined,
  /// Another node is in the cluster under this node's name. Choose another name.
  name_taken,
  /// The other side belongs to another cluster, or is set up differently; the text says how.
  wrong_cluster,
  /// A key, value or option is out of bounds or malformed; the text says which, and what to do.
  invalid,
  /// The address cannot be listened on or connected to, or a file cannot be read; the text says
  /// which.
  cannot_open,
};

/// A short name such as "timed_out".
[[nodiscard]] std::string to_string(errc code);

/// An error of Paxtor's category with a text for people.
[[nodiscard]] caf::error make_error(errc code, std::string text = {});

/// The code of `err`; errc::none if it is not one of Paxtor's.
[[nodiscard]] errc code_of(const caf::error& err);

/// One line for people: what happened and what to do. Works for errors of every category.
[[nodiscard]] std::string describe(const caf::error& err);

} // namespace paxtor
