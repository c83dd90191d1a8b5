#include "tools/members.hpp"

#include <algorithm>
#include <iostream>
#include <string>
#include <thread>

#include "tools/exit_status.hpp"
#include "tools/table.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

/// Between two questions whether it is done.
constexpr std::chrono::milliseconds ask_every{100};

/// One question, for which a leader must be found.
constexpr std::chrono::milliseconds ask_patience{5000};

std::string role_of(const nlohmann::json& voter) {
  if (voter.value("leads", false))
    return "leader";
  return voter.value("alive", false) ? "voter" : "voter, not heard of";
}

} // namespace

std::optional<nlohmann::json> ask_voters(client& node, const detail::voters_request& wish,
                                         std::chrono::milliseconds patience, int& status) {
  auto request = wish;
  request.deadline = patience;
  auto answer = await<document>(
    node.system(), patience + std::chrono::seconds{1},
    [&](caf::event_based_actor* self) { return node.door().change_voters(self, request); });
  if (answer)
    return std::move(answer->value);
  status = complain(answer.error());
  return std::nullopt;
}

void print_voters(const nlohmann::json& answer) {
  table out{{"VOTER", "ADDRESS", "ROLE", ">BEHIND", ">SILENT"}};
  const auto add = [&out](const nlohmann::json& one, const std::string& role) {
    const auto address = text_of(one, "address");
    out.add({text_of(one, "node"), address.empty() ? "-" : address, role, text_of(one, "behind"),
             time_of(one, "silent_ms")});
  };
  for (const auto& voter : answer["voters"])
    add(voter, role_of(voter));
  for (const auto& one : answer["standbys"])
    add(one, "standby");
  out.print(std::cout);
}

int change_voters(client& node, const detail::voters_request& wish,
                  std::chrono::milliseconds patience, bool json) {
  const auto until = std::chrono::steady_clock::now() + patience;
  std::string said;
  while (true) {
    int status = exit_ok;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      until - std::chrono::steady_clock::now());
    const auto answer = ask_voters(node, wish, std::clamp(left, ask_every, ask_patience), status);
    // Without a leader just now: there will be one again.
    if (!answer && (status != exit_timed_out || left <= ask_patience))
      return status;
    const auto state = answer ? answer->value("state", "") : "waiting";
    const auto why = answer ? answer->value("why", "") : "no leader answers";
    if (state == "done") {
      if (json) {
        print_json(*answer);
      } else {
        // A name that never voted may be a slip.
        const bool nothing = said.empty() && wish.kind == voter_change::remove;
        std::cout << (nothing ? "Nothing to do: " : "Done: ") << why << ".\n\n";
        print_voters(*answer);
      }
      return exit_ok;
    }
    if (state == "refused")
      return complain(why, exit_failure);
    if (said != why)
      std::cerr << "waiting: " << why << std::endl;
    said = why;
    if (std::chrono::steady_clock::now() >= until)
      return complain("not done within " + show_duration(patience) + ": " + why
                        + "; the same command again goes on",
                      exit_timed_out);
    std::this_thread::sleep_for(ask_every);
  }
}

} // namespace paxtor::tools
