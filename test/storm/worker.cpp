#include "test/storm/worker.hpp"

#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "test/storm/probe.hpp"
#include "test/storm/singleton.hpp"
#include "tools/client.hpp"
#include "tools/exit_status.hpp"
#include "tools/stamp.hpp"
#include "tools/steady_load.hpp"

namespace paxtor::storm {

namespace {

using nlohmann::json;

struct worker_args {
  tools::settings given;
  std::string records;
  std::string stamp;
  std::string author;
  int keys = 6;
  int names = 4;
};

void say(const json& what) {
  std::cout << what.dump() + "\n" << std::flush;
}

/// The same file as the load's: each line is one write at its end.
line_writer writer_to(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  return [fd, path](const std::string& line) {
    const auto whole = line + "\n";
    if (write(fd, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
      _exit(tools::complain(path + ": " + std::strerror(errno), tools::exit_failure));
  };
}

class worker {
public:
  worker(tools::client& node, const worker_args& args, bool strict)
      : node_(node), args_(args), strict_(strict) {}

  void run() {
    std::string line;
    while (std::getline(std::cin, line)) {
      const auto order = json::parse(line, nullptr, false);
      if (!order.is_object())
        continue;
      auto answer = take(order);
      answer["id"] = order.value("id", 0);
      say(answer);
    }
  }

private:
  json take(const json& order) {
    const auto op = order.value("op", "");
    if (op == "go") {
      // It may be told again while it works.
      if (!std::exchange(working_, true))
        begin(order.value("first_entry", std::uint64_t{0}));
      return {{"ok", true}};
    }
    if (op == "rest" && std::exchange(working_, false)) {
      load_->stop();
      callers_->stop();
    }
    if (op == "probe")
      return probe(node_, order);
    return counts();
  }

  void begin(std::uint64_t first_entry) {
    tools::load_options how;
    how.file = args_.records;
    how.author = args_.author;
    how.keys = args_.keys;
    how.owners = 5;
    how.own_key = "own-" + args_.author.substr(0, args_.author.find('.'));
    how.writers = 1;
    how.first_entry = first_entry;
    how.longest_work = std::chrono::milliseconds{120};
    how.rest = std::chrono::milliseconds{60};
    how.put_pause = std::chrono::milliseconds{100};
    how.pairs_percent = 20;
    how.deadline_percent = 25;
    how.deadline = std::chrono::milliseconds{1500};
    how.strict_percent = strict_ ? 30 : 0;
    load_ = std::make_unique<tools::steady_load>(node_, how);
    callers_ = std::make_unique<callers>(node_, 2, args_.names, std::chrono::milliseconds{80});
  }

  [[nodiscard]] json counts() const {
    if (!load_)
      return {{"busy", 0}};
    auto result = load_->counts();
    result["busy"] = result["busy"].get<int>() + callers_->busy();
    result["failed"] = result["failed"].get<std::uint64_t>() + callers_->failed();
    result["calls"] = callers_->answered();
    return result;
  }

  tools::client& node_;
  const worker_args& args_;
  /// Strict owners want a data directory, which proves their end if no guardian can.
  const bool strict_;
  bool working_ = false;
  std::unique_ptr<tools::steady_load> load_;
  std::unique_ptr<callers> callers_;
};

int run_worker(const worker_args& args) {
  node_options options;
  std::string why;
  if (!args.given.resolve(tools::stay::node, options, why))
    return tools::complain(why, tools::exit_usage);
  const auto write = writer_to(args.records);
  tools::stall_watch stalls;
  stalls.every = std::chrono::milliseconds{1};
  stalls.tell = [write](std::chrono::nanoseconds from, std::chrono::nanoseconds until) {
    write("stall " + std::to_string(from.count()) + " " + std::to_string(until.count()));
  };
  if (!tools::stamp_until_death(args.stamp, stalls))
    return tools::complain(args.stamp + ": " + std::strerror(errno), tools::exit_unavailable);
  caf::error problem;
  const auto node = tools::client::join(options, tools::hosting::nothing, problem,
                                        [&](auto& config) { add_singleton_type(config, write); });
  if (!node)
    return tools::complain("cannot join: " + tools::why_not_joined(problem),
                           tools::exit_unavailable);
  say({{"ready", true}, {"pid", getpid()}});
  worker{*node, args, !options.data_dir.empty()}.run();
  return tools::exit_ok;
}

} // namespace

void add_worker_command(CLI::App& app, int& status) {
  auto args = std::make_shared<worker_args>();
  auto* sub = app.add_subcommand("worker", "A node under load, driven by JSON lines on stdin");
  sub->group("");
  args->given.add_to(*sub, tools::stay::node);
  sub->add_option("--records", args->records, "where it writes what it was told")->required();
  sub->add_option("--stamp", args->stamp, "the file that its signs of life go into")->required();
  sub->add_option("--author", args->author, "what it puts")->required();
  sub->add_option("--keys", args->keys, "keys that all workers compete for");
  sub->add_option("--names", args->names, "singletons that they all call");
  sub->callback([args, &status] { status = run_worker(*args); });
}

} // namespace paxtor::storm
