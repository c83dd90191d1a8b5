#include "test/sim/children.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iostream>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "test/sim/ledger.hpp"
#include "test/sim/report.hpp"
#include "test/sim/stop.hpp"

namespace paxtor::sim {

namespace {

struct child {
  pid_t pid = -1;
  int in = -1;
  std::string unread;
  std::uint64_t seed = 0;
  bool busy = false;
  bool enough = false;
};

void write_line(int out, const nlohmann::json& what) {
  auto line = what.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  for (std::size_t done = 0; done < line.size();) {
    auto n = ::write(out, line.data() + done, line.size() - done);
    if (n <= 0)
      ::_exit(3);
    done += static_cast<std::size_t>(n);
  }
}

/// One child: runs every n-th seed and writes one JSON line before and one after each.
void run_share(const campaign_options& options, const seed_turns& turns, unsigned which, int out) {
  for (std::size_t place = which; auto seed = turns.at(place); place += options.jobs) {
    write_line(out, {{"begin", *seed}});
    auto result = run_one(options, *seed);
    auto last = enough(options, result);
    write_line(out, {{"counts", to_json(result.counts)},
                     {"code", code_of(result)},
                     {"enough", last},
                     {"text", code_of(result) != 0 ? text_of(options, result) : ""}});
    if (last)
      break;
  }
}

/// A process that runs `what(pipe)` and ends. Returns false if there is none to be had.
template <class What>
bool spawn(child& out, What&& what) {
  int ends[2];
  if (::pipe(ends) != 0)
    return false;
  std::cout << std::flush;
  out.pid = ::fork();
  if (out.pid == 0) {
    ::close(ends[0]);
    what(ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  out.in = ends[0];
  return out.pid > 0;
}

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
    from.enough = json["enough"].get<bool>();
    book.take(counts, json["code"].get<int>(), json["text"].get<std::string>());
  }
}

/// Reads what a child wrote. Returns false at its end.
bool drain(child& from, ledger& book) {
  char buffer[65536];
  auto n = ::read(from.in, buffer, sizeof buffer);
  if (n < 0 && errno == EINTR)
    return true;
  if (n <= 0)
    return false;
  from.unread.append(buffer, static_cast<std::size_t>(n));
  for (auto end = from.unread.find('\n'); end != std::string::npos; end = from.unread.find('\n')) {
    take_line(from, from.unread.substr(0, end), book);
    from.unread.erase(0, end + 1);
  }
  return true;
}

int wait_for(child& which) {
  ::close(which.in);
  which.in = -1;
  int status = 0;
  while (::waitpid(which.pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string how_it_ended(int status) {
  return WIFSIGNALED(status) ? "was ended by signal " + std::to_string(WTERMSIG(status))
                             : "ended with status " + std::to_string(WEXITSTATUS(status));
}

void finish(child& which, const campaign_options& options, ledger& book) {
  const auto status = wait_for(which);
  which.pid = -1;
  if (!which.busy)
    return;
  run_options how{which.seed, options.steps, options.differs, 0, nullptr};
  book.take({}, 3,
            "crashed: the process that ran seed " + std::to_string(which.seed) + " "
              + how_it_ended(status) + "\n  replay: " + options.program + " " + how.replay()
              + "\n");
}

void ask_to_stop(const std::vector<child>& children) {
  for (const auto& c : children)
    if (c.pid > 0)
      (void)::kill(c.pid, SIGTERM);
}

} // namespace

seed_turns::seed_turns(const campaign_options& options) : options_(options) {
  if (options.time_limit)
    end_ = wall_clock::now() + *options.time_limit;
}

std::optional<std::uint64_t> seed_turns::at(std::size_t place) const {
  if (stop_asked() || (end_ && wall_clock::now() >= *end_))
    return std::nullopt;
  return options_.seeds.at(place);
}

int run_children(const campaign_options& options, const seed_turns& turns) {
  ledger book{options};
  std::vector<child> children(options.jobs);
  std::size_t open = 0;
  for (unsigned i = 0; i < options.jobs; ++i, ++open)
    if (!spawn(children[i], [&](int out) { run_share(options, turns, i, out); })) {
      std::cerr << "no process for a share of the seeds\n";
      ask_to_stop(children);
      return 3;
    }
  for (auto told = false; open > 0;) {
    // A signal from a terminal reaches them all; one from elsewhere reaches this process alone.
    if (stop_asked() && !std::exchange(told, true))
      ask_to_stop(children);
    std::vector<pollfd> wait;
    for (const auto& c : children)
      wait.push_back({c.in, POLLIN, 0}); // poll() skips negative ones
    if (::poll(wait.data(), wait.size(), 1000) <= 0)
      continue;
    for (std::size_t i = 0; i < children.size(); ++i)
      if (wait[i].revents != 0 && !drain(children[i], book)) {
        finish(children[i], options, book);
        --open;
        if (children[i].enough && !std::exchange(told, true))
          ask_to_stop(children);
      }
  }
  return book.close();
}

run_result run_apart(const run_options& options) {
  child apart;
  run_result out;
  out.seed = options.seed;
  out.steps = options.steps;
  out.replay = options.replay();
  auto begun = spawn(apart, [&](int pipe) {
    auto result = run(options);
    nlohmann::json line{{"refused", result.refused}, {"counts", to_json(result.counts)},
                        {"faults", result.faults},   {"actors", result.actors},
                        {"knobs", result.knobs},     {"tail", result.tail}};
    if (result.found)
      line["found"] = {static_cast<int>(result.found->kind), result.found->rule,
                       result.found->what};
    write_line(pipe, line);
  });
  if (!begun) {
    out.refused = "no process to run it in";
    return out;
  }
  std::string text;
  char buffer[65536];
  for (;;) {
    auto n = ::read(apart.in, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  const auto status = wait_for(apart);
  auto line = nlohmann::json::parse(text, nullptr, false);
  if (!line.is_object()) {
    out.found = finding{finding_kind::crashed, "process", "it " + how_it_ended(status)};
    out.counts.steps = options.steps;
    return out;
  }
  out.refused = line["refused"].get<std::string>();
  (void)from_json(line["counts"], out.counts);
  out.faults = line["faults"].get<std::uint64_t>();
  out.actors = line["actors"].get<std::uint64_t>();
  out.knobs = line["knobs"].get<std::string>();
  out.tail = line["tail"].get<std::vector<std::string>>();
  if (line.contains("found")) {
    const auto& found = line["found"];
    out.found = finding{static_cast<finding_kind>(found[0].get<int>()), found[1].get<std::string>(),
                        found[2].get<std::string>()};
  }
  return out;
}

} // namespace paxtor::sim
