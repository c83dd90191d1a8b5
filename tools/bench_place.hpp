#pragma once

/// \file
/// Where a benchmark runs: the voters, what they keep their log in, and the client that measures.

#include <memory>
#include <string>

#include "tools/client.hpp"
#include "tools/settings.hpp"
#include "tools/team.hpp"

namespace CLI {
class App;
}

namespace paxtor::tools {

/// What a benchmark's own voters keep their log in.
struct bench_store {
  std::string kind = "memory";  ///< or "sqlite"
  std::string dir = "/var/tmp"; ///< where the data directories are made; gone afterwards

  /// Adds --store and --dir.
  void add_to(CLI::App& app);

  /// Adds --dir, for what needs a disk.
  void add_dir_to(CLI::App& app, const std::string& help);

  /// For `team`: empty with the memory store.
  [[nodiscard]] std::string under() const { return kind == "sqlite" ? dir : std::string{}; }

  /// "memory"; "sqlite, on ext4 (/var/tmp)".
  [[nodiscard]] std::string describe() const;
};

/// The cluster to measure: the one that --voters tells, or three processes of our own.
struct place {
  std::unique_ptr<team> own;
  std::unique_ptr<client> node;
  std::string where;
  std::string store;
};

/// False: `status` is what to exit with, and stderr has the reason.
bool find_place(const settings& given, const bench_store& store, place& out, int& status);

/// "2 cores, Linux 6.1".
[[nodiscard]] std::string this_machine();

/// While it lives, a signal ends the program, its children, and its temporary directories.
class clean_end {
public:
  clean_end();
  ~clean_end();
  clean_end(const clean_end&) = delete;
  clean_end& operator=(const clean_end&) = delete;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

} // namespace paxtor::tools
