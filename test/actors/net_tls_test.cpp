// Links over TLS, and strangers at the door.

#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libpaxtor/base/random.hpp"
#include "test/actors/authority.hpp"
#include "test/actors/net_help.hpp"

using namespace paxtor;
using namespace paxtor::test;

namespace {

/// Connects, says `bytes`, and waits for the other side to hang up. False: it did not.
bool stranger_is_turned_away(std::uint16_t port, const std::string& bytes) {
  auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_port = htons(port);
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&there), sizeof(there)) == 0);
  timeval patience{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (!bytes.empty())
    (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::recv(fd, buffer, sizeof(buffer), 0)) > 0)
    ;
  auto gone = got == 0 || errno == ECONNRESET;
  ::close(fd);
  return gone;
}

std::vector<std::string> garbage() {
  generator random{42};
  std::vector<std::string> result{"GET / HTTP/1.1\r\n\r\n", std::string(200, '\0'),
                                  std::string("\x16\x03\x01\xff\xff", 5) + std::string(300, 'x'),
                                  "PAXTOR\x01\nthen nonsense that CAF must not choke on"};
  for (int i = 0; i < 10; ++i) {
    std::string bytes;
    for (std::uint64_t n = random.between(20, 3000); n > 0; --n)
      bytes += static_cast<char>(random.next());
    result.push_back(std::move(bytes));
  }
  return result;
}

} // namespace

TEST_CASE("tls: nodes with certificates of one CA link and exchange frames") {
  authority ca;
  // What is in flight is lost when a link is cut: nobody is to be found silent here, however busy
  // the machine.
  auto patient = [](net::hub_options& options) { options.silent_after = 60s; };
  linked_node a{hello_of("a", 1), {}, ca.files(), patient};
  auto port = a.listen();
  linked_node b{hello_of("b", 2), {{"a", at(port)}}, ca.files(), patient};
  REQUIRE(eventually([&] { return a.linked_with(2) && b.linked_with(1); }));
  // Large ones too: more than one TLS record.
  cluster::voter_frame frame{cluster_id{7}, voter_id{1}, node_id{1},
                             cluster::read_answer{1, std::string(300'000, 'x')}};
  auto wrapped = net::peers::wrap(cluster::encode_frame(frame));
  for (int i = 0; i < 50; ++i)
    REQUIRE(b.book->to_node(node_id{1}, wrapped));
  REQUIRE(eventually([&] { return a.frames->count("frame") == 50; }, 30s));
  CHECK(a.frames->all().back().text.size() > 300'000);
}

TEST_CASE("tls: garbage, strangers and foreign certificates do not harm a node") {
  authority ca;
  authority other;
  linked_node a{hello_of("a", 1), {}, ca.files()};
  auto port = a.listen();
  for (const auto& bytes : garbage())
    CHECK(stranger_is_turned_away(port, bytes));
  // One who says nothing is turned away in time.
  CHECK(stranger_is_turned_away(port, ""));
  linked_node foreign{hello_of("f", 3), {{"a", at(port)}}, other.files()};
  linked_node plain{hello_of("p", 4), {{"a", at(port)}}};
  linked_node b{hello_of("b", 2), {{"a", at(port)}}, ca.files()};
  REQUIRE(eventually([&] { return a.linked_with(2); }));
  CHECK(foreign.book->all().empty());
  CHECK(plain.book->all().empty());
  CHECK_FALSE(a.linked_with(3));
  CHECK_FALSE(a.linked_with(4));
}

TEST_CASE("plain: who does not speak our protocol never reaches CAF") {
  linked_node a{hello_of("a", 1)};
  auto port = a.listen();
  for (const auto& bytes : garbage())
    // With our first words a stranger gets as far as CAF; without TLS that much trust is the price.
    if (bytes.rfind("PAXTOR", 0) != 0)
      CHECK(stranger_is_turned_away(port, bytes));
  CHECK(stranger_is_turned_away(port, ""));
  linked_node b{hello_of("b", 2), {{"a", at(port)}}};
  CHECK(eventually([&] { return a.linked_with(2); }));
}

TEST_CASE("tls: files that cannot be used are an error that names them") {
  authority ca;
  authority other;
  auto text = [](const tls_files& files) {
    node_config cfg{files};
    caf::actor_system sys{cfg};
    auto err = net::check_tls(cfg);
    return err ? sys.render(err) : std::string{};
  };
  CHECK(text(ca.files()).empty());
  CHECK(text({}).empty());
  auto missing = ca.files();
  missing.certificate += ".gone";
  CHECK(text(missing).find("node.pem.gone") != std::string::npos);
  auto no_key = ca.files();
  no_key.key.clear();
  CHECK(text(no_key).find("all three") != std::string::npos);
  auto mixed = ca.files();
  mixed.key = other.files().key;
  CHECK(text(mixed).find("node.key") != std::string::npos);
}
