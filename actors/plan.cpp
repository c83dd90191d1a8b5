#include "actors/plan.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <paxtor/error.hpp>

#include "actors/log.hpp"
#include "libpaxtor/registry/commands.hpp"
#include "libpaxtor/storage/sqlite_store.hpp"
#include "net/guardian/orders.hpp"

namespace paxtor::actors {

namespace {

/// One step of the check: an error, or nothing to say.
using step = caf::error (*)(plan&);

caf::error wrong(std::string text) {
  return make_error(errc::invalid, std::move(text));
}

/// What is wrong with an address, without the name of the code, which the whole error has.
std::string reason(const caf::error& problem) {
  auto text = describe(problem);
  const auto code = to_string(code_of(problem)) + ": ";
  return text.starts_with(code) ? text.substr(code.size()) : text;
}

/// Names go into errors, logs and terminals.
bool printable(const std::string& text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

caf::error check_name(const std::string& option, const std::string& text) {
  if (text.empty())
    return wrong("paxtor." + option + " is empty: give it a name");
  if (text.size() > 200)
    return wrong("paxtor." + option + " is longer than 200 bytes: shorten it");
  if (!printable(text))
    return wrong("paxtor." + option + " has control characters: use printable ones");
  return {};
}

caf::error check_names(plan& out) {
  if (auto problem = check_name("cluster", out.options.cluster))
    return problem;
  if (auto problem = check_name("name", out.options.name))
    return problem;
  if (out.options.name.find_first_of("=,") != std::string::npos)
    return wrong("paxtor.name '" + out.options.name + "' holds '=' or ',': leave them out");
  return {};
}

caf::error check_voters(plan& out) {
  if (out.options.voters.empty())
    return wrong(
      "paxtor.voters is empty: list the cluster's voters as NAME=HOST:PORT, the same on all nodes");
  if (out.options.voters.size() > max_voters)
    return wrong("paxtor.voters has more than " + std::to_string(max_voters)
                 + " entries: 3 or 5 are enough");
  for (const auto& text : out.options.voters) {
    const auto eq = text.find('=');
    if (eq == std::string::npos || eq == 0)
      return wrong("paxtor.voters: '" + text + "' is not NAME=HOST:PORT");
    plan::voter entry{text.substr(0, eq), {}};
    if (auto problem = check_name("voters", entry.name))
      return problem;
    auto address = net::parse_endpoint(text.substr(eq + 1));
    if (!address)
      return wrong("paxtor.voters: " + entry.name + ": " + reason(address.error()));
    entry.address = *address;
    if (entry.address.port == 0 && out.options.voters.size() > 1)
      return wrong("paxtor.voters: '" + text
                   + "' has port 0: voters need a port that the others know");
    for (const auto& other : out.voters) {
      if (other.name == entry.name)
        return wrong("paxtor.voters names '" + entry.name
                     + "' twice: every voter needs a name of its own");
      if (other.address == entry.address)
        return wrong("paxtor.voters: " + other.name + " and " + entry.name
                     + " have the same address " + to_string(entry.address)
                     + ": one of them is wrong");
    }
    out.is_voter = out.is_voter || entry.name == out.options.name;
    out.voters.push_back(std::move(entry));
  }
  return {};
}

caf::error check_standby(plan& out) {
  const auto& options = out.options;
  std::error_code none;
  // Who has become a voter since stays one, whatever it is started with.
  const bool has_store =
    !options.data_dir.empty()
    && std::filesystem::exists(options.data_dir + "/" + storage::sqlite_store::file_name, none);
  out.is_standby = !out.is_voter && (options.standby || has_store);
  if (out.is_standby && options.listen.empty())
    return wrong("paxtor.listen is missing: node '" + options.name + "' "
                 + (options.standby ? "is a standby" : "has a voter's store in " + options.data_dir)
                 + ", so it must listen where others reach it");
  return {};
}

caf::error check_addresses(plan& out) {
  const auto& options = out.options;
  if (options.listen.empty() && out.is_voter)
    return wrong("paxtor.listen is missing: node '" + options.name
                 + "' is among paxtor.voters, so it must listen where they say it is");
  if (!options.listen.empty()) {
    auto where = net::parse_endpoint(options.listen);
    if (!where)
      return wrong("paxtor.listen: " + reason(where.error()));
    out.listen = *where;
  }
  if (!options.advertise.empty()) {
    auto where = net::parse_endpoint(options.advertise);
    if (!where)
      return wrong("paxtor.advertise: " + reason(where.error()));
    if (!out.listen)
      return wrong(
        "paxtor.advertise without paxtor.listen: nobody could connect; set both or neither");
    out.advertise = *where;
  }
  const auto everywhere = out.listen && (out.listen->host == "0.0.0.0" || out.listen->host == "::");
  if (everywhere && !out.advertise)
    return wrong("paxtor.listen is " + options.listen
                 + ", an address that nobody can connect to: set paxtor.advertise to HOST:PORT as "
                   "others reach this node");
  return {};
}

caf::error check_labels(plan& out) {
  if (out.options.labels.size() > max_labels)
    return wrong("paxtor.labels has more than " + std::to_string(max_labels) + " entries");
  for (const auto& text : out.options.labels) {
    const auto eq = text.find('=');
    if (eq == std::string::npos || eq == 0)
      return wrong("paxtor.labels: '" + text + "' is not KEY=VALUE");
    if (text.size() > registry::max_text_bytes)
      return wrong("paxtor.labels: an entry is longer than "
                   + std::to_string(registry::max_text_bytes) + " bytes");
    if (!out.labels.emplace(text.substr(0, eq), text.substr(eq + 1)).second)
      return wrong("paxtor.labels gives '" + text.substr(0, eq) + "' twice");
  }
  return {};
}

caf::error check_times(plan& out) {
  const auto& options = out.options;
  if (options.ttl < cluster::min_ttl || options.ttl > cluster::max_ttl)
    return wrong("paxtor.ttl is " + std::to_string(options.ttl.count())
                 + " ms: choose 300ms to 60s");
  out.leases.ttl = options.ttl;
  out.times = cluster::timing_for(options.ttl);
  std::string why;
  if (!cluster::validate(out.leases, out.times, why))
    return wrong("paxtor.ttl: " + why);
  if (options.join_timeout.count() < 0)
    return wrong("paxtor.join-timeout is negative: choose how long to wait for the cluster");
  if (severity ignored{}; !parse(options.log_level, ignored))
    return wrong("paxtor.log-level '" + options.log_level
                 + "': choose trace, debug, info, warn, error or off");
  return {};
}

caf::error check_file(const char* option, const std::string& path) {
  const auto fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return make_error(errc::cannot_open, "paxtor." + std::string{option} + ": '" + path
                                           + "' cannot be read: " + std::strerror(errno));
  char byte = 0;
  const auto size = ::read(fd, &byte, 1);
  const auto code = errno;
  ::close(fd);
  if (size < 0)
    return make_error(errc::cannot_open, "paxtor." + std::string{option} + ": '" + path
                                           + "' cannot be read: " + std::strerror(code));
  if (size == 0)
    return make_error(errc::cannot_open, "paxtor." + std::string{option} + ": '" + path
                                           + "' is empty: it should be a PEM file");
  return {};
}

caf::error check_tls(plan& out) {
  const auto& options = out.options;
  const std::pair<const char*, const std::string&> files[] = {
    {"tls-certificate", options.tls_certificate},
    {"tls-key", options.tls_key},
    {"tls-ca", options.tls_ca}};
  const auto given = std::count_if(std::begin(files), std::end(files),
                                   [](const auto& file) { return !file.second.empty(); });
  for (const auto& [option, path] : files) {
    if (given != 0 && path.empty())
      return wrong(std::string{"paxtor."} + option
                   + " is missing: TLS needs tls-certificate, tls-key and tls-ca, or none of them");
    if (given != 0)
      if (auto problem = check_file(option, path))
        return problem;
  }
  out.tls = given != 0;
  if (out.tls || options.insecure)
    return {};
  auto open_to_all = [](const std::string& what) {
    return wrong(what
                 + " is no loopback address: set tls-certificate, tls-key and tls-ca, or "
                   "--paxtor.insecure if everybody who "
                   "can reach the port may be trusted with the cluster");
  };
  if (out.listen && !net::is_loopback(out.listen->host))
    return open_to_all("paxtor.listen " + options.listen);
  if (out.advertise && !net::is_loopback(out.advertise->host))
    return open_to_all("paxtor.advertise " + options.advertise);
  for (const auto& one : out.voters)
    if (!net::is_loopback(one.address.host))
      return open_to_all("paxtor.voters: " + one.name + "=" + to_string(one.address));
  return {};
}

caf::error check_guardian(plan& out) {
  const auto& awaited = out.options.guardian_awaits;
  if (awaited.size() > guardian::max_awaited)
    return wrong("guardian_awaits has more than " + std::to_string(guardian::max_awaited)
                 + " descriptors");
  for (const auto fd : awaited)
    if (::fcntl(fd, F_GETFD) < 0)
      return wrong("guardian_awaits: " + std::to_string(fd) + " is no open descriptor");
  return {};
}

std::string default_name() {
  char host[256] = {};
  if (::gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
    return "node-" + std::to_string(::getpid());
  return std::string{host} + "-" + std::to_string(::getpid());
}

} // namespace

caf::expected<plan> make_plan(const node_options& options) {
  plan result;
  result.options = options;
  if (result.options.name.empty())
    result.options.name = default_name();
  constexpr step steps[] = {check_names,  check_voters, check_standby, check_addresses,
                            check_labels, check_times,  check_tls,     check_guardian};
  for (auto check : steps)
    if (auto problem = check(result))
      return problem;
  return result;
}

} // namespace paxtor::actors
