/// \file
/// Runs http_counter as three processes over one file, puts two of them under load from several
/// threads at once, and checks that not one increment was lost or given twice.
/// Usage: http_counter_test PROGRAM

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <httplib.h>
#include <nlohmann/json.hpp>

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr int clients = 8;
constexpr int adds_per_client = 50;

/// A port that was free a moment ago: the kernel picked it.
int free_port() {
  httplib::Server picker;
  const auto port = picker.bind_to_any_port("127.0.0.1");
  std::thread closer{[&] { picker.listen_after_bind(); }};
  while (!picker.is_running())
    std::this_thread::yield();
  picker.stop();
  closer.join();
  return port;
}

struct service {
  int http_port = free_port();
  std::string address = "127.0.0.1:" + std::to_string(free_port());
  pid_t pid = -1;

  void start(const std::vector<std::string>& arguments) {
    pid = ::fork();
    if (pid != 0)
      return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // none is left behind
    std::vector<char*> argv;
    for (const auto& text : arguments)
      argv.push_back(const_cast<char*>(text.c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }

  /// Answers, or not before the deadline.
  [[nodiscard]] bool ready(steady_clock::time_point deadline) const {
    while (steady_clock::now() < deadline) {
      if (httplib::Client{"127.0.0.1", http_port}.Get("/ready"))
        return true;
      std::this_thread::sleep_for(20ms);
    }
    return false;
  }

  /// Asks it to end, and waits; kills it at the deadline. True if it ended well.
  bool stop(steady_clock::time_point deadline) {
    (void)httplib::Client{"127.0.0.1", http_port}.Post("/stop");
    int status = 0;
    while (::waitpid(pid, &status, WNOHANG) == 0) {
      if (steady_clock::now() > deadline)
        ::kill(pid, SIGKILL);
      std::this_thread::sleep_for(20ms);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
};

/// What all clients saw.
struct record {
  std::mutex guard;
  std::set<std::int64_t> olds;
  int bad = 0;
};
void load(int port, record& seen) {
  httplib::Client client{"127.0.0.1", port};
  client.set_keep_alive(true);
  client.set_read_timeout(60s);
  for (int i = 0; i < adds_per_client; ++i) {
    const auto result = client.Post("/add?lock=count");
    const auto body = nlohmann::json::parse(result ? result->body : "{}");
    const std::scoped_lock lock{seen.guard};
    if (!result || result->status != 200 || body.value("new", 0) != body.value("old", 0) + 1
        || !seen.olds.insert(body.value("old", -1)).second) {
      ++seen.bad;
      std::cerr << "bad answer: " << (result ? result->body : httplib::to_string(result.error()));
    }
  }
}

int run(const std::string& program, const std::string& file) {
  const auto name = [](std::size_t i) { return std::string(1, char('a' + i)); };
  std::vector<service> services(3);
  std::string voters;
  for (std::size_t i = 0; i < services.size(); ++i)
    voters += (i == 0 ? "[\"" : "\",\"") + name(i) + "=" + services[i].address;
  voters += "\"]";
  for (std::size_t i = 0; i < services.size(); ++i)
    services[i].start({program, "--http-port=" + std::to_string(services[i].http_port),
                       "--file=" + file, "--paxtor.name=" + name(i),
                       "--paxtor.listen=" + services[i].address, "--paxtor.voters=" + voters});
  auto good = true;
  for (const auto& one : services)
    good = one.ready(steady_clock::now() + 60s) && good;

  record seen;
  if (good) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < clients; ++i)
      threads.emplace_back([&, i] { load(services[i % 2].http_port, seen); });
  }
  for (auto& one : services)
    good = one.stop(steady_clock::now() + 20s) && good;

  constexpr std::int64_t wanted = clients * adds_per_client;
  std::int64_t count = -1;
  std::ifstream{file} >> count;
  std::cout << "increments asked for: " << wanted << ", in the file: " << count
            << ", bad answers: " << seen.bad << ", processes ended well: " << good << '\n';
  good = good && count == wanted && std::int64_t(seen.olds.size()) == wanted && seen.bad == 0;
  return good ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  std::string folder = (std::filesystem::temp_directory_path() / "paxtor-http-XXXXXX").string();
  if (argc != 2 || ::mkdtemp(folder.data()) == nullptr)
    return 2;
  const auto result = run(argv[1], folder + "/count");
  std::filesystem::remove_all(folder);
  return result;
}
