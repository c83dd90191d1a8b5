#include "test/sim/campaign.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iostream>

#include "test/sim/report.hpp"
#include "test/sim/world.hpp"

namespace paxtor::sim {

namespace {

/// The program may read a clock to say how fast it is; no run ever sees it.
using wall_clock = std::chrono::steady_clock;

double seconds_since(wall_clock::time_point begin) {
  return std::chrono::duration<double>(wall_clock::now() - begin).count();
}

run_result run_one(const campaign_options& options, std::uint64_t seed) {
  run_options how;
  how.seed = seed;
  how.steps = options.steps;
  if (options.trace) {
    how.follow = &std::cout;
    how.keep_lines = options.keep_lines;
  }
  auto result = run(how);
  if (options.twice && !result.found) {
    auto again = run(how);
    if (again.digest != result.digest)
      result.found = finding{finding_kind::crashed, "repeatable",
                             "two runs of this seed have different digests"};
  }
  if (result.found && !options.trace) {
    // The same run once more, with its story.
    how.keep_lines = options.keep_lines;
    auto told = run(how);
    result.tail = told.tail;
    if (told.digest != result.digest)
      result.found->what += " (and the run with its story has another digest)";
  }
  return result;
}

/// Gathers results and prints.
class ledger {
public:
  explicit ledger(const campaign_options& options)
      : options_(options), begin_(wall_clock::now()), told_(begin_) {}

  void take(const stats& counts, int code, const std::string& text) {
    add(all_, counts);
    if (code != 0) {
      ++findings_;
      code_ = code_ == 0 ? code : std::min(code_, code);
      (options_.json ? std::cout : std::cerr) << text << std::flush;
    }
    if (options_.progress_every != 0
        && wall_clock::now() - told_ > std::chrono::seconds{options_.progress_every}) {
      told_ = wall_clock::now();
      std::fprintf(stderr, "%llu of %zu seeds, %zu findings, %.0f s\n",
                   static_cast<unsigned long long>(all_.runs), options_.seeds.size(), findings_,
                   seconds_since(begin_));
    }
  }

  int close() {
    auto seconds = seconds_since(begin_);
    if (options_.json)
      std::cout << nlohmann::json{{"summary", to_json(all_)},
                                  {"findings", findings_},
                                  {"seconds", seconds}}
                     .dump()
                << "\n";
    else
      std::cout << summary(all_, findings_, seconds);
    std::cout << std::flush;
    return code_;
  }

private:
  const campaign_options& options_;
  wall_clock::time_point begin_;
  wall_clock::time_point told_;
  stats all_;
  std::size_t findings_ = 0;
  int code_ = 0;
};

int code_of(const run_result& result) {
  return result.found ? static_cast<int>(result.found->kind) : 0;
}

std::string text_of(const campaign_options& options, const run_result& result) {
  return options.json ? to_json(result).dump() + "\n" : explain(result, options.program);
}

int run_here(const campaign_options& options) {
  ledger book{options};
  for (auto seed : options.seeds) {
    auto result = run_one(options, seed);
    if (options.trace || options.seeds.size() == 1)
      std::printf("seed %llu digest %016llx\n", static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(result.digest));
    if (options.trace)
      std::printf("knobs: %s\n", result.knobs.c_str());
    book.take(result.counts, code_of(result), text_of(options, result));
    if (result.found && !options.keep_going)
      break;
  }
  return book.close();
}

/// One child: runs every n-th seed and writes one JSON line before and one after each.
void run_child(const campaign_options& options, unsigned which, int out) {
  auto write_line = [out](const nlohmann::json& what) {
    auto line = what.dump() + "\n";
    for (std::size_t done = 0; done < line.size();) {
      auto n = ::write(out, line.data() + done, line.size() - done);
      if (n <= 0)
        ::_exit(3);
      done += static_cast<std::size_t>(n);
    }
  };
  for (std::size_t i = which; i < options.seeds.size(); i += options.jobs) {
    write_line({{"begin", options.seeds[i]}});
    auto result = run_one(options, options.seeds[i]);
    write_line({{"counts", to_json(result.counts)},
                {"code", code_of(result)},
                {"text", result.found ? text_of(options, result) : ""}});
    if (result.found && !options.keep_going)
      break;
  }
}

struct child {
  pid_t pid = -1;
  int in = -1;
  std::string unread;
  std::uint64_t seed = 0;
  bool busy = false;
};

void take_line(child& from, const std::string& line, ledger& book) {
  auto json = nlohmann::json::parse(line, nullptr, false);
  if (json.contains("begin")) {
    from.seed = json["begin"].get<std::uint64_t>();
    from.busy = true;
    return;
  }
  stats counts;
  if (json.is_object() && from_json(json["counts"], counts)) {
    from.busy = false;
    book.take(counts, json["code"].get<int>(), json["text"].get<std::string>());
  }
}

/// Reads what a child wrote. Returns false at its end.
bool drain(child& from, ledger& book) {
  char buffer[65536];
  auto n = ::read(from.in, buffer, sizeof buffer);
  if (n <= 0)
    return false;
  from.unread.append(buffer, static_cast<std::size_t>(n));
  for (auto end = from.unread.find('\n'); end != std::string::npos; end = from.unread.find('\n')) {
    take_line(from, from.unread.substr(0, end), book);
    from.unread.erase(0, end + 1);
  }
  return true;
}

void finish(child& which, const campaign_options& options, ledger& book) {
  ::close(which.in);
  which.in = -1;
  int status = 0;
  ::waitpid(which.pid, &status, 0);
  if (which.busy)
    book.take({}, 3,
              "crashed: the process that ran seed " + std::to_string(which.seed)
                + " ended with status " + std::to_string(status) + "\n  replay: " + options.program
                + " --seed " + std::to_string(which.seed) + " --steps "
                + std::to_string(options.steps) + " --trace\n");
}

int run_children(const campaign_options& options) {
  ledger book{options};
  std::vector<child> children(options.jobs);
  std::cout << std::flush;
  for (unsigned i = 0; i < options.jobs; ++i) {
    int ends[2];
    if (::pipe(ends) != 0)
      return 3;
    auto pid = ::fork();
    if (pid < 0)
      return 3;
    if (pid == 0) {
      ::close(ends[0]);
      run_child(options, i, ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    children[i].pid = pid;
    children[i].in = ends[0];
  }
  for (auto open = children.size(); open > 0;) {
    std::vector<pollfd> wait;
    for (const auto& c : children)
      wait.push_back({c.in, POLLIN, 0}); // poll() skips negative ones
    if (::poll(wait.data(), wait.size(), -1) < 0)
      continue;
    for (std::size_t i = 0; i < children.size(); ++i)
      if (wait[i].revents != 0 && !drain(children[i], book)) {
        finish(children[i], options, book);
        --open;
      }
  }
  return book.close();
}

} // namespace

int run_campaign(const campaign_options& options) {
  install_check_handler();
  if (options.jobs > 1 && options.seeds.size() > 1 && !options.trace)
    return run_children(options);
  return run_here(options);
}

} // namespace paxtor::sim
