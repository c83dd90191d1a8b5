// The program paxtor-guardian by itself: wards are any processes, voters are threads of this test.

#include <csignal>
#include <fstream>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/guardian_program.hpp"
#include "net/guardian/orders.hpp"
#include "net/guardian/tls.hpp"
#include "net/guardian/ward.hpp"
#include "test/actors/authority.hpp"
#include "test/cluster/fake_voter.hpp"
#include "test/cluster/support.hpp"
#include "tools/text.hpp"

using namespace paxtor::test;
namespace guardian = paxtor::guardian;
using paxtor::actors::guardian_child;

namespace {

constexpr paxtor::node_id ward_node{5};
const std::string secret(32, 's');

using manner = fake_voter::manner;

/// A process, and a guardian that watches it.
class watched {
public:
  explicit watched(const std::vector<guardian::voter_address>& voters,
                   const std::vector<int>& awaits = {}, const guardian::tls_files& tls = {},
                   const words& command = {"sleep", "1000"})
      : ward_(std::make_unique<process>(command)) {
    std::string why;
    child_ = guardian_child::start(PAXTOR_GUARDIAN, why);
    REQUIRE_MESSAGE(child_, why);
    const auto ward = guardian::open_pidfd(ward_->pid());
    REQUIRE(ward >= 0);
    std::vector<int> descriptors{ward};
    descriptors.insert(descriptors.end(), awaits.begin(), awaits.end());
    REQUIRE(child_->send(guardian::encode({"w", ward_node, secret, voters, tls}), descriptors));
    ::close(ward);
  }
  ~watched() {
    if (child_) {
      ::kill(child_->pid(), SIGKILL);
      (void)child_->end();
    }
  }
  watched(const watched&) = delete;
  watched& operator=(const watched&) = delete;

  void wait_linked(std::size_t count) {
    guardian::report news;
    const auto linked = eventually(10s, [&] {
      std::string packet;
      while (child_->receive(packet) && !packet.empty())
        (void)guardian::decode(packet, news);
      return news.linked == count;
    });
    CAPTURE(news.line);
    REQUIRE(linked);
  }

  /// How it ended; empty: not within `patience`.
  std::string ended(milliseconds patience) {
    if (!eventually(patience, [&] { return !alive(child_->pid()); }))
      return {};
    const auto how = child_->end();
    child_.reset();
    return how;
  }

  [[nodiscard]] process& ward() { return *ward_; }
  [[nodiscard]] guardian_child& child() { return *child_; }

private:
  std::unique_ptr<process> ward_;
  std::unique_ptr<guardian_child> child_;
};

std::string text_of(const std::string& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

long resident_kib(pid_t pid) {
  const auto status = text_of("/proc/" + std::to_string(pid) + "/status");
  return std::stol(status.substr(status.find("VmRSS:") + 6));
}

/// User and system time, in ticks, and how often it was scheduled.
std::pair<long, long> work_of(pid_t pid) {
  const auto stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  const auto fields = paxtor::tools::split(stat.substr(stat.rfind(')') + 2), ' ');
  const auto status = text_of("/proc/" + std::to_string(pid) + "/status");
  const std::string wanted = "\nvoluntary_ctxt_switches:";
  return {std::stol(fields.at(11)) + std::stol(fields.at(12)),
          std::stol(status.substr(status.find(wanted) + wanted.size()))};
}

const std::string exited_well = "exited with status 0";

} // namespace

TEST_CASE("guardian: small, and asleep while nothing happens, with TLS and without") {
  authority ca;
  const guardian::tls_files files{ca.files().certificate, ca.files().key, {}, ca.files().ca};
  for (const auto secure : {false, true}) {
    CAPTURE(secure);
    std::string why;
    const auto context = secure ? guardian::make_tls_context(files, why) : nullptr;
    fake_voter a{manner::certifies, context};
    fake_voter b{manner::certifies, context};
    fake_voter c{manner::certifies, context};
    watched one{
      {a.address("a"), b.address("b"), c.address("c")}, {}, secure ? files : guardian::tls_files{}};
    one.wait_linked(3);
    const auto pid = one.child().pid();
    MESSAGE(resident_kib(pid) << " KiB resident");
    CHECK(resident_kib(pid) < 12 * 1024);
    const auto before = work_of(pid);
    poll(nullptr, 0, 2000);
    CHECK(work_of(pid) == before);
    one.ward().kill_now();
    CHECK(one.ended(5s) == exited_well);
    CHECK(a.heard() + b.heard() + c.heard() >= 1);
  }
}

TEST_CASE("guardian: certifies how its ward ended") {
  const auto detail_of = [](const words& command, bool reaped_at_once, int signal) {
    fake_voter a{manner::certifies};
    watched one{{a.address("a")}, {}, {}, command};
    one.wait_linked(1);
    if (reaped_at_once) {
      // So that the ward is gone before the guardian looks.
      ::kill(one.child().pid(), SIGSTOP);
      if (signal != 0)
        one.ward().signal(signal);
      else
        one.ward().close_stdin();
      REQUIRE(one.ward().wait(5s));
      ::kill(one.child().pid(), SIGCONT);
    } else if (signal != 0) {
      one.ward().signal(signal);
    }
    CHECK(one.ended(5s) == exited_well);
    CHECK(a.proof().node == ward_node);
    CHECK(a.proof().secret == secret);
    CHECK(a.proof().proof == paxtor::registry::end_reason::process_died);
    return a.proof().detail;
  };
  CHECK(detail_of({"sleep", "1000"}, false, SIGKILL) == "killed by signal 9 (SIGKILL)");
  CHECK(detail_of({"sleep", "1000"}, false, SIGTERM) == "killed by signal 15 (SIGTERM)");
  CHECK(detail_of({"sh", "-c", "sleep 0.5; exit 70"}, false, 0) == "exited with status 70");
  // Kernels before 6.15 forget it when the process is reaped.
  const auto reaped = detail_of({"sleep", "1000"}, true, SIGKILL);
  CHECK((reaped == "killed by signal 9 (SIGKILL)"
         || reaped == "the process has ended; how is not known"));
}

TEST_CASE("guardian: says it again until a voter has certified it, and dials those it has lost") {
  fake_voter a{manner::not_leading};
  watched one{{a.address("a"), {"gone", "127.0.0.1", 1}}};
  one.wait_linked(1);
  one.ward().kill_now();
  REQUIRE(eventually(5s, [&] { return a.heard() >= 4; }));
  CHECK(alive(one.child().pid()));
  a.answer_with(manner::certifies);
  CHECK(one.ended(1s) == exited_well);
}

TEST_CASE("guardian: never outlives its ward by more than 5 s") {
  fake_voter silent{manner::silent};
  // Accepts, and says nothing at all.
  const auto mute = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(mute, reinterpret_cast<sockaddr*>(&here), sizeof(here)) == 0);
  REQUIRE(::listen(mute, 5) == 0);
  socklen_t size = sizeof(here);
  ::getsockname(mute, reinterpret_cast<sockaddr*>(&here), &size);
  watched one{{silent.address("silent"),
               {"mute", "127.0.0.1", ntohs(here.sin_port)},
               {"refuses", "127.0.0.1", 1},
               {"nowhere", "no address", 1}}};
  one.wait_linked(1);
  const auto start = clock::now();
  one.ward().kill_now();
  CHECK(one.ended(10s) == exited_well);
  CHECK(seconds_since(start) >= 4.0);
  CHECK(seconds_since(start) <= 5.0);
  ::close(mute);
}

