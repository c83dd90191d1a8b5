#pragma once

/// \file
/// A node of the storm: one process after another under one name, on one machine.

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/storm/history.hpp"
#include "test/storm/plan.hpp"
#include "tools/process.hpp"
#include "tools/stamp.hpp"

namespace paxtor::storm {

/// The file `events` (history.hpp).
class journal {
public:
  /// Throws std::runtime_error.
  explicit journal(const std::string& path);
  ~journal();
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  void write(const std::string& line);

private:
  std::FILE* file_;
};

/// What all nodes of a storm have in common.
struct setup {
  std::string program;  ///< paxtor
  std::string guardian; ///< paxtor-guardian
  std::string work;     ///< the folder for all that is written
  std::string ttl;
  /// The flags that say how links are secured.
  std::vector<std::string> links{"--insecure"};
  int keys = 6;
  int names = 4;
};

class node {
public:
  node(machine at, const setup& how, std::string voters, journal& events);

  void start();
  /// Looks whether it has got ready, or has ended; starts it again when that is due.
  void look(boot_time now);

  void pause(bool guardian_too);
  void resume();
  void kill(bool guardian_too, boot_time back_at);
  /// It comes back without its store.
  void lose(bool guardian_too, boot_time back_at);
  /// In good order.
  void leave(boot_time back_at);
  void fill_disk();
  void empty_disk();
  /// Something that makes an end by the watchdog likely: this node was starved.
  void starved(boot_time now) { last_starved_ = now; }
  /// Starts it at once if it does not run.
  void come_back(boot_time now);
  /// It shall not start again.
  void stay_away() { back_at_.reset(), away_ = true; }
  /// Ends it with SIGABRT: a planted crash.
  void crash();

  [[nodiscard]] const machine& at() const { return at_; }
  [[nodiscard]] std::string life() const;
  [[nodiscard]] bool running() const { return child_ != nullptr; }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] bool ready() const { return ready_; }
  /// It runs, has joined, is not frozen, and nobody has told it to end.
  [[nodiscard]] bool up() const { return running() && ready_ && !paused_ && !killed_ && !leaving_; }
  [[nodiscard]] tools::process& process() { return *child_; }
  /// The names of all its lives.
  [[nodiscard]] std::vector<std::string> lives() const;
  [[nodiscard]] std::string records_of(const std::string& life) const;
  /// The end of what it said on stderr.
  [[nodiscard]] std::string last_words() const;

  /// Ends that nobody asked for, in words.
  [[nodiscard]] const std::vector<std::string>& crashes() const { return crashes_; }
  /// Ends by the watchdog, by a full disk, and because it could not join in time.
  [[nodiscard]] int watchdog_ends() const { return watchdog_ends_; }
  [[nodiscard]] int full_ends() const { return full_ends_; }
  [[nodiscard]] int joins_given_up() const { return joins_given_up_; }

  /// Called when it has joined.
  std::function<void()> on_ready{};

private:
  [[nodiscard]] std::string file(const std::string& name) const { return how_.work + "/" + name; }
  [[nodiscard]] std::string store() const { return file("disk-" + at_.name + "/data"); }
  [[nodiscard]] std::vector<std::string> command() const;
  void ended(int status, boot_time now);
  [[nodiscard]] bool stalled_lately(boot_time now) const;
  void signal_guardians(int number);

  const machine at_;
  const setup& how_;
  const std::string voters_;
  journal& events_;
  std::unique_ptr<tools::process> child_;
  std::unique_ptr<tools::life_sign> sign_;
  int number_ = 0;
  bool ready_ = false;
  bool paused_ = false;
  bool killed_ = false;
  bool leaving_ = false;
  bool lost_ = false;
  bool full_ = false;
  bool away_ = false;
  std::vector<pid_t> guardians_paused_;
  std::optional<boot_time> back_at_;
  boot_time last_full_{-std::chrono::hours{1}};
  boot_time last_starved_{-std::chrono::hours{1}};
  std::vector<std::string> crashes_;
  int watchdog_ends_ = 0;
  int full_ends_ = 0;
  int joins_given_up_ = 0;
};

/// The lines of a file; none if it cannot be read.
[[nodiscard]] std::vector<std::string> lines_of(const std::string& path);

} // namespace paxtor::storm
