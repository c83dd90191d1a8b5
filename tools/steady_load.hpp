#pragma once

/// \file
/// Load that writes down what it was told, so that a test can check all of it afterwards: owners
/// that say when they began and ended, and values that were acknowledged.
///
/// One line each, written at once (O_APPEND) by whom it happened to:
///   begin KEY TOKEN NS WAITED_NS [strict]   an owner of KEY may work from here on (CLOCK_BOOTTIME)
///   end KEY TOKEN NS [killed]      it does not any more; killed: it did not end by itself
///   put KEY VALUE                  the entry KEY is acknowledged to have this value

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/client.hpp"

namespace paxtor::tools {

struct load_options {
  std::string file;   ///< where the lines go
  std::string author; ///< what this process puts
  int keys = 3;       ///< that its owners, and those of other processes, compete for
  int owners = 4;     ///< at once
  int writers = 2;    ///< at once; entry n is put by every process, once
  std::uint64_t first_entry = 0;
  /// One of the owners takes this key, which nobody else wants, again and again: what it waits is
  /// what the cluster takes. Empty: it is as the others.
  std::string own_key{};
  /// How long an owner works at most, and what passes between two of them.
  std::chrono::milliseconds longest_work{8};
  std::chrono::milliseconds rest{0};
  /// Between two entries of a writer: a long run does not become a large one.
  std::chrono::milliseconds put_pause{10};
  /// So many of 100 owners take two keys at once.
  unsigned pairs_percent = 0;
  /// So many of 100 requests for a lock give up after `deadline`.
  unsigned deadline_percent = 0;
  std::chrono::milliseconds deadline{0};
  /// So many of 100 owners are strict.
  unsigned strict_percent = 0;
};

/// Runs until it is told to end. One per process.
class steady_load {
public:
  /// Throws std::runtime_error if the file cannot be written.
  steady_load(client& node, const load_options& how);
  ~steady_load();
  steady_load(const steady_load&) = delete;
  steady_load& operator=(const steady_load&) = delete;

  /// {"grants", "puts", "failed", "busy"}: acknowledged, refused or unknown, owners and writers
  /// that still run.
  [[nodiscard]] nlohmann::json counts() const;

  /// No new ones; those that run end by themselves.
  void stop();

  struct shared;

private:
  std::shared_ptr<shared> shared_;
};

} // namespace paxtor::tools