TEST_CASE("guardian: reports only after what its ward's end has to wait for, and never unproven") {
  int gone[2] = {-1, -1};
  fake_voter a{manner::certifies};
  REQUIRE(::pipe2(gone, O_CLOEXEC) == 0);
  {
    watched one{{a.address("a")}, {gone[0]}};
    one.wait_linked(1);
    one.ward().kill_now();
    CHECK(one.ended(500ms).empty());
    CHECK(a.heard() == 0);
    REQUIRE(::write(gone[1], "x", 1) == 1);
    CHECK(one.ended(2s) == exited_well);
    CHECK(a.heard() >= 1);
  }
  const auto before = a.heard();
  watched two{{a.address("a")}, {gone[0]}};
  two.wait_linked(1);
  two.ward().kill_now();
  CHECK(two.ended(300ms).empty());
  ::close(gone[1]);
  CHECK(two.ended(2s) == exited_well);
  CHECK(a.heard() == before);
  ::close(gone[0]);
}

TEST_CASE("guardian: goes when it is told bye, stays on signals and when its node lets go of it") {
  fake_voter a{manner::certifies};
  {
    watched one{{a.address("a")}};
    one.wait_linked(1);
    for (const auto number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT})
      ::kill(one.child().pid(), number);
    CHECK(one.ended(300ms).empty());
    CHECK(one.child().send(std::string{guardian::bye}, {}));
    CHECK(one.ended(2s) == exited_well);
    CHECK(a.heard() == 0);
  }
  {
    watched one{{a.address("a")}};
    one.wait_linked(1);
    ::shutdown(one.child().socket(), SHUT_RDWR);
    CHECK(one.ended(300ms).empty());
    one.ward().kill_now();
    CHECK(one.ended(2s) == exited_well);
    CHECK(a.heard() >= 1);
  }
}

TEST_CASE("guardian: takes other addresses, and ends if it is told nonsense first") {
  fake_voter a{manner::certifies};
  fake_voter b{manner::certifies};
  watched one{{a.address("a")}};
  one.wait_linked(1);
  CHECK(one.child().send(
    guardian::encode({"w", ward_node, secret, {a.address("a"), b.address("b")}, {}}), {}));
  one.wait_linked(2);
  CHECK(one.child().send("nonsense", {}));
  CHECK(one.ended(200ms).empty());
  std::string why;
  auto other = guardian_child::start(PAXTOR_GUARDIAN, why);
  REQUIRE(other);
  CHECK(other->send("{}", {}));
  CHECK(other->end() == exited_well);
  CHECK_FALSE(guardian_child::start("/no/such/program", why));
  CHECK(contains(why, "No such file"));
}
