/// `paxtor drain NODE`: moves the singletons off a node, before it is stopped.

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/process.hpp"
#include "tools/query.hpp"

namespace paxtor::tools {

namespace {

struct drain_args : query_args {
  std::string node;
  bool undo = false;
};

/// What is left is looked at again after this time, and with it what has found no host so far.
constexpr std::chrono::milliseconds look_every{150};

/// The names that are left and fit, as "apple (counter), pear (echo)", a few of them.
std::string names_of(const nlohmann::json& found, bool staying) {
  constexpr std::size_t most = 5;
  std::string result;
  std::size_t count = 0;
  for (const auto& one : found["left"]) {
    if (staying && !one["stays"].get<bool>())
      continue;
    if (++count > most)
      continue;
    result += (count > 1 ? ", " : "") + text_of(one, "name") + " (" + text_of(one, "type") + ")";
  }
  const auto all = found[staying ? "staying" : "singletons"].get<std::size_t>();
  return all > most ? result + ", and more" : result;
}

/// Says, once each, what begins to move.
void show_progress(const nlohmann::json& found, nlohmann::json& before) {
  const auto& known = before["left"];
  for (const auto& one : found["left"])
    if (one["state"] == "moving" && std::find(known.begin(), known.end(), one) == known.end())
      std::cerr << text_of(one, "name") << " (" << text_of(one, "type") << ") moves to "
                << text_of(one, "to") << "\n";
  before = found;
}

int finish(const drain_args& args, const nlohmann::json& found) {
  if (args.given.json)
    print_json(found);
  else if (args.undo)
    std::cout << "Node " << args.node << " gets singletons again, as any other." << std::endl;
  else
    std::cout << "Node " << args.node
              << " hosts no singleton and gets no new ones; stop it, or say "
              << "paxtor drain " << args.node << " --undo." << std::endl;
  return exit_ok;
}

int fail_with(const drain_args& args, const nlohmann::json& found, const std::string& why,
              int status) {
  if (args.given.json)
    print_json(found);
  return complain(why, status);
}

int run_drain(const drain_args& args) {
  const auto patience = patience_of(args);
  if (!patience)
    return exit_usage;
  int status = exit_ok;
  const auto node = join_for_command(args.given, "drain", status);
  if (!node)
    return status;
  const auto deadline = clock::now() + *patience;
  nlohmann::json before{{"left", nlohmann::json::array()}};
  while (true) {
    const auto left =
      std::max(std::chrono::ceil<milliseconds>(deadline - clock::now()), milliseconds{1000});
    const auto answer =
      await<document>(node->system(), left + milliseconds{1000}, [&](caf::event_based_actor* self) {
        return node->door().drain(self, args.node, !args.undo, left);
      });
    if (!answer)
      return complain(answer.error());
    const auto& found = answer->value;
    if (args.undo || found["singletons"] == 0)
      return finish(args, found);
    if (!args.given.json)
      show_progress(found, before);
    if (found["singletons"] == found["staying"])
      return fail_with(args, found,
                       names_of(found, true) + (found["staying"] == 1 ? " stays" : " stay")
                         + " on node " + args.node
                         + ": no other node hosts the type, with the wanted labels and room. Start "
                           "one that does, and it moves there; or stop the node, and it ends",
                       exit_failure);
    if (clock::now() >= deadline)
      return fail_with(args, found,
                       names_of(found, false) + " did not leave node " + args.node + " within "
                         + args.timeout + "; what moves goes on to move: see paxtor members",
                       exit_timed_out);
    std::this_thread::sleep_for(look_every);
  }
}

} // namespace

void add_drain_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<drain_args>();
  args->timeout = "60s";
  auto* sub = app.add_subcommand("drain", "Move the singletons off a node, before it is stopped");
  sub->add_option("NODE", args->node, "the node's name")->required();
  sub->add_flag("--undo", args->undo, "let it get singletons again");
  add_query_flags(*sub, *args);
  sub->footer(
    R"(The node gets no new singletons, until it is stopped or --undo. Each that runs there moves:
messages to it wait at their senders, it ends behind the last one that it got (an exit
message, so it can write down its state), and starts anew on another node. No message is
lost, and no two run at once. One that has not ended 30 s after it was asked to is killed.
What no other node can host stays and runs on (status 1, and its name on stderr).
Locks do not move: their owners are the node's own actors, and the locks are free once the
node has left.

Example, to restart a node:
  paxtor drain a && systemctl restart paxtor@a)");
  sub->callback([args, &line] { line.chosen = [args] { return run_drain(*args); }; });
}

} // namespace paxtor::tools
