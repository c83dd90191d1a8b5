// Cuts: the network swallows everything for a while, and nobody gets a FIN or a reset.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/actors/net_help.hpp"

using namespace paxtor;
using namespace paxtor::test;

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return result;
}

/// Passes bytes on between whoever connects to it and `to`; while it is cut it swallows them, and
/// takes no connections on.
class relay {
public:
  explicit relay(std::uint16_t to) : to_(to) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto here = loopback(0);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&here), sizeof(here)) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    socklen_t size = sizeof(here);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size);
    port_ = ntohs(here.sin_port);
    thread_ = std::thread{[this] { run(); }};
  }

  ~relay() {
    stop_ = true;
    thread_.join();
    for (auto [x, y] : pairs_) {
      ::close(x);
      ::close(y);
    }
    ::close(listener_);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void cut(bool on) { cut_ = on; }

private:
  void run() {
    while (!stop_) {
      std::vector<pollfd> waits;
      if (!cut_)
        waits.push_back({listener_, POLLIN, 0});
      for (auto [x, y] : pairs_) {
        waits.push_back({x, POLLIN, 0});
        waits.push_back({y, POLLIN, 0});
      }
      ::poll(waits.data(), waits.size(), 5);
      std::size_t at = 0;
      auto fresh = !cut_ && !waits.empty() && waits[0].fd == listener_;
      if (fresh && waits[at++].revents != 0)
        take_one();
      std::vector<std::pair<int, int>> still;
      for (std::size_t i = 0; i < pairs_.size(); ++i) {
        auto [x, y] = pairs_[i];
        auto known = at + 2 * i + 1 < waits.size();
        auto alive = !known || (pass(x, y, waits[at + 2 * i]) && pass(y, x, waits[at + 2 * i + 1]));
        if (alive) {
          still.push_back(pairs_[i]);
        } else {
          ::close(x);
          ::close(y);
        }
      }
      pairs_ = std::move(still);
    }
  }

  void take_one() {
    auto x = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    auto y = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto there = loopback(to_);
    if (x < 0 || ::connect(y, reinterpret_cast<sockaddr*>(&there), sizeof(there)) != 0) {
      ::close(x);
      ::close(y);
      return;
    }
    pairs_.emplace_back(x, y);
  }

  /// False: one side has closed, and the other may know (not during a cut).
  bool pass(int from, int to, const pollfd& seen) const {
    if (seen.revents == 0)
      return true;
    char buffer[65536];
    if (cut_) {
      // Neither data nor ends get through; what is swallowed is lost, as in a network that never
      // heals this connection.
      return ::recv(from, buffer, sizeof(buffer), MSG_DONTWAIT) != 0 || (::usleep(2000), true);
    }
    auto got = ::recv(from, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got <= 0)
      return got < 0 && errno == EAGAIN;
    return ::send(to, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
  }

  std::uint16_t to_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> cut_ = false;
  std::atomic<bool> stop_ = false;
  std::vector<std::pair<int, int>> pairs_;
  std::thread thread_;
};

std::string some_frame() {
  return cluster::encode_frame(
    cluster::voter_frame{cluster_id{7}, voter_id{1}, node_id{1}, cluster::overloaded{}});
}

} // namespace

TEST_CASE(
  "silence: a cut takes the link down on both sides, and it is back soon after the network is") {
  linked_node a{hello_of("a", 1)};
  relay between{a.listen()};
  linked_node b{hello_of("b", 2), {{"a", at(between.port())}}};
  REQUIRE(eventually([&] { return a.linked_with(2) && b.linked_with(1); }));
  for (int round = 1; round <= 3; ++round) {
    between.cut(true);
    // silent_after is 600 ms here; CAF by itself would not notice.
    REQUIRE(eventually([&] { return a.book->all().empty() && b.book->all().empty(); }, 5s));
    between.cut(false);
    auto start = std::chrono::steady_clock::now();
    REQUIRE(eventually([&] { return a.linked_with(2) && b.linked_with(1); }));
    CHECK(std::chrono::steady_clock::now() - start < 4s);
    auto before = a.frames->count("frame");
    REQUIRE(b.book->to_node(node_id{1}, net::peers::wrap(some_frame())));
    CHECK(eventually([&] { return a.frames->count("frame") == before + 1; }));
  }
  CHECK(b.notes->count("down") == 3);
}

TEST_CASE("silence: a link that is quiet but alive stays up") {
  linked_node a{hello_of("a", 1)};
  auto port = a.listen();
  linked_node b{hello_of("b", 2), {{"a", at(port)}}, {}, [](net::hub_options& options) {
                  options.silent_after = 500ms;
                }};
  REQUIRE(eventually([&] { return b.linked_with(1); }));
  // Three times as long as silence is suffered.
  CHECK_FALSE(eventually([&] { return b.notes->count("down") > 0; }, 1500ms));
}
