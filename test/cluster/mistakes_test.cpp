#include <algorithm>

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/cluster/support.hpp"
#include "tools/text.hpp"

using namespace paxtor::test;

namespace {

const std::string nobody = "a=127.0.0.1:1,b=127.0.0.1:2,c=127.0.0.1:3";

/// One line, beginning with the program's name.
void check_one_line(const outcome& result) {
  CHECK(result.err.starts_with("paxtor: "));
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  CHECK(result.out.empty());
}

/// A node has a log, whose lines begin with a time; the error is one line all the same, and the
/// last.
void check_last_line(const outcome& result) {
  const auto lines = paxtor::tools::split(result.err, '\n');
  REQUIRE_FALSE(lines.empty());
  CHECK(lines.back().starts_with("paxtor: "));
  CHECK(std::count_if(lines.begin(), lines.end(),
                      [](const auto& line) { return line.starts_with("paxtor: "); })
        == 1);
  CHECK(result.out.empty());
}

} // namespace

TEST_CASE("mistakes: wrong flags") {
  const marked mark;
  const auto typo = mark.run({"status", "--vters", nobody});
  CHECK(typo.status == 64);
  CHECK(contains(typo.err, "unknown option '--vters'; did you mean '--voters'?"));
  check_one_line(typo);
  const auto command = mark.run({"sttus"});
  CHECK(command.status == 64);
  CHECK(contains(command.err, "did you mean 'status'?"));
  const auto none = mark.run({"status"});
  CHECK(none.status == 64);
  CHECK(contains(none.err, "--voters"));
  check_one_line(none);
  const auto time = mark.run({"status", "--voters", nobody, "--ttl", "soon"});
  CHECK(time.status == 64);
  CHECK(contains(time.err, "--ttl: 'soon' is not a time"));
  const auto voter = mark.run({"node", "--name", "a", "--voters", "a:4801"});
  CHECK(voter.status == 64);
  CHECK(contains(voter.err, "--voters: 'a:4801' is not NAME=HOST:PORT"));
  const auto ttl = mark.run({"node", "--name", "a", "--voters", nobody, "--ttl", "10ms"});
  CHECK(ttl.status == 64);
  CHECK(contains(ttl.err, "--ttl is 10 ms: choose 300ms to 60s"));
  const auto port = mark.run({"node", "--name", "a", "--voters", "a=127.0.0.1:99999"});
  CHECK(port.status == 64);
  CHECK(contains(port.err, "--voters: a: '127.0.0.1:99999' is not an address"));
  const auto tail = mark.run({"status", "--voters", nobody, "--", "ls"});
  CHECK(tail.status == 64);
  CHECK(mark.run({}).status == 64);
}

TEST_CASE("mistakes: every command has help with an example") {
  const marked mark;
  for (const auto* command :
       {"node", "demo", "status", "lock", "whereis", "get", "put", "why", "members", "bench"}) {
    const auto help = mark.run({command, "--help"});
    CHECK(help.status == 0);
    CHECK(contains(help.out, "Example"));
    CHECK(contains(help.out, std::string{"paxtor "} + command));
  }
  CHECK(contains(mark.run({"--version"}).out, "paxtor 0."));
}

TEST_CASE("mistakes: config files, with line and key") {
  const marked mark;
  const scratch dir;
  const auto check = [&](const std::string& text, const std::string& expected) {
    const auto file = dir.write("paxtor.json", text);
    const auto result = mark.run({"status", "--config", file});
    CHECK(result.status == 64);
    CHECK_MESSAGE(contains(result.err, file + expected), result.err);
    check_one_line(result);
  };
  check("{\n  \"name\": \"a\",\n  \"vters\": []\n}\n",
        R"(:3: unknown key "vters"; did you mean "voters"?)");
  check("{\n  \"ttl\": 3000\n}\n", R"(:2: "ttl": want a time as "3s" or "500ms", have 3000)");
  check("{\n  \"voters\": \"a=h:1\"\n}\n", R"(:2: "voters": want a list of strings)");
  check("{\n  \"name\": \"a\"\n  \"ttl\": \"3s\"\n}\n", ":3:3: not JSON");
  check("{\n  \"name\": \"a\",\n\n  \"name\": \"b\"\n}\n",
        R"(:4: "name" is there twice (first in line 2))");
  check("[]", ":1: want one JSON object");
  const auto missing = mark.run({"status", "--config", dir.file("none.json")});
  CHECK(missing.status == 64);
  CHECK(contains(missing.err, "none.json: No such file"));
}

