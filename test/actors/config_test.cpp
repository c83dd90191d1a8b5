#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "test/actors/nodes.hpp"

using namespace test;
using paxtor::errc;

namespace {

struct parsed : caf::actor_system_config {
  parsed() { paxtor::load(*this); }
};

caf::expected<paxtor::node_options> read(std::vector<std::string> args,
                                         const std::string& file = {}) {
  parsed cfg;
  std::istringstream text{file};
  if (auto err = cfg.parse(std::move(args), text))
    return err;
  return paxtor::options_of(cfg);
}

paxtor::node_options alone() {
  paxtor::node_options result;
  result.name = "a";
  result.listen = "127.0.0.1:0";
  result.voters = {"a=127.0.0.1:0"};
  result.log_level = "off";
  return result;
}

/// What join says to these options. Nothing is started by any of them.
std::string refusal(const paxtor::node_options& options, errc code) {
  config cfg;
  caf::actor_system sys{cfg};
  const auto before = threads();
  const auto got = paxtor::join(sys, options);
  REQUIRE(!got);
  CHECK(paxtor::code_of(got.error()) == code);
  CHECK(eventually([&] { return threads() <= before; }));
  return paxtor::describe(got.error());
}

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return true;
}

} // namespace

TEST_CASE("options from the command line and from a file") {
  const auto plain =
    read({"--paxtor.voters=a=127.0.0.1:1,b=[::1]:2", "--paxtor.ttl=1s", "--paxtor.capacity=7",
          "--paxtor.insecure", "--paxtor.join-timeout=300ms", "--paxtor.name=n"});
  REQUIRE(plain);
  CHECK(plain->voters == std::vector<std::string>{"a=127.0.0.1:1", "b=[::1]:2"});
  CHECK(plain->ttl == 1000ms);
  CHECK(plain->capacity == 7);
  CHECK(plain->insecure);
  CHECK(plain->join_timeout == 300ms);
  CHECK(plain->name == "n");
  const auto list = read({R"(--paxtor.voters=["a=127.0.0.1:1","b=127.0.0.1:2"])"});
  REQUIRE(list);
  CHECK(list->voters == std::vector<std::string>{"a=127.0.0.1:1", "b=127.0.0.1:2"});
  const auto file =
    read({"--paxtor.name=cli"},
         "[paxtor]\nname=\"file\"\nvoters=[\"a=127.0.0.1:1\"]\nttl=500ms\ncapacity=3\n");
  REQUIRE(file);
  CHECK(file->name == "cli");
  CHECK(file->voters == std::vector<std::string>{"a=127.0.0.1:1"});
  CHECK(file->ttl == 500ms);
  CHECK(file->capacity == 3);
}

TEST_CASE("a typo in a file is found, and a value that makes no sense") {
  auto why = read({}, "[paxtor]\nvotrs=\"a=1\"\n");
  REQUIRE(!why);
  has(paxtor::describe(why.error()), "votrs");
  has(paxtor::describe(why.error()), "voters");
  why = read({}, "[paxtor]\nttl=3\n");
  REQUIRE(!why);
  has(paxtor::describe(why.error()), "paxtor.ttl");
  has(paxtor::describe(why.error()), "3s");
  why = read({"--paxtor.capacity=many"});
  REQUIRE(!why);
  has(paxtor::describe(why.error()), "paxtor.capacity");
}

TEST_CASE("defaults given in code are options like any other") {
  struct with_defaults : caf::actor_system_config {
    with_defaults() { paxtor::load(*this, alone()); }
  };
  with_defaults cfg;
  std::istringstream none;
  REQUIRE(!cfg.parse(std::vector<std::string>{"--paxtor.name=b"}, none));
  const auto got = paxtor::options_of(cfg);
  REQUIRE(got);
  CHECK(got->name == "b");
  CHECK(got->listen == "127.0.0.1:0");
  CHECK(got->voters == alone().voters);
}

