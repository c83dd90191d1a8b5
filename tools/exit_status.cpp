#include "tools/exit_status.hpp"

#include <cstdio>

#include <paxtor/error.hpp>

namespace paxtor::tools {

int status_of(const caf::error& err) {
  switch (code_of(err)) {
    case errc::timed_out:
      return exit_timed_out;
    case errc::busy:
      return exit_busy;
    case errc::ownership_lost:
      return exit_lock_lost;
    case errc::invalid:
      return exit_usage;
    case errc::cannot_open:
    case errc::wrong_cluster:
    case errc::name_taken:
    case errc::not_joined:
      return exit_unavailable;
    case errc::none:
    case errc::deadlock:
    case errc::no_host:
    case errc::type_mismatch:
    case errc::start_failed:
    case errc::not_delivered:
    case errc::overloaded:
    case errc::outcome_unknown:
      return exit_failure;
  }
  return exit_failure;
}

int complain(const std::string& what, int status) {
  // One write, so that lines of several processes on one terminal stay whole.
  const auto line = "paxtor: " + what + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  return status;
}

int complain(const caf::error& err) {
  return complain(describe(err), status_of(err));
}

} // namespace paxtor::tools
