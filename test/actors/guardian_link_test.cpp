// A voter's side of guardians' links, and who is turned away.

#include <array>
#include <cerrno>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "net/guardian/link.hpp"
#include "net/guardian/voter_link.hpp"
#include "test/actors/net_help.hpp"

using namespace paxtor;
using namespace paxtor::test;

namespace {

constexpr node_id me{77};
constexpr cluster_id formed{7};

cluster::hello_frame voter_hello() {
  auto result = hello_of("a", 1);
  result.voter = voter_id{1};
  result.cluster = formed;
  return result;
}

cluster::node_frame certificate(node_id from = me) {
  registry::certify_end proof;
  proof.node = node_id{5};
  proof.secret = std::string(32, 's');
  proof.detail = "killed by signal 9 (SIGKILL)";
  return {cluster_id{}, from, voter_id{}, cluster::certify{std::move(proof)}};
}

std::string framed(const cluster::frame& what) {
  return guardian::framed(cluster::encode_frame(what));
}

/// A guardian's end, byte by byte.
class caller {
public:
  explicit caller(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_port = htons(port);
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&there), sizeof(there)) == 0);
    timeval patience{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~caller() { ::close(fd_); }
  caller(const caller&) = delete;
  caller& operator=(const caller&) = delete;

  void say(const std::string& bytes) {
    CHECK(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL)
          == static_cast<ssize_t>(bytes.size()));
  }

  /// The voter's one byte; 0: it hung up.
  char greet(std::string_view preamble = guardian::guardian_preamble, node_id id = me) {
    say(guardian::words_of(preamble, id.value));
    char verdict = 0;
    return ::recv(fd_, &verdict, 1, 0) == 1 ? verdict : '\0';
  }

  /// The next frame; an empty one if the voter hung up.
  std::string hear() {
    std::string frame;
    std::array<char, 4096> buffer{};
    while (reader_.next(frame) != guardian::frame_reader::outcome::frame) {
      const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (got <= 0)
        return {};
      reader_.add({buffer.data(), static_cast<std::size_t>(got)});
    }
    return frame;
  }

  /// The voter hangs up without a word.
  bool cut() {
    char byte = 0;
    const auto got = ::recv(fd_, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }

private:
  int fd_;
  guardian::frame_reader reader_;
};

nlohmann::json status_of(linked_node& node) {
  caf::scoped_actor self{node.system()};
  nlohmann::json result;
  self->request(node.hub, 5s, net::status_atom::value)
    .receive([&](const std::string& text) { result = nlohmann::json::parse(text); },
             [](const caf::error&) {});
  return result;
}

/// Listens once its hub runs: before that a certificate has nowhere to go, and is dropped.
std::uint16_t opened(linked_node& node) {
  REQUIRE(eventually([&] { return node.book->self().hello.node.valid(); }));
  return node.listen();
}

caf::message verdict_for(node_id whom) {
  return net::peers::wrap(cluster::encode_frame(
    cluster::voter_frame{formed, voter_id{1}, whom, cluster::certified{node_id{5}, {}, 1, {}}}));
}

} // namespace

