#pragma once

/// \file
/// A node's guardian, as the node sees it: the secret that its certificate will show, and a thread
/// that keeps one guardian running.

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/guardian_program.hpp"
#include "actors/log.hpp"
#include "actors/plan.hpp"
#include "libpaxtor/base/ids.hpp"
#include "net/guardian/orders.hpp"

namespace paxtor::actors {

/// 32 random bytes; empty if the system has none to give.
[[nodiscard]] std::string make_secret();

struct guardian_setup {
  std::string node_name;
  /// As in node_options; empty: look for it.
  std::string program;
  /// All voters but this node.
  std::vector<plan::voter> voters;
  guardian::tls_files tls;
  /// As node_options::guardian_awaits.
  std::vector<int> awaits;
};

/// Sleeps unless the guardian has something to say. If the guardian ends first, another is started.
///
/// I43 at most one guardian of a node runs, and none after stop(true).
class guardian_keeper {
public:
  /// Null with `why` if there can be no guardian.
  [[nodiscard]] static std::unique_ptr<guardian_keeper> make(guardian_setup setup,
                                                             std::string& why);
  explicit guardian_keeper(guardian_setup setup);
  /// As stop(false).
  ~guardian_keeper();
  guardian_keeper(const guardian_keeper&) = delete;
  guardian_keeper& operator=(const guardian_keeper&) = delete;

  /// The SHA-256 of the secret: what the session is opened with.
  [[nodiscard]] std::string seal() const;
  [[nodiscard]] const std::string& secret() const { return secret_; }

  void start(node_id self);

  /// These are the voters from now on, all but this node: the guardian is told.
  void voters_are(std::vector<plan::voter> voters);

  /// `closed`: the session was closed in good order, so the guardian has nothing to report: it is
  /// told so, and gone when this returns. Else it stays until this process ends, and reports that.
  /// Idempotent.
  void stop(bool closed);

  [[nodiscard]] nlohmann::json status() const;

private:
  using clock = std::chrono::steady_clock;

  void run();
  void start_one();
  void hear();
  void lost();
  void resolve_again();
  /// Takes over what `voters_are` said.
  void take_voters();
  void tell_again();
  [[nodiscard]] std::vector<guardian::voter_address> resolve() const;
  void wake() const;

  guardian_setup setup_;
  logger log_;
  std::string secret_;
  node_id self_;
  int bell_ = -1;

  // The thread's.
  std::unique_ptr<guardian_child> child_;
  std::vector<guardian::voter_address> told_;
  clock::time_point started_at_{};
  clock::time_point next_try_{};
  clock::time_point resolved_at_{};
  std::chrono::milliseconds backoff_{0};
  std::string last_problem_;
  std::vector<plan::voter> voters_;
  bool has_names_ = false;

  mutable std::mutex mutex_;
  /// What setup or `voters_are` said last.
  std::vector<plan::voter> given_;
  bool stopping_ = false;
  bool closed_ = false;
  pid_t pid_ = -1;
  std::uint64_t starts_ = 0;
  guardian::report last_;
  std::thread thread_;
};

} // namespace paxtor::actors
