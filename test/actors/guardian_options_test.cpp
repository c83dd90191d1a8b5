// The guardian's options, and nodes that have none.

#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <paxtor/paxtor.hpp>

#include "test/actors/nodes.hpp"

using namespace test;

namespace {

caf::expected<paxtor::node_options> parsed(std::vector<std::string> words) {
  config cfg;
  std::istringstream none;
  if (auto problem = cfg.parse(std::move(words), none))
    return problem;
  return paxtor::options_of(cfg);
}

} // namespace

TEST_CASE("guardian options: on by default, off as a word or a flag's value") {
  CHECK(paxtor::node_options{}.guardian);
  CHECK(parsed({})->guardian);
  for (const auto* off : {"--paxtor.guardian=false", "--paxtor.guardian=off"})
    CHECK_FALSE(parsed({off})->guardian);
  CHECK(parsed({"--paxtor.guardian=on"})->guardian);
  const auto wrong = parsed({"--paxtor.guardian=perhaps"});
  REQUIRE_FALSE(wrong);
  CHECK(paxtor::describe(wrong.error()).find("paxtor.guardian") != std::string::npos);
  CHECK(parsed({"--paxtor.guardian-program=/x/y"})->guardian_program == "/x/y");
  config cfg;
  paxtor::node_options defaults;
  defaults.guardian = false;
  defaults.guardian_program = "/x";
  struct other : caf::actor_system_config {
    explicit other(const paxtor::node_options& what) { paxtor::load(*this, what); }
  } loaded{defaults};
  CHECK_FALSE(paxtor::options_of(loaded)->guardian);
  CHECK(paxtor::options_of(loaded)->guardian_program == "/x");
}

TEST_CASE("guardian options: what is awaited must be open descriptors, and few") {
  config cfg;
  caf::actor_system sys{cfg};
  paxtor::node_options options;
  options.name = "a";
  options.listen = "127.0.0.1:0";
  options.voters = {"a=127.0.0.1:0"};
  options.log_level = "off";
  const auto spare = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  options.guardian_awaits = {spare};
  auto door = paxtor::join(sys, options);
  REQUIRE(door);
  // The only voter: nobody is left to be told of its end.
  CHECK(door->status()["guardian"]["on"] == false);
  door->leave();
  ::close(spare);
  const auto closed = paxtor::join(sys, options);
  REQUIRE_FALSE(closed);
  CHECK(paxtor::describe(closed.error()).find("is no open descriptor") != std::string::npos);
  options.guardian_awaits.assign(17, STDERR_FILENO);
  const auto many = paxtor::join(sys, options);
  REQUIRE_FALSE(many);
  CHECK(paxtor::describe(many.error()).find("more than 16") != std::string::npos);
}