TEST_CASE("guardian link: its certificate goes to the proposer, and answers come back to it") {
  linked_node a{voter_hello()};
  const auto port = opened(a);
  {
    caller guardian{port};
    REQUIRE(guardian.greet() == guardian::welcome);
    guardian.say(framed(certificate()));
    REQUIRE(eventually([&] { return a.frames->count("frame") == 1; }));
    cluster::frame passed_on;
    REQUIRE(cluster::decode_frame(a.frames->all().front().text, passed_on)
            == cluster::frame_error::none);
    const auto& frame = std::get<cluster::node_frame>(passed_on);
    CHECK(frame.cluster == formed);
    CHECK(frame.from == me);
    CHECK_FALSE(frame.relayed_by.valid());
    CHECK(std::get<cluster::certify>(frame.what).proof.secret == std::string(32, 's'));
    // From this voter, and as another voter's answer that this hub passes on.
    CHECK(a.book->to_node(me, verdict_for(me)));
    CHECK_FALSE(guardian.hear().empty());
    caf::anon_send(a.hub, verdict_for(me));
    const auto relayed = guardian.hear();
    REQUIRE_FALSE(relayed.empty());
    cluster::frame answer;
    REQUIRE(cluster::decode_frame(relayed, answer) == cluster::frame_error::none);
    CHECK(std::get<cluster::certified>(std::get<cluster::voter_frame>(answer).what).closed == 1);
    CHECK(status_of(a)["guardians"] == 1);
  }
  // I44
  CHECK(eventually([&] { return !a.book->to_node(me, verdict_for(me)); }));
  CHECK(status_of(a)["guardians"] == 0);
  CHECK(status_of(a)["guardians_cut"] == 0);
}

TEST_CASE(
  "guardian link: of two with one id the newer one is answered, and a node is never hidden") {
  linked_node a{voter_hello()};
  const auto port = opened(a);
  caller newer{port};
  {
    caller older{port};
    REQUIRE(older.greet() == guardian::welcome);
    REQUIRE(eventually([&] { return status_of(a)["guardians"] == 1; }));
    REQUIRE(newer.greet() == guardian::welcome);
    REQUIRE(eventually([&] { return status_of(a)["guardians"] == 2; }));
  }
  REQUIRE(eventually([&] { return status_of(a)["guardians"] == 1; }));
  CHECK(a.book->to_node(me, verdict_for(me)));
  CHECK_FALSE(newer.hear().empty());
  linked_node b{hello_of("b", 2), {{"a", at(port)}}};
  REQUIRE(eventually([&] { return a.linked_with(2); }));
  caller impostor{port};
  REQUIRE(impostor.greet(guardian::guardian_preamble, node_id{2}) == guardian::welcome);
  REQUIRE(eventually([&] { return status_of(a)["guardians"] == 2; }));
  CHECK(a.book->to_node(node_id{2}, verdict_for(node_id{2})));
  CHECK(eventually([&] { return b.frames->count("frame") == 1; }));
}

TEST_CASE(
  "guardian link: whoever says anything but its own certificate is cut, and the node lives") {
  linked_node a{voter_hello()};
  const auto port = opened(a);
  auto reopened = certificate();
  std::get<cluster::certify>(reopened.what).proof.proof = registry::end_reason::store_reopened;
  auto forced = certificate();
  std::get<cluster::certify>(forced.what).proof.proof = registry::end_reason::forced;
  auto relayed = certificate();
  relayed.relayed_by = voter_id{2};
  auto submit = certificate();
  submit.what = cluster::submit{{"a command"}};
  auto renew = certificate();
  renew.what = cluster::renew{session_id{5}, 1, paxtor::index{5}};
  const std::string too_long{"\x01\x00\x01\x00", 4};
  const std::vector<std::string> bad{
    framed(reopened),
    framed(forced),
    framed(relayed),
    framed(submit),
    framed(renew),
    framed(certificate(node_id{78})),
    framed(voter_hello()),
    framed(cluster::voter_frame{formed, voter_id{1}, me, cluster::certified{}}),
    guardian::framed("no frame at all"),
    guardian::framed(""),
    too_long,
    std::string(64, '\xff'),
  };
  for (const auto& bytes : bad) {
    caller guardian{port};
    REQUIRE(guardian.greet() == guardian::welcome);
    guardian.say(bytes);
    CHECK(guardian.cut());
  }
  CHECK(eventually([&] { return status_of(a)["guardians"] == 0; }));
  CHECK(status_of(a)["guardians_cut"] == bad.size());
  CHECK(a.frames->count("frame") == 0);
  linked_node b{hello_of("b", 2), {{"a", at(port)}}};
  CHECK(eventually([&] { return a.linked_with(2); }));
}

