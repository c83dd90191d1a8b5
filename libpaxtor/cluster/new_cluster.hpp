#pragma once

#include <cstdint>
#include <string>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::cluster {

/// A cluster of one, made of what one voter of a lost cluster still has.
struct new_cluster {
  /// Why there is none: one line; empty if there is.
  std::string why;

  /// What the voter's store is to hold.
  paxos::recovered state;
  cluster_id old_cluster;
  /// Slots behind the snapshot that were applied. Some may have been accepted here and never been
  /// decided.
  std::uint64_t applied = 0;
  /// Slots behind a gap: what stands in the gap is not known, so they cannot be applied.
  std::uint64_t left_out = 0;
};

/// For a majority of the voters that is lost for ever. What only the lost voters knew to be decided
/// is lost. Everything that this one accepted, without a gap behind its snapshot, is taken for
/// decided.
///
/// The voter gets the id `fresh`, and the cluster, which has no other voters, the id that follows
/// from it: so the old cluster's voters, should they come back, are strangers to it, and its log is
/// a log of its own (L5). Sessions of the old cluster are still open in its registry and expire by
/// silence, as after any change of leader (S1).
///
/// `name`: the voter's node; may be empty if the store knows it.
///
/// I53 the new cluster's id and the voter's are none of the old cluster's.
/// I54 the voter's promise is not below any reign of the registry, so its own reigns are not ghosts
///     (S3).
[[nodiscard]] new_cluster force_new_cluster(const paxos::recovered& old, voter_id fresh,
                                            std::string name = {});

/// The name that the store knows its voter by; empty if it does not.
[[nodiscard]] std::string name_of(const paxos::recovered& state);

} // namespace paxtor::cluster
