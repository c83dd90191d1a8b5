#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include <dirent.h>

#include "net/caf_compat.hpp"
#include "test/actors/net_help.hpp"

using namespace paxtor;
using namespace paxtor::test;

namespace {

std::string frame_to(std::uint64_t node, std::uint64_t leader) {
  return cluster::encode_frame(cluster::voter_frame{cluster_id{7}, voter_id{1}, node_id{node},
                                                    cluster::not_leading{voter_id{leader}, {}}});
}

/// Entries of a directory of /proc/self.
std::size_t entries(const char* path, const char* link_part = nullptr) {
  std::size_t result = 0;
  auto dir = ::opendir(path);
  REQUIRE(dir != nullptr);
  while (auto one = ::readdir(dir)) {
    if (one->d_name[0] == '.')
      continue;
    if (link_part != nullptr) {
      char target[256] = {};
      auto full = std::string{path} + "/" + one->d_name;
      if (::readlink(full.c_str(), target, sizeof(target) - 1) < 0
          || std::string{target}.find(link_part) == std::string::npos)
        continue;
    }
    ++result;
  }
  ::closedir(dir);
  return result;
}

} // namespace

TEST_CASE("links: two nodes link, whoever connects, and exchange frames") {
  linked_node a{hello_of("a", 1)};
  auto port = a.listen();
  linked_node b{hello_of("b", 2), {{"a", at(port)}}};
  REQUIRE(eventually([&] { return a.linked_with(2) && b.linked_with(1); }));
  // A node is linked with itself, and hears of that first.
  REQUIRE(eventually([&] { return b.notes->count("up") >= 2; }));
  CHECK(b.notes->has("up", "b"));
  // To the peer's agent, both ways, in order.
  for (std::uint64_t i = 1; i <= 100; ++i) {
    REQUIRE(b.book->to_node(node_id{1}, net::peers::wrap(frame_to(1, i))));
    REQUIRE(a.book->to_node(node_id{2}, net::peers::wrap(frame_to(2, i))));
  }
  REQUIRE(
    eventually([&] { return a.frames->count("frame") == 100 && b.frames->count("frame") == 100; }));
  auto got = a.frames->all();
  for (std::uint64_t i = 1; i <= 100; ++i)
    CHECK(got[i - 1].text == frame_to(1, i));
  // To oneself, without a link.
  REQUIRE(a.book->to_node(node_id{1}, net::peers::wrap(frame_to(1, 7))));
  REQUIRE(eventually([&] { return a.frames->count("frame") == 101; }));
  // To nobody.
  CHECK_FALSE(a.book->to_node(node_id{99}, net::peers::wrap(frame_to(99, 7))));
  CHECK(a.book->dropped() == 1);
}

TEST_CASE("links: both connect at once, again and again: one link, both ways") {
  for (int round = 0; round < 5; ++round) {
    linked_node a{hello_of("a", 1)};
    auto port_a = a.listen();
    linked_node b{hello_of("b", 2), {{"a", at(port_a)}}};
    auto port_b = b.listen();
    caf::anon_send(a.hub, net::link_to_atom::value, net::to_string(at(port_b)));
    REQUIRE(eventually([&] { return a.linked_with(2) && b.linked_with(1); }));
    REQUIRE(a.book->to_node(node_id{2}, net::peers::wrap(frame_to(2, 1))));
    CHECK(eventually([&] { return b.frames->count("frame") >= 1; }));
    CHECK(a.book->all().size() == 1);
    CHECK(b.book->all().size() == 1);
  }
}

TEST_CASE("links: refused on both sides with a line that says why") {
  linked_node a{hello_of("a", 1)};
  auto port = a.listen();
  auto other = hello_of("b", 2);
  std::string part;
  SUBCASE("cluster") {
    other.cluster_name = "elsewhere";
    part = "'elsewhere'";
  }
  SUBCASE("name") {
    other.node_name = "a";
    part = "two nodes are named 'a'";
  }
  SUBCASE("ttl") {
    other.ttl_us = 500'000;
    part = "500 ms";
  }
  linked_node b{other, {{"", at(port)}}};
  CHECK(eventually([&] { return a.notes->has("refused", part) && b.notes->has("refused", part); }));
  CHECK(a.book->all().empty());
  CHECK(b.book->all().empty());
}

