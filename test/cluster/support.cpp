#include "test/cluster/support.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include "tools/text.hpp"

namespace paxtor::test {

namespace {

// A child that died takes no input; the test sees that elsewhere.
const auto no_sigpipe = std::signal(SIGPIPE, SIG_IGN);

/// Empty if it cannot be read. A process may go between open and read of its file in /proc, and
/// the read then fails: `<<` ends there, where a stream's iterator would throw.
std::string slurp(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string unique() {
  std::random_device random;
  return std::to_string(getpid()) + "-" + std::to_string(random());
}

} // namespace

bool eventually(milliseconds patience, const std::function<bool()>& done) {
  const auto deadline = clock::now() + patience;
  while (!done()) {
    if (clock::now() >= deadline)
      return false;
    poll(nullptr, 0, 5);
  }
  return true;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool alive(pid_t pid) {
  const auto stat = slurp("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.size() > name_end + 2 && stat[name_end + 2] != 'Z';
}

pid_t parent_of(pid_t pid) {
  const auto stat = slurp("/proc/" + std::to_string(pid) + "/stat");
  // PID (NAME) STATE PARENT
  const auto name_end = stat.rfind(')');
  return name_end == std::string::npos ? -1 : std::atoi(stat.c_str() + name_end + 4);
}

double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

marked::marked() : mark_("CLUSTER_TEST_RUN=" + unique()) {}

std::vector<pid_t> marked::left() const {
  std::vector<pid_t> result;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.front() < '1' || name.front() > '9')
      continue;
    // Variables end with a NUL; a zombie has none.
    const auto variables = slurp("/proc/" + name + "/environ");
    if (contains(variables, mark_))
      result.push_back(std::stoi(name));
  }
  return result;
}

marked::~marked() {
  const auto all = left();
  for (const auto pid : all) {
    const auto orphan = std::find(all.begin(), all.end(), parent_of(pid)) == all.end();
    if (orphan && slurp("/proc/" + std::to_string(pid) + "/comm") == "paxtor-guardian\n")
      kill(pid, SIGKILL);
  }
  const bool clean = eventually(5s, [&] { return left().empty(); });
  if (!clean) {
    for (const auto pid : left()) {
      FAIL_CHECK("process " << pid
                            << " is left: " << slurp("/proc/" + std::to_string(pid) + "/comm"));
      kill(pid, SIGKILL);
    }
  }
}

std::unique_ptr<process> marked::start(const words& args, const words& variables,
                                       const std::string& program) const {
  words argv{program.empty() ? PAXTOR_PROGRAM : program};
  argv.insert(argv.end(), args.begin(), args.end());
  return launch(std::move(argv), variables);
}

std::unique_ptr<process> marked::start_under(const words& prefix, const words& args) const {
  words argv = prefix;
  argv.emplace_back(PAXTOR_PROGRAM);
  argv.insert(argv.end(), args.begin(), args.end());
  return launch(std::move(argv), {});
}

std::unique_ptr<process> marked::launch(words argv, const words& variables) const {
  tools::process_options options;
  options.pipe_stdin = true;
  options.pipe_stderr = true;
  options.variables = variables;
  options.variables.push_back(mark_);
  return std::make_unique<process>(argv, options);
}

outcome marked::run(const words& args, const words& variables, milliseconds patience) const {
  const auto child = start(args, variables);
  child->close_stdin();
  outcome result;
  // What these commands print fits into the pipes.
  const auto status = child->wait(patience);
  if (!status) {
    child->kill_now();
    FAIL_CHECK("no end within " << patience.count() << " ms: paxtor "
                                << tools::join_text(args, " "));
  }
  result.status = status.value_or(-1);
  result.out = child->read_all(1s);
  result.err = child->read_errors(1s);
  CAPTURE(result.err);
  return result;
}

scratch::scratch()
    : path_((std::filesystem::temp_directory_path() / ("paxtor-cluster-" + unique())).string()) {
  std::filesystem::create_directory(path_);
}

scratch::~scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string scratch::write(const std::string& name, const std::string& text) const {
  std::ofstream{file(name)} << text;
  return file(name);
}

std::string scratch::read(const std::string& name) const {
  return slurp(file(name));
}

words scratch::lines(const std::string& name) const {
  return tools::split(read(name), '\n');
}

three_nodes::three_nodes(std::string ttl, words flags)
    : ttl_(std::move(ttl)), flags_(std::move(flags)) {
  const auto ports = tools::free_ports(3);
  const words names{"a", "b", "c"};
  for (std::size_t i = 0; i < names.size(); ++i)
    voters_ += (i == 0 ? "" : ",") + names[i] + "=127.0.0.1:" + std::to_string(ports[i]);
  for (const auto& name : names)
    nodes_[name] = mark_.start(with_flags("node", {"--name", name, "--json"}));
  for (const auto& name : names) {
    const auto line = nodes_[name]->read_json(20s);
    if (!line)
      FAIL("node " << name << " did not get ready: " << nodes_[name]->read_errors(100ms));
    ready_[name] = *line;
  }
}

words three_nodes::with_flags(const std::string& command, const words& args) const {
  words result{command, "--voters", voters_, "--ttl", ttl_};
  result.insert(result.end(), flags_.begin(), flags_.end());
  result.insert(result.end(), args.begin(), args.end());
  return result;
}

outcome three_nodes::run(const std::string& command, const words& args,
                         milliseconds patience) const {
  return mark_.run(with_flags(command, args), {}, patience);
}

std::unique_ptr<process> three_nodes::start(const std::string& command, const words& args) const {
  return mark_.start(with_flags(command, args));
}

std::unique_ptr<process> three_nodes::client(const std::string& name) const {
  auto result = start("demo-node", {"--name", name});
  const auto line = result->read_json(15s);
  if (!line || !line->value("ready", false))
    FAIL("client " << name << " did not get ready: " << result->read_errors(100ms));
  return result;
}

std::string three_nodes::leader() const {
  const auto status = run("status", {"--json"});
  REQUIRE(status.status == 0);
  REQUIRE(status.json()["leader"].is_string());
  return status.json()["leader"];
}

pid_t guardian_of(process& client) {
  nlohmann::json guardian;
  // Beyond the ids that tests use.
  for (int id = 1'000'000; id < 1'002'000; ++id) {
    client.write_json({{"op", "status"}, {"id", id}});
    const auto told = answer(client, id, 5s);
    guardian = told.is_object() ? told["status"]["guardian"] : nlohmann::json{};
    if (guardian.is_object() && guardian.contains("pid") && guardian["pid"].is_number()
        && guardian["linked"] == guardian["voters"])
      return guardian["pid"].get<pid_t>();
    poll(nullptr, 0, 5);
  }
  FAIL("no guardian with all its links: " << guardian.dump());
  return -1;
}

nlohmann::json answer(process& client, int id, milliseconds patience) {
  const auto deadline = clock::now() + patience;
  while (const auto line =
           client.read_json(std::chrono::ceil<milliseconds>(deadline - clock::now()))) {
    if (line->value("id", -1) == id)
      return *line;
  }
  return nullptr;
}

} // namespace paxtor::test
