/// `paxtor demo-node` (hidden): a node that does what JSON lines on stdin ask for and answers on
/// stdout. The demo, the benchmarks of a takeover and the cluster tests drive their processes with
/// it. It ends when stdin does.
///
///   {"op":"print","digit":"3","times":5,"pause_ms":20,"key":"printer"}   an actor; writes to
///   descriptor 3; no key: no lock
///   {"op":"increment","id":1,"name":"apple"}       -> {"id":1,"value":1,"node":"b","us":900} or
///   {"id":1,"error":"..."}
///   {"op":"hold","id":2,"key":"vault"}             -> {"id":2,"token":17,"us":800};
///   {"id":2,"ended":"..."} at its end
///   {"op":"release","id":2}
///   {"op":"running","id":3}                        -> {"id":3,"counters":0}
///   {"op":"stamp","id":5,"file":"/tmp/x"}          -> {"id":5,"ok":true}; see stamp.hpp
///   {"op":"load","id":6,"file":F,"author":"x"}     -> {"id":6,"ok":true}; see steady_load.hpp
///   {"op":"counts","id":7}, {"op":"load_end","id":8}   -> {"id":7,"grants":1,..}; the second one
///   stops the load, and answers at once
///   {"op":"get","id":9,"bucket":"b","key":"k"}     -> {"id":9,"value":..}, null: no such entry
///   {"op":"status","id":4}                         -> {"id":4,"status":{...}}

#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/process.hpp"
#include "tools/stamp.hpp"
#include "tools/steady_load.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;
using step_atom = caf::atom_constant<caf::atom("step")>;

constexpr int printer_fd = 3;

/// Lines of several threads, each whole.
void say(const json& what) {
  static std::mutex mutex;
  const auto line = what.dump() + "\n";
  const std::lock_guard guard{mutex};
  std::cout << line << std::flush;
}

std::int64_t micros_since(clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - start).count();
}

struct print_job {
  std::string digit;
  int times = 5;
  milliseconds pause{20};
  std::optional<std::string> key;
};

/// Locks (if it is told a key), prints its digit, exits: the lock ends with it.
caf::behavior printer(caf::event_based_actor* self, const cluster& door, const print_job& job) {
  const auto print = [self, job, left = std::make_shared<int>(job.times)](step_atom) {
    // One write per digit to one pipe that all processes share: its order is the order in true
    // time.
    if (write(printer_fd, job.digit.data(), job.digit.size()) < 0)
      self->quit();
    if (--*left == 0)
      self->quit();
    else
      self->delayed_send(self, job.pause, step_atom::value);
  };
  if (job.key)
    door.lock(self, *job.key)
      .await([self](const grant&) { self->send(self, step_atom::value); },
             [self](const caf::error& err) {
               say({{"error", describe(err)}});
               self->quit();
             });
  else
    self->send(self, step_atom::value);
  return {print};
}

caf::behavior holder(caf::event_based_actor* self, const cluster& door, const json& order) {
  const auto start = clock::now();
  self->attach_functor([id = order["id"]](const caf::error& reason) {
    say({{"id", id}, {"ended", describe(reason)}});
  });
  door.lock(self, key{order["key"]})
    .then(
      [order, start](const grant& held) {
        say({{"id", order["id"]}, {"token", held.token()}, {"us", micros_since(start)}});
      },
      [self, order](const caf::error& err) {
        say({{"id", order["id"]}, {"error", describe(err)}});
        self->quit();
      });
  // Stays, and with it the lock, until it is released.
  return {[self](step_atom) { self->quit(); }};
}

/// Asks for an entry, and answers the order.
void getter(caf::event_based_actor* self, const cluster& door, const json& order) {
  door.get(self, order["bucket"].get<std::string>(), key{order["key"]})
    .then(
      [order](const document& found) {
        say({{"id", order["id"]}, {"value", found.value}});
      },
      [order](const caf::error& err) {
        say({{"id", order["id"]}, {"error", describe(err)}});
      });
}

constexpr std::chrono::milliseconds look_for{500};
constexpr std::chrono::seconds give_up{15};

