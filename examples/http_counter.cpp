/// \file
/// A web service that any number of processes run at once: POST /add?lock=KEY takes the
/// cluster-wide lock KEY, reads a number from a file, adds one, writes it back, and answers JSON
/// with the old and the new value. Not one increment is lost, whichever process takes the request.
///
/// Alone, as a cluster of one: http_counter --http-port=8080 --file=count
///   then: curl -X POST 'http://127.0.0.1:8080/add?lock=count'
/// As one node of several (the same file, another port):
///   http_counter --http-port=8081 --file=count --paxtor.name=b --paxtor.listen=127.0.0.1:4802
///     --paxtor.voters='["a=127.0.0.1:4801","b=127.0.0.1:4802","c=127.0.0.1:4803"]'
/// http_counter_test.cpp runs three of them under load.

#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>

#include <caf/all.hpp>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <paxtor/paxtor.hpp>

namespace {

struct config : caf::actor_system_config {
  std::uint16_t http_port = 8080;
  std::string file = "count";

  config() {
    opt_group{custom_options_, "global"}
      .add(http_port, "http-port", "where the service listens, on 127.0.0.1")
      .add(file, "file", "holds the count");
    paxtor::node_options alone;
    alone.name = "a";
    alone.listen = "127.0.0.1:0";
    alone.voters = {"a=127.0.0.1:0"};
    paxtor::load(*this, alone);
  }
};

/// Not safe at all without a lock: two that read the same value write the same value. Returns the
/// old one.
std::int64_t add_one(const std::string& path) {
  std::int64_t count = 0;
  std::ifstream{path} >> count; // no file counts as 0
  std::ofstream out{path, std::ios::trunc};
  if (!(out << count + 1 << '\n' << std::flush))
    throw std::runtime_error("cannot write " + path);
  return count;
}

void answer(httplib::Response& response, int status, const nlohmann::json& body) {
  response.status = status;
  response.set_content(body.dump() + "\n", "application/json");
}

bool done = false;

void caf_main(caf::actor_system& sys, const config& cfg) {
  auto cluster = paxtor::join(sys, cfg);
  if (!cluster) {
    std::cerr << paxtor::describe(cluster.error()) << '\n';
    return;
  }

  httplib::Server server;
  server.Post("/add", [&](const httplib::Request& request, httplib::Response& response) {
    const auto lock = request.get_param_value("lock");
    if (lock.empty())
      return answer(response, 400, {{"error", "say which lock: /add?lock=KEY"}});
    // A handler runs on a thread of the server; a scoped_actor lets a thread talk to actors.
    // with_lock runs the function in a short-lived actor that owns the lock, so the lock is free as
    // soon as it returns.
    caf::scoped_actor self{sys};
    cluster
      ->with_lock(self, lock, [&](const paxtor::grant&) { return add_one(cfg.file); },
                  {.deadline = std::chrono::seconds{20}})
      .receive(
        [&](std::int64_t old) {
          answer(response, 200, {{"old", old}, {"new", old + 1}, {"node", cluster->node_name()}});
        },
        // Unavailable: not done, or not known to be; the client decides whether it tries again.
        [&](const caf::error& why) {
          answer(response, 503, {{"error", paxtor::describe(why)}});
        });
  });
  server.Get("/ready", [&](const httplib::Request&, httplib::Response& response) {
    answer(response, 200, cluster->status());
  });
  server.Post("/stop", [&](const httplib::Request&, httplib::Response& response) {
    answer(response, 200, {{"stopping", cluster->node_name()}});
    server.stop();
  });

  std::cout << cluster->node_name() << " serves http://127.0.0.1:" << cfg.http_port << '\n'
            << std::flush;
  done = server.listen("127.0.0.1", cfg.http_port);
  if (!done)
    std::cerr << "cannot listen on port " << cfg.http_port << ": choose another --http-port\n";
  cluster->leave();
}

} // namespace

int main(int argc, char** argv) {
  const auto status = caf::exec_main(caf_main, argc, argv);
  return done ? status : 1;
}
