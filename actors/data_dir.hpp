#pragma once

/// \file
/// A node's data directory: one process at a time holds its lock, and finds there which node was
/// run with it before.
///
/// F4: the lock is free only when the process that held it has ended (the kernel drops it with the
/// last thread), so whoever has it can prove that end. It proves nothing if it may be another lock:
/// on a network file system, in a directory that was copied or restored, or after somebody removed
/// the lock file. Then the lives in it are forgotten without a word to the cluster.
///
/// I41 a life is certified only if this process holds the very lock (machine, device, inode) that
/// the life wrote down.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <caf/expected.hpp>

#include "libpaxtor/base/ids.hpp"

namespace paxtor::actors {

/// Earlier lives that are kept until their end is certified; the oldest go.
inline constexpr std::size_t max_lives_kept = 16;

/// One run of a node with this directory.
struct node_life {
  node_id node;
  std::string secret; ///< whose SHA-256 is the seal of its sessions
  std::string name;
};

/// Safe to use from any thread once it is open.
class data_dir {
public:
  /// Makes the directory if needed and takes its lock.
  /// ERRORS: cannot_open: which process has it, or what the system says.
  [[nodiscard]] static caf::expected<std::unique_ptr<data_dir>> open(const std::string& path,
                                                                     const std::string& node_name);
  ~data_dir();
  data_dir(const data_dir&) = delete;
  data_dir& operator=(const data_dir&) = delete;

  /// Lives that have ended, whose end nobody has certified yet.
  [[nodiscard]] std::vector<node_life> ended() const;

  /// Why lives in it were forgotten, one line; empty: none was.
  [[nodiscard]] const std::string& forgotten() const { return forgotten_; }

  /// This process's own, durable when it returns. ERRORS: cannot_open.
  [[nodiscard]] caf::error begin(node_life life);

  /// The end of that life is known to the cluster (or it left in good order).
  void forget(node_id node);

private:
  data_dir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  [[nodiscard]] caf::error load();
  [[nodiscard]] caf::error save() const;

  const std::string path_;
  int lock_;
  /// Which lock this is: machine, device and inode.
  std::string identity_;
  mutable std::mutex mutex_;
  std::vector<node_life> ended_;
  std::vector<node_life> own_;
  std::string forgotten_;
};

/// Keeps every node out of a data directory while somebody looks into it. Makes and changes
/// nothing; several may look at once.
class data_dir_visit {
public:
  /// ERRORS: cannot_open: there is no such directory, or which process has it.
  [[nodiscard]] static caf::expected<std::unique_ptr<data_dir_visit>> open(const std::string& path);
  ~data_dir_visit();
  data_dir_visit(const data_dir_visit&) = delete;
  data_dir_visit& operator=(const data_dir_visit&) = delete;

private:
  explicit data_dir_visit(int lock) : lock_(lock) {}

  /// -1: no node has ever used it, so it has no lock.
  int lock_;
};

} // namespace paxtor::actors
