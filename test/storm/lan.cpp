#include "test/storm/lan.hpp"

#include <stdexcept>

#include "tools/process.hpp"
#include "tools/text.hpp"

namespace paxtor::storm {

namespace {

constexpr std::chrono::seconds patience{60};

void run(const std::vector<std::string>& argv, const std::string& input) {
  tools::process_options options;
  options.pipe_stdin = true;
  options.pipe_stderr = true;
  tools::process command{argv, options};
  command.write_line(input);
  command.close_stdin();
  const auto status = command.wait(patience);
  if (status != 0)
    throw std::runtime_error("'" + tools::join_text(argv, " ") + "' failed ("
                             + (status ? std::to_string(*status) : "no end")
                             + "): " + command.read_errors(std::chrono::seconds{1}));
}

bool works(const std::vector<std::string>& argv) {
  tools::process_options options;
  options.pipe_stderr = true;
  tools::process command{argv, options};
  return command.wait(patience) == 0;
}

/// The packet filter's program. The older one if this kernel has it: the newer one waits at its end
/// until the kernel has cleaned up, which takes many seconds while hogs have the CPUs.
const std::string& restore_program(const machine& at) {
  static const std::string found = [&] {
    auto argv = on(at);
    for (const auto* word : {"iptables-legacy", "-t", "filter", "-L", "-n"})
      argv.emplace_back(word);
    return works(argv) ? "iptables-legacy-restore" : "iptables-restore";
  }();
  return found;
}

void restore(const machine& at, const std::string& table) {
  auto argv = on(at);
  argv.push_back(restore_program(at));
  run(argv, table);
}

} // namespace

std::string space_of(const machine& one) {
  return "/run/netns/" + one.name;
}

void build_lan(const std::vector<machine>& machines) {
  std::string batch = "link set lo up\nlink add bridge type bridge\nlink set bridge up\n";
  for (const auto& one : machines)
    batch += "netns add " + one.name + "\nlink add to-" + one.name
             + " type veth peer name eth0 netns " + one.name + "\nlink set to-" + one.name
             + " master bridge up\n";
  run({"ip", "-batch", "-"}, batch);
  for (const auto& one : machines) {
    run({"ip", "-n", one.name, "-batch", "-"},
        "link set lo up\naddr add " + one.address + "/24 dev eth0\nlink set eth0 up\n");
    if (!one.relayed)
      continue;
    restore(one, "*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp ! -d " + one.address + " --dport "
                   + std::to_string(node_port) + " -m mark ! --mark " + std::to_string(relay_mark)
                   + " -j REDIRECT --to-ports " + std::to_string(relay_port) + "\nCOMMIT\n");
  }
}

void set_rules(const machine& at, const std::string& rules) {
  restore(at, rules);
}

std::vector<std::string> on(const machine& at) {
  return {"nsenter", "--net=" + space_of(at), "--"};
}

} // namespace paxtor::storm
