#include <string>

#include <doctest/doctest.h>

#include "net/endpoint.hpp"
#include "net/hello.hpp"

using namespace paxtor;
using namespace paxtor::net;

namespace {

cluster::hello_frame node_a() {
  cluster::hello_frame x;
  x.cluster_name = "shop";
  x.node = node_id{1};
  x.node_name = "a";
  x.voter = voter_id{11};
  x.endpoint = "10.0.0.1:7000";
  x.ttl_us = 3'000'000;
  x.initial_voters = {"a", "b"};
  return x;
}

cluster::hello_frame node_b() {
  auto x = node_a();
  x.node = node_id{2};
  x.node_name = "b";
  x.voter = voter_id{22};
  x.endpoint = "10.0.0.2:7000";
  return x;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Both sides come to the same verdict.
std::string refusal(const cluster::hello_frame& x, const cluster::hello_frame& y) {
  std::string here;
  std::string there;
  CHECK(judge(x, y, here) == verdict::refuse);
  CHECK(judge(y, x, there) == verdict::refuse);
  CHECK(!there.empty());
  return here;
}

} // namespace

TEST_CASE("hello: two nodes of one cluster are linked, whatever the order of their lists") {
  auto b = node_b();
  b.initial_voters = {"b", "a"};
  std::string why;
  CHECK(judge(node_a(), b, why) == verdict::link);
  CHECK(judge(b, node_a(), why) == verdict::link);
  // A client node has no list, and knows no cluster yet.
  auto c = node_b();
  c.voter = {};
  c.initial_voters = {};
  auto formed = node_a();
  formed.cluster = cluster_id{5};
  CHECK(judge(formed, c, why) == verdict::link);
  CHECK(why.empty());
}

TEST_CASE("hello: a node that connects to itself is no peer") {
  std::string why;
  CHECK(judge(node_a(), node_a(), why) == verdict::ourselves);
}

TEST_CASE("hello: each refusal says what differs and what to do") {
  auto b = node_b();
  SUBCASE("another cluster name") {
    b.cluster_name = "bank";
    auto why = refusal(node_a(), b);
    CHECK(says(why, "'bank'"));
    CHECK(says(why, "'shop'"));
    CHECK(says(why, "10.0.0.2:7000"));
  }
  SUBCASE("two nodes of one name") {
    b.node_name = "a";
    auto why = refusal(node_a(), b);
    CHECK(says(why, "two nodes are named 'a'"));
    CHECK(says(why, "a name of its own"));
  }
  SUBCASE("another ttl") {
    b.ttl_us = 1'000'000;
    auto why = refusal(node_a(), b);
    CHECK(says(why, "1000 ms"));
    CHECK(says(why, "3000 ms"));
  }
  SUBCASE("another cluster id") {
    auto a = node_a();
    a.cluster = cluster_id{5};
    b.cluster = cluster_id{6};
    CHECK(says(refusal(a, b), "another cluster of the same name"));
  }
  SUBCASE("another list of voters") {
    b.initial_voters = {"a", "c"};
    auto why = refusal(node_a(), b);
    CHECK(says(why, "a, c"));
    CHECK(says(why, "a, b"));
    CHECK(says(why, "same list"));
  }
  SUBCASE("no name") {
    b.node_name.clear();
    std::string why;
    CHECK(judge(node_a(), b, why) == verdict::refuse);
  }
}

TEST_CASE("endpoint: what people write") {
  auto plain = parse_endpoint("host.example:7000");
  REQUIRE(plain);
  CHECK(plain->host == "host.example");
  CHECK(plain->port == 7000);
  auto v6 = parse_endpoint("[::1]:80");
  REQUIRE(v6);
  CHECK(v6->host == "::1");
  CHECK(to_string(*v6) == "[::1]:80");
  CHECK(parse_endpoint("0.0.0.0:0"));
  for (auto bad : {"", "host", "host:", ":7000", "host:70000", "host:7x", "::1:80", "[::1]",
                   "[x]:1", "a b:1", "http://host:80", "host:-1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_endpoint(bad));
  }
}

TEST_CASE("endpoint: loopback") {
  CHECK(is_loopback("127.0.0.1"));
  CHECK(is_loopback("127.9.9.9"));
  CHECK(is_loopback("::1"));
  CHECK(is_loopback("localhost"));
  CHECK_FALSE(is_loopback("10.0.0.1"));
  CHECK_FALSE(is_loopback("0.0.0.0"));
  CHECK_FALSE(is_loopback("127.example"));
}

TEST_CASE("hello: builds that have no version of the wire in common say which is to be upgraded") {
  auto x = node_a();
  auto y = node_b();
  x.versions = {1, 2};
  y.versions = {2, 3};
  std::string why;
  CHECK(judge(x, y, why) == verdict::link);
  y.versions = {3, 4};
  why = refusal(x, y);
  CHECK(says(why, "'b' at 10.0.0.2:7000 speaks versions 3 to 4"));
  CHECK(says(why, "one version at a time"));
  CHECK(says(why, "first run 'a'"));
  CHECK(says(refusal(y, x), "first run 'a'"));
  x.versions = {1, 1};
  CHECK(says(refusal(x, y), "version 1:"));
}
