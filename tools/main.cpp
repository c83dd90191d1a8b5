/// The `paxtor` program: picks a subcommand and turns every wrong flag into one line that says what
/// to do.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>
#include <caf/config.hpp>

#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

constexpr const char* footer =
  R"(Example: a cluster of three on this machine, each in a terminal of its own:
  export PAXTOR_VOTERS=a=127.0.0.1:4801,b=127.0.0.1:4802,c=127.0.0.1:4803
  paxtor node --name a       (and b, and c)
  paxtor lock backup -- ./backup.sh

Exit status: 0 done; 1 failed, stderr says how; 64 wrong usage; 69 cannot join;
75 timed out; 76 lock lost; 77 busy; a command's own under `paxtor lock`;
128+n ended by signal n.)";

std::vector<std::string> names_of(const CLI::App& app) {
  std::vector<std::string> result;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames())
      result.push_back("--" + name);
  }
  for (const auto* sub :
       app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
    result.push_back(sub->get_name());
  return result;
}

/// The innermost subcommand that was picked.
const CLI::App& picked(const CLI::App& app) {
  const auto subs = app.get_subcommands();
  return subs.empty() ? app : picked(*subs.front());
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : full_name(*app.get_parent()) + " " + app.get_name();
}

int complain_usage(const CLI::App& app, const CLI::ParseError& err) {
  const auto& where = picked(app);
  std::string what = err.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&err) != nullptr) {
    auto extra = app.remaining(true);
    const auto flag = std::find_if(extra.begin(), extra.end(),
                                   [](const auto& one) { return one.starts_with('-'); });
    // A flag that is not known takes its value along: the flag is the typo.
    if (flag != extra.end())
      std::iter_swap(extra.begin(), flag);
    if (!extra.empty()) {
      const auto word = extra.front().substr(0, extra.front().find('='));
      const auto near = nearest(word, names_of(where));
      const auto* kind = word.starts_with('-') ? "unknown option '"
                         : &where == &app      ? "unknown command '"
                                               : "unexpected '";
      what = kind + word + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?");
    }
  }
  for (auto& c : what) {
    if (c == '\n')
      c = ' ';
  }
  return complain(what + " (see " + full_name(where) + " --help)", exit_usage);
}

int run(int argc, char** argv) {
  CLI::App app{"Cluster-wide locks and singletons: consistent, fenced, first come first served.",
               "paxtor"};
  app.set_version_flag("--version", std::string{"paxtor "} + PAXTOR_VERSION + " (CAF "
                                      + std::to_string(CAF_VERSION / 10000) + "."
                                      + std::to_string(CAF_VERSION / 100 % 100) + "."
                                      + std::to_string(CAF_VERSION % 100) + ")");
  app.footer(footer);
  app.require_subcommand(0, 1);
  command_line line;
  for (auto add : {add_node_command, add_lock_command, add_status_command, add_members_command,
                   add_whereis_command, add_get_command, add_put_command, add_why_command,
                   add_release_command, add_drain_command, add_store_command, add_demo_command,
                   add_bench_command, add_demo_node_command, add_guard_command})
    add(app, line);
  // What stands behind "--" is a command's own, whatever it looks like.
  int count = 1;
  for (; count < argc && std::string_view{argv[count]} != "--"; ++count)
    ;
  line.has_tail = count < argc;
  for (int i = count + 1; i < argc; ++i)
    line.tail.emplace_back(argv[i]);
  try {
    app.parse(count, argv);
  } catch (const CLI::ParseError& err) {
    if (err.get_exit_code() == 0)
      return app.exit(err);
    return complain_usage(app, err);
  }
  if (!line.chosen) {
    std::cerr << app.help();
    return exit_usage;
  }
  if (line.has_tail && picked(app).get_name() != "lock")
    return complain("only 'paxtor lock' takes a command behind --", exit_usage);
  return line.chosen();
}

} // namespace

} // namespace paxtor::tools

int main(int argc, char** argv) {
  try {
    return paxtor::tools::run(argc, argv);
  } catch (const std::exception& err) {
    return paxtor::tools::complain(err.what(), paxtor::tools::exit_failure);
  }
}
