#include "tools/temporary_dir.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <stdexcept>
#include <system_error>

#include <linux/magic.h>
#include <sys/vfs.h>

namespace paxtor::tools {

namespace {

/// Those that are there now.
struct register_of_all {
  std::mutex mutex;
  std::set<std::string> paths;
};

register_of_all& all() {
  static register_of_all result;
  return result;
}

void remove(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

} // namespace

temporary_dir::temporary_dir(const std::string& parent, const std::string& prefix)
    : path_(parent + "/" + prefix + "-XXXXXX") {
  const std::lock_guard guard{all().mutex};
  if (mkdtemp(path_.data()) == nullptr)
    throw std::runtime_error("cannot make a directory in " + parent + ": " + std::strerror(errno));
  all().paths.insert(path_);
}

temporary_dir::~temporary_dir() {
  remove(path_);
  const std::lock_guard guard{all().mutex};
  all().paths.erase(path_);
}

void temporary_dir::remove_all() {
  const std::lock_guard guard{all().mutex};
  for (const auto& path : all().paths)
    remove(path);
}

std::string file_system_of(const std::string& path) {
  struct statfs found {};
  if (statfs(path.c_str(), &found) != 0)
    return "unknown";
  switch (static_cast<unsigned long>(found.f_type)) {
    case EXT4_SUPER_MAGIC:
      return "ext4";
    case TMPFS_MAGIC:
      return "tmpfs";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case XFS_SUPER_MAGIC:
      return "xfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlay";
    case NFS_SUPER_MAGIC:
      return "nfs";
    default:
      return "another file system";
  }
}

} // namespace paxtor::tools
