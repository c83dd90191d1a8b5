#include "tools/client.hpp"

#include <string_view>

#include "tools/exit_status.hpp"

namespace paxtor::tools {

namespace {

struct tool_config : caf::actor_system_config {
  tool_config(const node_options& options, hosting hosts) {
    paxtor::load(*this, options);
    add_types(*this, hosts, options.name);
    // CAF's default looks for work every 50 us when it has had some lately, and every 10 ms else: a
    // grant would wait for that, and each process would pay for the looking.
    set("scheduler.policy", caf::atom("sharing"));
  }
};

} // namespace

std::unique_ptr<client> client::join(const node_options& options, hosting hosts,
                                     caf::error& problem,
                                     const std::function<void(caf::actor_system_config&)>& more) {
  std::unique_ptr<client> result{new client};
  result->config_ = std::make_unique<tool_config>(options, hosts);
  if (more)
    more(*result->config_);
  result->system_ = std::make_unique<caf::actor_system>(*result->config_);
  auto door = paxtor::join(*result->system_, options);
  if (!door) {
    problem = door.error();
    return nullptr;
  }
  result->door_ = *door;
  return result;
}

client::~client() {
  leave();
  door_ = {};
}

void client::leave() {
  if (door_)
    door_.leave();
}

std::string why_not_joined(const caf::error& problem) {
  const std::string_view option = "paxtor.";
  const auto text = describe(problem);
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    // Not within a word: that may be the name of a host.
    const bool begins = at == 0 || text[at - 1] == ' ';
    const auto rest = std::string_view{text}.substr(at);
    if (begins && rest.starts_with(option)) {
      result += "--";
      at += option.size();
    } else if (begins && rest.starts_with("--paxtor.")) {
      result += "--";
      at += 2 + option.size();
    } else {
      result += text[at++];
    }
  }
  return result;
}

std::unique_ptr<client> join_for_command(const settings& given, const std::string& tool,
                                         int& status, stay kind, node_options options) {
  options.name = unique_name(tool);
  options.join_timeout = std::chrono::seconds{5};
  // One clear line is what a command says when it fails; the log is for those who ask for it.
  options.log_level = "off";
  // Only who holds something has an end that others wait for.
  options.guardian = kind == stay::owner;
  std::string why;
  if (!given.resolve(kind, options, why)) {
    status = complain(why, exit_usage);
    return nullptr;
  }
  caf::error problem;
  auto result = client::join(options, hosting::nothing, problem);
  // Here a time that ran out says that this node cannot join: scripts should not take it for a
  // lock's timeout.
  if (!result)
    status = complain("cannot join: " + why_not_joined(problem),
                      code_of(problem) == errc::timed_out ? exit_unavailable : status_of(problem));
  return result;
}

} // namespace paxtor::tools