/// Adds one to a counter wherever it lives. A message that is under way to a node when that dies
/// may be lost, and one that adds must not be sent twice: so it asks for the count until somebody
/// answers, and then adds, once.
caf::behavior incrementer(caf::event_based_actor* self, const caf::actor& counter,
                          const json& order) {
  const auto start = clock::now();
  const auto failed = [=](const caf::error& err) {
    say({{"id", order["id"]}, {"error", describe(err)}});
    self->quit();
  };
  const auto add = [=] {
    self->request(counter, give_up, inc_atom::value)
      .then(
        [=](std::int64_t value, const std::string& node) {
          say({{"id", order["id"]}, {"value", value}, {"node", node}, {"us", micros_since(start)}});
          self->quit();
        },
        failed);
  };
  self->send(self, step_atom::value);
  return {
    [=](step_atom) {
      self->request(counter, look_for, get_atom::value)
        .then([=](std::int64_t, const std::string&) { add(); },
              [=](const caf::error& err) {
                if (clock::now() - start > give_up)
                  failed(err);
                else
                  self->delayed_send(self, milliseconds{5}, step_atom::value);
              });
    },
  };
}

class demo_node {
public:
  explicit demo_node(client& node) : node_(node) {}

  void run() {
    std::string line;
    while (std::getline(std::cin, line)) {
      const auto order = json::parse(line, nullptr, false);
      if (order.is_object() && order.contains("op"))
        take(order);
    }
  }

private:
  void take(const json& order) {
    const auto op = order["op"].get<std::string>();
    auto& sys = node_.system();
    if (op == "print") {
      print_job job{order["digit"], order["times"], milliseconds{order["pause_ms"].get<int>()}, {}};
      if (order.contains("key"))
        job.key = order["key"].get<std::string>();
      sys.spawn(printer, node_.door(), job);
    } else if (op == "increment") {
      const auto name = order["name"].get<std::string>();
      auto& counter = counters_[name];
      if (!counter)
        counter = node_.door().name(name, "counter");
      sys.spawn(incrementer, counter, order);
    } else if (op == "hold") {
      holders_[order["id"].get<int>()] = sys.spawn(holder, node_.door(), order);
    } else if (op == "release") {
      const auto found = holders_.find(order["id"].get<int>());
      if (found != holders_.end())
        caf::anon_send(found->second, step_atom::value);
    } else if (op == "running") {
      say({{"id", order["id"]}, {"counters", running_counters()}});
    } else if (op == "stamp") {
      say({{"id", order["id"]}, {"ok", stamp_until_death(order["file"].get<std::string>())}});
    } else if (op == "get") {
      sys.spawn(getter, node_.door(), order);
    } else if (op == "load" || op == "counts" || op == "load_end") {
      take_load(op, order);
    } else if (op == "status") {
      say({{"id", order["id"]}, {"status", node_.door().status()}});
    } else {
      say({{"error", "unknown op " + op}});
    }
  }

  void take_load(const std::string& op, const json& order) {
    if (op == "load") {
      load_options how;
      how.file = order["file"].get<std::string>();
      how.author = order["author"].get<std::string>();
      load_.emplace(node_, how);
      say({{"id", order["id"]}, {"ok", true}});
      return;
    }
    if (op == "load_end" && load_)
      load_->stop();
    auto result = load_ ? load_->counts() : json::object();
    result["id"] = order["id"];
    say(result);
  }

  client& node_;
  std::optional<steady_load> load_;
  std::map<std::string, caf::actor> counters_;
  std::map<int, caf::actor> holders_;
};

int run_demo_node(const settings& given) {
  node_options options;
  options.log_level = "error";
  std::string why;
  if (!given.resolve(stay::node, options, why))
    return complain(why, exit_usage);
  for (const auto& voter : options.voters) {
    if (options.listen.empty() && voter.starts_with(options.name + "="))
      options.listen = voter.substr(options.name.size() + 1);
  }
  const auto start = clock::now();
  caf::error problem;
  const auto node = client::join(options, hosting::built_in, problem);
  if (!node) {
    say({{"ready", false}, {"error", describe(problem)}});
    return exit_unavailable;
  }
  say({{"ready", true}, {"name", options.name}, {"pid", getpid()}, {"us", micros_since(start)}});
  demo_node{*node}.run();
  return exit_ok;
}

} // namespace

void add_demo_node_command(CLI::App& app, command_line& line) {
  auto given = std::make_shared<settings>();
  auto* sub = app.add_subcommand("demo-node", "A node driven by JSON lines on stdin");
  sub->group("");
  given->add_to(*sub, stay::node);
  sub->callback([given, &line] { line.chosen = [given] { return run_demo_node(*given); }; });
}

} // namespace paxtor::tools
