#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include "libpaxtor/base/ids.hpp"

namespace paxtor::actors {

/// The data directory of a voter that is to go on alone, because a majority is lost for ever
/// (cluster::force_new_cluster). It holds the directory's lock, so no node runs with it. Nothing is
/// changed before `carry_out`.
class lone_store {
public:
  /// What it would be.
  struct outlook {
    cluster_id old_cluster;
    cluster_id cluster;
    std::string name;
    voter_id voter;
    slot upto;
    std::uint64_t applied = 0;
    std::uint64_t left_out = 0;
  };

  /// `name`: the node's, if the store does not tell it. ERRORS: cannot_open: no store, in use,
  /// damaged, nothing to save.
  [[nodiscard]] static caf::expected<std::unique_ptr<lone_store>> open(const std::string& directory,
                                                                       const std::string& name);
  ~lone_store();
  lone_store(const lone_store&) = delete;
  lone_store& operator=(const lone_store&) = delete;

  [[nodiscard]] const outlook& future() const;

  /// In one transaction: all of it or nothing. ERRORS: cannot_open: what the disk said.
  [[nodiscard]] caf::error carry_out();

private:
  struct impl;

  lone_store();

  std::unique_ptr<impl> impl_;
};

} // namespace paxtor::actors