TEST_CASE("links: another node than the list of voters says") {
  linked_node a{hello_of("a", 1)};
  auto port = a.listen();
  linked_node b{hello_of("b", 2), {{"c", at(port)}}};
  CHECK(eventually([&] { return b.notes->has("refused", "calls it 'c'"); }));
  CHECK_FALSE(b.linked_with(1));
}

TEST_CASE("links: a node that finds itself at an address keeps quiet about it") {
  linked_node a{hello_of("a", 1)};
  auto port = a.listen();
  caf::anon_send(a.hub, net::link_to_atom::value, net::to_string(at(port)));
  linked_node b{hello_of("b", 2), {{"a", at(port)}}};
  REQUIRE(eventually([&] { return a.linked_with(2); }));
  CHECK(a.notes->count("refused") == 0);
  CHECK(a.book->all().size() == 1);
}

TEST_CASE("links: an address in use is an error that says what to do") {
  linked_node a{hello_of("a", 1)};
  auto port = a.listen();
  linked_node b{hello_of("b", 2)};
  auto opened = net::listen(b.system(), b.hub, at(port));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().category() == net::error_category);
  CHECK(b.system().render(opened.error()).find("another port") != std::string::npos);
  auto elsewhere = net::listen(b.system(), b.hub, {"192.0.2.1", 0});
  REQUIRE_FALSE(elsewhere);
  CHECK(b.system().render(elsewhere.error()).find("address of this machine") != std::string::npos);
}

TEST_CASE("links: a node that comes back at the same port is linked again") {
  auto a = std::make_unique<linked_node>(hello_of("a", 1));
  auto port = a->listen();
  linked_node b{hello_of("b", 2), {{"a", at(port)}}};
  REQUIRE(eventually([&] { return b.linked_with(1); }));
  for (std::uint64_t life = 2; life <= 4; ++life) {
    a.reset();
    REQUIRE(eventually([&] { return b.book->all().empty(); }));
    CHECK(eventually([&] { return b.notes->count("down") >= life - 1; }));
    CHECK(b.notes->count("down") == life - 1);
    // A new incarnation under the old name.
    a = std::make_unique<linked_node>(hello_of("a", life * 10));
    a->listen(port);
    auto start = std::chrono::steady_clock::now();
    REQUIRE(eventually([&] { return b.linked_with(life * 10) && a->linked_with(2); }));
    // It may wait for one long pause between two attempts.
    CHECK(std::chrono::steady_clock::now() - start < 3s);
    REQUIRE(b.book->to_node(node_id{life * 10}, net::peers::wrap(frame_to(life * 10, 1))));
    CHECK(eventually([&] { return a->frames->count("frame") >= 1; }));
  }
}

TEST_CASE("links: a hello that changes is told again") {
  linked_node a{hello_of("a", 1)};
  auto port = a.listen();
  linked_node b{hello_of("b", 2), {{"a", at(port)}}};
  REQUIRE(eventually([&] { return a.linked_with(2) && b.linked_with(1); }));
  caf::anon_send(a.hub, net::cluster_is_atom::value, std::uint64_t{77});
  REQUIRE(eventually([&] {
    auto known = b.book->find(node_id{1});
    return known && known->hello.cluster == cluster_id{77};
  }));
  // Then b finds that it is in another cluster: what was right before is wrong now.
  caf::anon_send(b.hub, net::cluster_is_atom::value, std::uint64_t{78});
  CHECK(eventually([&] { return a.book->all().empty() && b.book->all().empty(); }));
  CHECK(eventually([&] { return a.notes->has("refused", "another cluster of the same name"); }));
}

