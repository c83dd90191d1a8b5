#include "net/endpoint.hpp"

#include <charconv>
#include <string_view>

#include <arpa/inet.h>

#include "net/caf_compat.hpp"

namespace paxtor::net {

namespace {

bool parse_port(std::string_view text, std::uint16_t& out) {
  unsigned value = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc{} || end != text.data() + text.size() || value > 65535)
    return false;
  out = static_cast<std::uint16_t>(value);
  return true;
}

} // namespace

caf::expected<endpoint> parse_endpoint(const std::string& text) {
  auto wrong = [&text](std::string_view what) {
    return fail(errc::invalid, "'" + text + "' is not an address: " + std::string{what});
  };
  if (text.size() > 300)
    return fail(errc::invalid, "an address of more than 300 characters: write HOST:PORT");
  endpoint result;
  std::string_view rest{text};
  if (rest.starts_with('[')) {
    auto end = rest.find("]:");
    if (end == std::string_view::npos)
      return wrong("write an IPv6 address as [ADDRESS]:PORT");
    result.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 2);
    in6_addr ignored;
    if (inet_pton(AF_INET6, result.host.c_str(), &ignored) != 1)
      return wrong("what is in brackets is no IPv6 address");
  } else {
    auto colon = rest.rfind(':');
    if (colon == std::string_view::npos)
      return wrong("the port is missing; write HOST:PORT");
    result.host = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
    if (result.host.find(':') != std::string::npos)
      return wrong("write an IPv6 address as [ADDRESS]:PORT");
    if (result.host.find_first_of(" \t/@") != std::string::npos)
      return wrong("write HOST:PORT and nothing else");
  }
  if (result.host.empty())
    return wrong("the host is missing; write HOST:PORT");
  if (!parse_port(rest, result.port))
    return wrong("the port is not a number from 0 to 65535");
  return result;
}

std::string to_string(const endpoint& what) {
  auto v6 = what.host.find(':') != std::string::npos;
  return (v6 ? "[" + what.host + "]" : what.host) + ":" + std::to_string(what.port);
}

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "::1")
    return true;
  in_addr v4{};
  return inet_pton(AF_INET, host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

} // namespace paxtor::net
