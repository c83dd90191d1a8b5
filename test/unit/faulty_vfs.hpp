#pragma once

/// \file
/// A file system for SQLite that fails on command, and that loses power: a shim over the system's
/// own. It is SQLite's default while it lives.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <sqlite3.h>

#include "libpaxtor/base/random.hpp"

namespace paxtor::test {

class faulty_vfs {
public:
  enum class fault : std::uint8_t { none, sync, write, full, read };

  faulty_vfs();
  ~faulty_vfs();
  faulty_vfs(const faulty_vfs&) = delete;
  faulty_vfs& operator=(const faulty_vfs&) = delete;

  /// From the operation of this kind on that has `after` before it, all of its kind fail.
  void fail(fault what, std::uint64_t after = 0) {
    fault_ = what;
    after_ = after;
  }
  /// Whether one has failed since then.
  [[nodiscard]] bool failed() const { return failed_; }

  /// Calls `cut` just before the write or sync that has `after` before it.
  void cut_at(std::uint64_t after, std::function<void()> cut) {
    cut_after_ = after;
    cut_ = std::move(cut);
  }

  /// What a disk holds whose power is lost now, put into `directory`: all that was synced, and of
  /// what was written since any part, each write whole, torn or not at all.
  void power_cut(const std::string& directory, generator& random) const;

  /// One file as the disk has it, and what was written to it since it was synced.
  struct disk_file {
    std::string synced;
    struct change {
      std::uint64_t at = 0;
      std::string bytes;
      /// Instead of a write: cut to `at`.
      bool truncates = false;
    };
    std::deque<change> pending;

    static void carry_out(std::string& bytes, const change& what);
    void sync();
  };

  // -- for the functions that SQLite calls --------------------------------------------------------
  [[nodiscard]] bool strikes(fault what);
  void about_to_change();
  [[nodiscard]] std::shared_ptr<disk_file> disk(const std::string& path);
  void removed(const std::string& path) { disk_.erase(path); }

private:
  sqlite3_vfs vfs_{};
  sqlite3_vfs* real_;
  fault fault_ = fault::none;
  std::uint64_t after_ = 0;
  bool failed_ = false;
  std::uint64_t cut_after_ = 0;
  std::function<void()> cut_;
  std::map<std::string, std::shared_ptr<disk_file>> disk_;
};

} // namespace paxtor::test