TEST_CASE("links: a frame for a node without a link goes through the voter that relayed for it") {
  auto voter = hello_of("v", 3);
  voter.voter = voter_id{33};
  linked_node relay{voter};
  auto port = relay.listen();
  linked_node leader{hello_of("l", 1), {{"v", at(port)}}};
  linked_node client{hello_of("c", 2), {{"v", at(port)}}};
  REQUIRE(eventually([&] {
    return leader.linked_with(3) && client.linked_with(3) && relay.linked_with(1)
           && relay.linked_with(2);
  }));
  CHECK_FALSE(leader.book->to_node(node_id{2}, net::peers::wrap(frame_to(2, 5))));
  leader.book->note_route(node_id{2}, voter_id{33});
  REQUIRE(leader.book->to_node(node_id{2}, net::peers::wrap(frame_to(2, 6))));
  REQUIRE(eventually([&] { return client.frames->count("frame") == 1; }));
  CHECK(client.frames->all()[0].text == frame_to(2, 6));
  // A relay never relays to a relay: it drops what is for a node that it has no link with.
  leader.book->note_route(node_id{9}, voter_id{33});
  CHECK(leader.book->to_node(node_id{9}, net::peers::wrap(frame_to(9, 6))));
  REQUIRE(leader.book->to_node(node_id{2}, net::peers::wrap(frame_to(2, 7))));
  REQUIRE(eventually([&] { return client.frames->count("frame") == 2; }));
  CHECK(relay.frames->count("frame") == 0);
}

TEST_CASE("links: garbage frames are dropped and counted") {
  linked_node a{hello_of("a", 1)};
  caf::scoped_actor self{a.system()};
  self->send(a.hub, net::frame_atom::value, std::string{"not a frame"});
  self->send(a.hub, net::frame_atom::value, std::string{});
  self->send(a.hub, net::hello_atom::value, std::string{"PX\x01"}, std::vector<caf::actor>{});
  self->send(a.hub, 42, std::string{"whatever"});
  std::string status;
  self->request(a.hub, 5s, net::status_atom::value)
    .receive([&](std::string& text) { status = text; }, [&](caf::error&) {});
  CHECK(status.find("\"bad_frames\":4") != std::string::npos);
}

TEST_CASE("links: what is stopped leaves no thread and no socket") {
  // Whatever the first system of a process makes once is made now.
  { linked_node warm_up{hello_of("w", 9)}; }
  auto threads = entries("/proc/self/task");
  auto sockets = entries("/proc/self/fd", "socket:");
  for (int round = 0; round < 3; ++round) {
    linked_node a{hello_of("a", 1)};
    auto port = a.listen();
    linked_node b{hello_of("b", 2), {{"a", at(port)}}};
    REQUIRE(eventually([&] { return a.linked_with(2) && b.linked_with(1); }));
    auto start = std::chrono::steady_clock::now();
    b.stop();
    CHECK(std::chrono::steady_clock::now() - start < 2s);
    CHECK(eventually([&] { return a.book->all().empty(); }));
    a.stop();
  }
  CHECK(eventually([&] { return entries("/proc/self/task") <= threads; }));
  CHECK(eventually([&] { return entries("/proc/self/fd", "socket:") <= sockets; }));
}

TEST_CASE("links: the hub alone closes its port and links when it stops, while its system lives") {
  linked_node a{hello_of("a", 1)};
  auto port = a.listen();
  linked_node b{hello_of("b", 2), {{"a", at(port)}}};
  REQUIRE(eventually([&] { return a.linked_with(2) && b.linked_with(1); }));
  auto before = entries("/proc/self/fd", "socket:");
  caf::anon_send(a.hub, net::stop_atom::value);
  // Its listening socket and its end of the link; then b's end.
  CHECK(eventually([&] { return entries("/proc/self/fd", "socket:") + 3 <= before; }));
  CHECK(eventually([&] { return b.book->all().empty(); }));
}
