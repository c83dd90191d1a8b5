/// `paxtor-guardian`: the process that a node starts beside itself (net/guardian/process.hpp).

#include <cstdio>
#include <exception>
#include <string_view>

#include <sys/socket.h>
#include <sys/stat.h>

#include "net/guardian/orders.hpp"
#include "net/guardian/process.hpp"

namespace {

constexpr const char* help =
  R"(paxtor-guardian %s: a node's guardian. Nodes start it; there is nothing to do by hand.

It sleeps beside the process of a node, linked with the voters. When the kernel says that
the process has ended, it tells the voters so, and what the node held is granted to others
within milliseconds instead of after the ttl. Then it ends. It never outlives its node by
more than 5 seconds. 'paxtor node --guardian off' does without.
)";

bool is_socket(int fd) {
  struct stat what {};
  return ::fstat(fd, &what) == 0 && S_ISSOCK(what.st_mode);
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view asked = argc > 1 ? argv[argc - 1] : "";
  if (asked == "--help" || asked == "-h") {
    std::printf(help, PAXTOR_VERSION);
    return 0;
  }
  if (!is_socket(paxtor::guardian::order_fd)) {
    std::fputs("paxtor-guardian: nodes start this program; see paxtor-guardian --help\n", stderr);
    return 64;
  }
  try {
    return paxtor::guardian::run(paxtor::guardian::order_fd);
  } catch (const std::exception& problem) {
    // Nobody reads it but a person who runs it under a debugger: the node sees the status.
    std::fprintf(stderr, "paxtor-guardian: %s\n", problem.what());
    return 1;
  }
}
