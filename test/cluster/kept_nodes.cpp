#include "test/cluster/kept_nodes.hpp"

#include <doctest/doctest.h>

namespace paxtor::test {

kept_nodes::kept_nodes(words more, std::string what, std::map<std::string, std::string> other_dirs)
    : flags(std::move(more)), command(std::move(what)), elsewhere(std::move(other_dirs)) {
  const auto ports = tools::free_ports(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    voters += std::string{i == 0 ? "" : ","} + names[i] + "=127.0.0.1:" + std::to_string(ports[i]);
  for (const auto& name : names)
    begin(name);
  for (const auto& name : names)
    wait_ready(name);
}

words kept_nodes::args(const std::string& what, const words& rest) const {
  words all{what, "--voters", voters};
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

std::string kept_nodes::dir(const std::string& name) const {
  const auto found = elsewhere.find(name);
  return found != elsewhere.end() ? found->second : files.file(name);
}

void kept_nodes::begin(const std::string& name, const std::string& program,
                       const words& variables) {
  words rest{"--name", name, "--data-dir", dir(name), "--json"};
  rest.insert(rest.end(), flags.begin(), flags.end());
  running[name] = mark.start(args(command, rest), variables, program);
}

void kept_nodes::wait_ready(const std::string& name) {
  const auto ready = running[name]->read_json(20s);
  REQUIRE_MESSAGE(ready, (name + ": " + running[name]->read_errors(1s)));
  if (command == "node")
    CHECK((*ready)["role"] == "voter");
  else
    REQUIRE_MESSAGE(ready->value("ready", false), ready->dump());
}

std::unique_ptr<process> kept_nodes::client(const std::string& name, const words& more,
                                            const std::string& program) const {
  words rest{"--name", name};
  rest.insert(rest.end(), more.begin(), more.end());
  auto result = mark.start(args("demo-node", rest), {}, program);
  const auto ready = result->read_json(20s);
  REQUIRE_MESSAGE((ready && ready->value("ready", false)), (name + ": " + result->read_errors(1s)));
  return result;
}

} // namespace paxtor::test
