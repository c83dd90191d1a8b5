#include "tools/bench_team.hpp"

#include <stdexcept>
#include <thread>

#include "tools/exit_status.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

std::vector<std::string> flags_of(const failover_options& how) {
  return {"--ttl", how.ttl, "--guardian", how.guardian ? "on" : "off"};
}

std::unique_ptr<client> join_team(const team& nodes, const std::string& ttl) {
  node_options options;
  options.name = unique_name("bench");
  options.voters = split(nodes.voters(), ',');
  options.log_level = "off";
  options.guardian = false; // it is not killed
  std::string why;
  options.ttl = *parse_duration(ttl, why);
  caf::error problem;
  auto result = client::join(options, hosting::nothing, problem);
  if (!result)
    throw std::runtime_error("cannot join: " + describe(problem));
  return result;
}

std::string leader_of(team& nodes) {
  const auto deadline = clock::now() + std::chrono::seconds{5};
  while (clock::now() < deadline) {
    for (const auto& member : nodes.members()) {
      const auto answer = member->ask({{"op", "status"}});
      const nlohmann::json::json_pointer leads{"/status/log/proposer/leading"};
      if (answer.contains(leads) && answer[leads] == true)
        return member->name;
    }
    std::this_thread::sleep_for(milliseconds{10});
  }
  throw std::runtime_error("nobody leads");
}

caf::behavior link_of(caf::event_based_actor* self, const std::shared_ptr<lock_chain>& chain) {
  self->attach_functor([chain](const caf::error&) {
    if (chain->stopping)
      chain->running = false;
    else
      chain->node.system().spawn(link_of, chain);
  });
  const auto asked = clock::now();
  chain->door.lock(self, key{chain->what})
    .then(
      [=](const grant&) {
        chain->granted(asked);
        self->quit();
      },
      [=](const caf::error&) { self->quit(); });
  return {[](ping_atom) {}};
}

caf::behavior keeper(caf::event_based_actor* self, const cluster& door, const nlohmann::json& what,
                     const std::shared_ptr<std::promise<instant>>& granted) {
  door.lock(self, key{what})
    .then([=](const grant&) { granted->set_value({}); },
          [=](const caf::error& err) {
            granted->set_exception(std::make_exception_ptr(std::runtime_error(describe(err))));
            self->quit();
          });
  return {[](ping_atom) {}};
}

} // namespace paxtor::tools
