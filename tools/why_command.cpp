/// `paxtor why`: who holds a key, since when it was last heard of, and who waits.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/query.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;

/// How many waiters are listed for people.
constexpr std::size_t most_shown = 10;

struct why_args : query_args {
  std::string key;
};

std::string ending(const std::string& reason) {
  if (reason == "process_died")
    return "its process ended, as its guardian certified";
  if (reason == "store_reopened")
    return "another process took over its data directory";
  if (reason == "forced")
    return "it was released by force";
  if (reason == "expired")
    return "it was silent for longer than its lease";
  return "it left the cluster";
}

/// Whose end made the grant, if it was a node's.
void print_taken(const json& from) {
  if (!from.is_object())
    return;
  const auto detail = text_of(from, "detail");
  std::cout << "  Taken from node " << text_of(from, "node") << ": "
            << ending(text_of(from, "reason")) << (detail.empty() ? "" : " (" + detail + ")")
            << ".\n";
}

void print_holder(const std::string& name, const json& holder) {
  std::cout << name << " is held by actor " << text_of(holder, "actor") << " of node "
            << text_of(holder, "node") << ", token " << text_of(holder, "token")
            << (text_of(holder, "ownership") == "strict" ? ", strict" : "") << ".\n";
  print_taken(holder.value("taken_from", json{}));
  if (!holder.value("session_open", true)) {
    std::cout << "  Its node is gone, and the lock is strict: only proof of its end frees it.\n"
                 "  If you know that it has ended: paxtor release --force "
              << name << "\n";
    return;
  }
  if (!holder["silent_ms"].is_number())
    return;
  std::cout << "  Its node was last heard " << time_of(holder, "silent_ms") << " ago";
  if (holder["release_due_in_ms"].is_number())
    std::cout << "; if it stays silent the lock is free in "
              << time_of(holder, "release_due_in_ms");
  std::cout << ".\n";
}

void print_waiting(const json& answer) {
  const auto count = answer.value("waiting_count", 0);
  if (count == 0)
    return;
  std::cout << "  " << count << (count == 1 ? " waits:" : " wait:") << '\n';
  std::size_t shown = 0;
  for (const auto& waiter : answer["waiting"]) {
    if (++shown > most_shown)
      break;
    std::cout << "  " << text_of(waiter, "position") << ". actor " << text_of(waiter, "actor")
              << " of node " << text_of(waiter, "node") << '\n';
  }
  if (static_cast<std::size_t>(count) > most_shown)
    std::cout << "  and " << static_cast<std::size_t>(count) - most_shown << " more\n";
}

int run_why(const why_args& args) {
  const auto patience = patience_of(args);
  const auto about = key::from_user(args.key);
  if (!patience)
    return exit_usage;
  if (!about.ok())
    return complain(about.problem(), exit_usage);
  int status = exit_ok;
  const auto node = join_for_command(args.given, "why", status);
  if (!node)
    return status;
  const auto found = ask_cluster(*node, "why", {}, &about, *patience, status);
  if (!found)
    return status;
  const auto& answer = found->value;
  if (args.given.json) {
    print_json(answer);
    return exit_ok;
  }
  const auto state = text_of(answer, "state");
  if (state == "held")
    print_holder(about.text(), answer["holder"]);
  else if (state == "reserved")
    std::cout << about.text()
              << " is not held, but reserved: the first in its queue waits for another key too.\n";
  else
    std::cout << about.text() << " is free.\n";
  print_waiting(answer);
  if (const auto& name = answer["singleton"]; name.is_object())
    std::cout << "As a name it is " << text_of(name, "state") << " on node "
              << text_of(name, "node") << ", a " << text_of(name, "type") << ", token "
              << text_of(name, "token") << ".\n";
  std::cout << std::flush;
  return exit_ok;
}

} // namespace

void add_why_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<why_args>();
  auto* sub = app.add_subcommand(
    "why", "Say who holds a lock, how long its node has been silent, and who waits");
  sub->add_option("KEY", args->key, "JSON, or text that is taken as a JSON string")->required();
  add_query_flags(*sub, *args);
  sub->footer("Example:\n  paxtor why stock/42");
  sub->callback([args, &line] { line.chosen = [args] { return run_why(*args); }; });
}

} // namespace paxtor::tools
