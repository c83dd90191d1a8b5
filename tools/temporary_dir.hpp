#pragma once

#include <string>

namespace paxtor::tools {

/// A directory that is gone, with all that is in it, when this is.
class temporary_dir {
public:
  /// Makes PARENT/PREFIX-XXXXXX. Throws std::runtime_error that names the directory.
  temporary_dir(const std::string& parent, const std::string& prefix);
  ~temporary_dir();
  temporary_dir(const temporary_dir&) = delete;
  temporary_dir& operator=(const temporary_dir&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Removes those of this process that are left: for its end by a signal. REQUIRES: nobody writes
  /// there any more.
  static void remove_all();

private:
  std::string path_;
};

/// The kind of file system that a path lies on, as people call it: "ext4", "tmpfs".
[[nodiscard]] std::string file_system_of(const std::string& path);

} // namespace paxtor::tools