TEST_CASE("every option that cannot work is refused, with what to do") {
  auto o = alone();
  SUBCASE("no voters") {
    o.voters.clear();
    has(refusal(o, errc::invalid), "NAME=HOST:PORT");
  }
  SUBCASE("a voter that is none") {
    o.voters = {"a"};
    has(refusal(o, errc::invalid), "'a' is not NAME=HOST:PORT");
  }
  SUBCASE("a voter without a port") {
    o.voters = {"a=127.0.0.1"};
    has(refusal(o, errc::invalid), "port");
  }
  SUBCASE("a voter twice") {
    o.voters = {"a=127.0.0.1:1", "a=127.0.0.1:2"};
    has(refusal(o, errc::invalid), "'a' twice");
  }
  SUBCASE("an address twice") {
    o.voters = {"a=127.0.0.1:1", "b=127.0.0.1:1"};
    has(refusal(o, errc::invalid), "same address");
  }
  SUBCASE("a voter that does not listen") {
    o.listen.clear();
    has(refusal(o, errc::invalid), "paxtor.listen");
  }
  SUBCASE("an address that is none") {
    o.listen = "here";
    has(refusal(o, errc::invalid), "paxtor.listen");
  }
  SUBCASE("an address of nobody") {
    o.listen = "0.0.0.0:0";
    o.insecure = true;
    has(refusal(o, errc::invalid), "paxtor.advertise");
  }
  SUBCASE("a ttl out of bounds") {
    o.ttl = 100ms;
    has(refusal(o, errc::invalid), "300ms to 60s");
  }
  SUBCASE("a label that is none") {
    o.labels = {"fast"};
    has(refusal(o, errc::invalid), "KEY=VALUE");
  }
  SUBCASE("a log level that is none") {
    o.log_level = "loud";
    has(refusal(o, errc::invalid), "debug");
  }
  SUBCASE("a name with a comma") {
    o.name = "a,b";
    has(refusal(o, errc::invalid), "paxtor.name");
  }
  SUBCASE("open to all without TLS") {
    o.listen = "192.0.2.1:4800";
    o.voters = {"a=192.0.2.1:4800"};
    has(refusal(o, errc::invalid), "--paxtor.insecure");
  }
  SUBCASE("half of TLS") {
    o.tls_certificate = "/nowhere/cert.pem";
    has(refusal(o, errc::cannot_open), "/nowhere/cert.pem");
    o.tls_certificate.clear();
    o.tls_key = "/nowhere/key.pem";
    has(refusal(o, errc::invalid), "tls-certificate is missing");
  }
  SUBCASE("a certificate that is none") {
    const auto path =
      std::filesystem::temp_directory_path() / ("paxtor-no-cert-" + std::to_string(::getpid()));
    std::ofstream{path} << "not a certificate\n";
    o.tls_certificate = o.tls_key = o.tls_ca = path.string();
    has(refusal(o, errc::cannot_open), path.string());
    std::filesystem::remove(path);
  }
  SUBCASE("an address in use") {
    nodes other{1};
    o.listen = "127.0.0.1:" + std::to_string(other[0].door.port());
    has(refusal(o, errc::cannot_open), o.listen);
  }
}

TEST_CASE("a system whose config was not loaded says so") {
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
  const auto got = paxtor::join(sys, alone());
  REQUIRE(!got);
  CHECK(paxtor::code_of(got.error()) == errc::invalid);
  has(paxtor::describe(got.error()), "paxtor::load");
}

TEST_CASE("join gives up in time, says who did not answer, and leaves nothing behind") {
  config cfg;
  caf::actor_system sys{cfg};
  const auto before = threads();
  const auto files = sockets();
  auto o = alone();
  const auto ports = free_ports(3);
  o.listen = "127.0.0.1:" + std::to_string(ports[0]);
  o.voters = {"a=" + o.listen, "b=127.0.0.1:" + std::to_string(ports[1]),
              "c=127.0.0.1:" + std::to_string(ports[2])};
  o.join_timeout = 300ms;
  const auto got = paxtor::join(sys, o);
  REQUIRE(!got);
  CHECK(paxtor::code_of(got.error()) == errc::timed_out);
  has(paxtor::describe(got.error()), "b, c");
  CHECK(eventually([&] { return threads() <= before; }));
  CHECK(eventually([&] { return sockets() <= files; }));
  // And the way is free for another try.
  CHECK(paxtor::join(sys, alone()));
}

TEST_CASE("a second node of the same name is refused, and taken once the first has left") {
  nodes cluster{1};
  auto& x = cluster.add("x");
  node twin;
  auto o = cluster.client_options("x");
  o.join_timeout = 700ms;
  const auto got = paxtor::join(*twin.sys, o);
  REQUIRE(!got);
  CHECK(paxtor::code_of(got.error()) == errc::name_taken);
  has(paxtor::describe(got.error()), "x");
  x.door.leave();
  o.join_timeout = 15s;
  auto later = paxtor::join(*twin.sys, o);
  INFO((later ? std::string{} : paxtor::describe(later.error())));
  CHECK(later);
}

TEST_CASE("a node of another cluster is refused") {
  nodes cluster{1};
  node stranger;
  auto o = cluster.client_options("x");
  o.cluster = "another";
  o.join_timeout = 1s;
  const auto got = paxtor::join(*stranger.sys, o);
  REQUIRE(!got);
  CHECK(paxtor::code_of(got.error()) == errc::wrong_cluster);
  has(paxtor::describe(got.error()), "another");
}

TEST_CASE("join twice in one system: the first is kept") {
  nodes cluster{1};
  const auto got = paxtor::join(*cluster[0].sys, cluster.options(0));
  REQUIRE(!got);
  CHECK(paxtor::code_of(got.error()) == errc::invalid);
  caf::scoped_actor self{*cluster[0].sys};
  CHECK(wait<paxtor::grant>(cluster[0].door.lock(self, "k")).ok());
}