TEST_CASE("guardian link: in pieces, and one behind the other") {
  linked_node a{voter_hello()};
  caller guardian{opened(a)};
  REQUIRE(guardian.greet() == guardian::welcome);
  const auto bytes = framed(certificate()) + framed(certificate());
  for (const auto byte : bytes)
    guardian.say({byte});
  CHECK(eventually([&] { return a.frames->count("frame") == 2; }));
}

TEST_CASE("guardian link: a node that is no voter, or none any more, turns it away") {
  linked_node client{hello_of("c", 3)};
  caller at_client{opened(client)};
  CHECK(at_client.greet() == guardian::no_voter);
  CHECK(at_client.cut());
  linked_node a{voter_hello()};
  const auto port = opened(a);
  caller guardian{port};
  REQUIRE(guardian.greet() == guardian::welcome);
  caf::anon_send(a.hub, net::outsider_atom::value);
  CHECK(guardian.cut());
  caller late{port};
  CHECK(late.greet() == guardian::no_voter);
}

namespace {

/// Turns a link until it is linked, or has failed.
std::string turn(guardian::voter_link& link) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  std::string why;
  while (!link.linked() && !link.take_failure(why) && std::chrono::steady_clock::now() < end) {
    auto wants = link.wants();
    ::poll(&wants, 1, 5);
    link.look(guardian::clock::now(), wants.revents != 0);
  }
  return why;
}

guardian::voter_link link_to(std::uint16_t port, const tls_files& tls = {}) {
  guardian::tls_context context;
  std::string why;
  if (!tls.certificate.empty()) {
    context = guardian::make_tls_context({tls.certificate, tls.key, {}, tls.ca}, why);
    REQUIRE_MESSAGE(context, why);
  }
  return {{"a", "127.0.0.1", port}, me.value, context, generator{1}};
}

} // namespace

TEST_CASE("guardian link: over TLS with a certificate of the CA, and not without") {
  authority ca;
  authority other;
  linked_node a{voter_hello(), {}, ca.files()};
  const auto port = opened(a);
  auto link = link_to(port, ca.files());
  CHECK(turn(link).empty());
  REQUIRE(link.linked());
  link.say(cluster::encode_frame(certificate()));
  CHECK(eventually([&] { return a.frames->count("frame") == 1; }));
  CHECK(a.book->to_node(me, verdict_for(me)));
  CHECK(eventually([&] {
    link.look(guardian::clock::now(), true);
    return link.hear().has_value();
  }));
  auto plain = link_to(port);
  CHECK_FALSE(turn(plain).empty());
  CHECK_FALSE(plain.linked());
  // TLS 1.3 tells a client only after its handshake that its certificate was refused.
  auto foreign = link_to(port, other.files());
  CHECK_FALSE(turn(foreign).empty());
  CHECK_FALSE(foreign.linked());
  CHECK(status_of(a)["guardians"] == 1);
}

TEST_CASE("guardian link: comes back after a break, and says once why it cannot") {
  std::uint16_t port = 0;
  {
    linked_node a{voter_hello()};
    port = opened(a);
    auto link = link_to(port);
    CHECK(turn(link).empty());
    CHECK_FALSE(link.due());
    a.stop();
    CHECK(eventually([&] {
      link.look(guardian::clock::now(), true);
      return !link.linked();
    }));
    std::string why;
    CHECK(link.take_failure(why));
    CHECK(why == "the link was closed");
    CHECK(turn(link).find("refused") != std::string::npos);
    // The same again is no news.
    CHECK(turn(link).empty());
    CHECK_FALSE(link.linked());
  }
  auto link = link_to(port);
  CHECK_FALSE(turn(link).empty());
  linked_node again{voter_hello()};
  again.listen(port);
  link.hurry(guardian::clock::now());
  CHECK(turn(link).empty());
  CHECK(link.linked());
}