TEST_CASE("mistakes: flags win over the environment, and that over the file") {
  const marked mark;
  const scratch dir;
  const auto file =
    dir.write("paxtor.json", R"({"voters": ["f=127.0.0.1:1"], "join_timeout": "100ms"})");
  const auto which = [&](const words& flags, const words& variables) {
    words args{"status", "--config", file};
    args.insert(args.end(), flags.begin(), flags.end());
    const auto result = mark.run(args, variables);
    CHECK(result.status == 69);
    return result.err;
  };
  CHECK(contains(which({}, {}), "no link to f "));
  CHECK(contains(which({}, {"PAXTOR_VOTERS=e=127.0.0.1:1"}), "no link to e "));
  CHECK(contains(which({"--voters", "g=127.0.0.1:1"}, {"PAXTOR_VOTERS=e=127.0.0.1:1"}),
                 "no link to g "));
  const auto bad = mark.run({"status", "--config", file}, {"PAXTOR_TTL=x"});
  CHECK(bad.status == 64);
  CHECK(contains(bad.err, "PAXTOR_TTL: 'x' is not a time"));
}

TEST_CASE("mistakes: keys out of bounds") {
  const marked mark;
  const auto longer = mark.run({"lock", "--voters", nobody, std::string(5000, 'k'), "--", "true"});
  CHECK(longer.status == 64);
  CHECK(contains(longer.err, "4096"));
  check_one_line(longer);
  CHECK(mark.run({"why", "--voters", nobody, std::string(5000, 'k')}).status == 64);
}

TEST_CASE("mistakes: keys and values that begin as JSON and are none") {
  const marked mark;
  const auto key = mark.run({"lock", "--voters", nobody, R"({"invoice": )", "--", "true"});
  CHECK(key.status == 64);
  CHECK(contains(key.err, "not valid JSON: error at byte 13"));
  check_one_line(key);
  CHECK(mark.run({"why", "--voters", nobody, "[1, 2"}).status == 64);
  CHECK(mark.run({"whereis", "--voters", nobody, "\"apple", "--type", "counter"}).status == 64);
  const auto value = mark.run({"put", "--voters", nobody, "bucket", "key", "[1, 2"});
  CHECK(value.status == 64);
  CHECK(contains(value.err, "not valid JSON"));
  check_one_line(value);
}

TEST_CASE("mistakes: nobody answers") {
  const marked mark;
  const auto start = clock::now();
  const auto alone = mark.run({"status", "--voters", nobody, "--join-timeout", "500ms"});
  CHECK(alone.status == 69);
  CHECK(contains(alone.err, "a"));
  CHECK(seconds_since(start) < 5);
  check_one_line(alone);
}

TEST_CASE("mistakes: an address in use") {
  const marked mark;
  const auto port = paxtor::tools::free_ports(1).front();
  const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(taken, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(taken, 1) == 0);
  const auto where = "127.0.0.1:" + std::to_string(port);
  const auto result = mark.run({"node", "--name", "a", "--voters", "a=" + where});
  CHECK(result.status == 69);
  CHECK(contains(result.err, where));
  CHECK_FALSE(contains(result.err, "session"));
  check_last_line(result);
  close(taken);
}

TEST_CASE("mistakes: a certificate file that is missing") {
  const marked mark;
  const auto port = std::to_string(paxtor::tools::free_ports(1).front());
  const auto result =
    mark.run({"node", "--name", "a", "--voters", "a=127.0.0.1:" + port, "--tls-certificate",
              "/no/such/cert.pem", "--tls-key", "/no/such/key.pem", "--tls-ca", "/no/such/ca.pem"});
  CHECK(result.status == 69);
  CHECK(contains(result.err, "/no/such/"));
  check_last_line(result);
  const auto half = mark.run(
    {"node", "--name", "a", "--voters", "a=127.0.0.1:" + port, "--tls-key", "/no/key.pem"});
  CHECK(half.status == 64);
}

TEST_CASE("mistakes: names, clusters and types that do not fit") {
  three_nodes nodes;
  const auto first = nodes.start("node", {"--name", "guest", "--json"});
  REQUIRE(first->read_json(10s));
  const auto second = nodes.run("node", {"--name", "guest", "--join-timeout", "2s"});
  CHECK(second.status == 69);
  CHECK(contains(second.err, "guest"));
  CHECK(contains(second.err, "name"));
  check_last_line(second);
  const auto other = nodes.run("status", {"--cluster", "other", "--join-timeout", "3s"});
  CHECK(other.status == 69);
  CHECK(contains(other.err, "other"));
  check_one_line(other);
  const auto type = nodes.run("whereis", {"apple", "--type", "no-such-type"});
  CHECK(type.status == 1);
  CHECK(contains(type.err, "no-such-type"));
  check_one_line(type);
  CHECK(nodes.run("whereis", {"apple", "--type", "counter"}).status == 0);
  const auto mismatch = nodes.run("whereis", {"apple", "--type", "echo"});
  CHECK(mismatch.status == 1);
  CHECK(contains(mismatch.err, "counter"));
  CHECK(contains(mismatch.err, "echo"));
  const auto voters = nodes.voters();
  const auto ttl =
    nodes.mark().run({"status", "--voters", voters, "--ttl", "5s", "--join-timeout", "3s"});
  CHECK(ttl.status == 69);
  CHECK(contains(ttl.err, "ttl"));
}
