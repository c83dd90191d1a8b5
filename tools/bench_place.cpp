#include "tools/bench_place.hpp"

#include <thread>

#include <sys/utsname.h>

#include <CLI/CLI.hpp>

#include "tools/exit_status.hpp"
#include "tools/guard_child.hpp"
#include "tools/signals.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

void bench_store::add_to(CLI::App& app) {
  app.add_option("--store", kind, "what the voters keep their log in: memory or sqlite")
    ->check(CLI::IsMember({"memory", "sqlite"}))
    ->capture_default_str();
  add_dir_to(app,
             "with --store sqlite: a directory on a local disk; what is made there is removed");
}

void bench_store::add_dir_to(CLI::App& app, const std::string& help) {
  app.add_option("--dir", dir, help)
    ->check(CLI::ExistingDirectory)
    ->type_name("DIR")
    ->capture_default_str();
}

std::string bench_store::describe() const {
  if (kind != "sqlite")
    return kind;
  const auto system = file_system_of(dir);
  auto result = kind + ", on " + system + " (" + dir + ")";
  if (system == "tmpfs")
    result += ": that is memory, choose a disk with --dir";
  return result;
}

bool find_place(const settings& given, const bench_store& store, place& out, int& status) {
  node_options options;
  options.name = unique_name("bench");
  options.log_level = "off";
  options.listen = "127.0.0.1:0";
  auto flags = given;
  const bool running = given.flags.contains("voters") || !given.config_file.empty();
  if (running && store.kind != "memory") {
    status = complain("--store is for voters that this command starts; leave it out with --voters",
                      exit_usage);
    return false;
  }
  if (!running) {
    out.own = std::make_unique<team>(std::vector<std::string>{"a", "b", "c"},
                                     std::vector<std::string>{}, -1, store.under());
    flags.flags["voters"] = split(out.own->voters(), ',');
    out.where = "3 voter processes and this client process, all on this machine";
    out.store = store.describe();
  }
  std::string why;
  if (!flags.resolve(stay::command, options, why)) {
    status = complain(why, exit_usage);
    return false;
  }
  if (running) {
    out.where = "this client process, and the voters " + join_text(options.voters, ", ");
    out.store = "the voters' own";
    // An address of loopback is no use to nodes elsewhere.
    for (const auto& voter : options.voters) {
      if (voter.find("=127.") == std::string::npos
          && voter.find("=localhost:") == std::string::npos)
        options.listen.clear();
    }
  }
  caf::error problem;
  out.node =
    client::join(options, options.listen.empty() ? hosting::nothing : hosting::local_echo, problem);
  if (!out.node)
    status = complain("cannot join: " + describe(problem), exit_unavailable);
  return out.node != nullptr;
}

std::string this_machine() {
  utsname names{};
  uname(&names);
  return std::to_string(std::thread::hardware_concurrency()) + " cores, " + names.sysname + " "
         + names.release;
}

struct clean_end::parts {
  signals interrupts;
  impatience quit{interrupts, [] {
                    // Nobody may write into a directory that is being removed.
                    kill_descendants(-1);
                    temporary_dir::remove_all();
                  }};
};

clean_end::clean_end() : parts_(std::make_unique<parts>()) {}

clean_end::~clean_end() = default;

} // namespace paxtor::tools
