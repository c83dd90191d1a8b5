#include "net/guardian/orders.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

namespace paxtor::guardian {

namespace {

using nlohmann::json;

/// JSON holds no raw bytes.
std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string result;
  for (const unsigned char c : bytes) {
    result += digits[c >> 4];
    result += digits[c & 15];
  }
  return result;
}

std::string from_hex(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    result += static_cast<char>(byte);
  }
  return result;
}

std::string dump(const json& what) {
  return what.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace

std::string encode(const ward_order& what) {
  json voters = json::array();
  for (const auto& one : what.voters)
    voters.push_back({{"name", one.name}, {"host", one.host}, {"port", one.port}});
  return dump({{"node_name", what.node_name},
               {"node", what.node.value},
               {"secret", to_hex(what.secret)},
               {"voters", voters},
               {"tls",
                {{"certificate", what.tls.certificate},
                 {"key", what.tls.key},
                 {"passphrase", what.tls.passphrase},
                 {"ca", what.tls.ca}}}});
}

std::string encode(const report& what) {
  return dump(
    {{"linked", what.linked}, {"voters", what.voters}, {"line", what.line}, {"warn", what.warn}});
}

bool decode(std::string_view bytes, ward_order& out) {
  try {
    const auto all = json::parse(bytes);
    out.node_name = all.at("node_name");
    out.node = node_id{all.at("node").get<std::uint64_t>()};
    out.secret = from_hex(all.at("secret").get<std::string>());
    out.voters.clear();
    for (const auto& one : all.at("voters"))
      out.voters.push_back({one.at("name"), one.at("host"), one.at("port")});
    const auto& tls = all.at("tls");
    out.tls = {tls.at("certificate"), tls.at("key"), tls.at("passphrase"), tls.at("ca")};
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

bool decode(std::string_view bytes, report& out) {
  try {
    const auto all = json::parse(bytes);
    out = {all.at("linked"), all.at("voters"), all.at("line"), all.at("warn")};
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

} // namespace paxtor::guardian
