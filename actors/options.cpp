#include <paxtor/config.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

#include <caf/config_option_adder.hpp>
#include <caf/config_value.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/settings.hpp>

#include <paxtor/error.hpp>

#include "actors/option_table.hpp"

namespace paxtor::detail {

/// A value as the user wrote it. CAF drops values of the wrong type from config files without a
/// word; so all are taken here, and judged by options_of.
struct written {
  caf::config_value value;
};

} // namespace paxtor::detail

namespace caf {

template <>
struct config_value_access<paxtor::detail::written> {
  static std::string type_name() { return "value"; }

  static bool is(const config_value&) { return true; }

  static optional<paxtor::detail::written> get_if(const config_value* x) {
    return paxtor::detail::written{*x};
  }

  static paxtor::detail::written get(const config_value& x) { return {x}; }

  static config_value convert(const paxtor::detail::written& x) { return x.value; }

  template <class Nested>
  static void parse_cli(string_parser_state& ps, paxtor::detail::written& x, Nested) {
    std::string text;
    for (; !ps.at_end(); ps.next())
      text += ps.current();
    x.value = config_value{std::move(text)};
    ps.code = pec::success;
  }
};

} // namespace caf

namespace paxtor::detail {

namespace {

/// What went wrong with one value: what to write instead. Empty: nothing.
using problem = std::string;

using reader = problem (*)(const caf::config_value&, node_options&);

problem read_text(const caf::config_value& from, std::string& to) {
  if (auto text = caf::get_if<std::string>(&from)) {
    to = *text;
    return {};
  }
  if (auto atom = caf::get_if<caf::atom_value>(&from)) {
    to = to_string(*atom);
    return {};
  }
  return "write text, as \"...\"";
}

void append_parts(std::string_view text, std::vector<std::string>& to) {
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto part = text.substr(0, comma);
    while (!part.empty() && std::isspace(static_cast<unsigned char>(part.front())) != 0)
      part.remove_prefix(1);
    while (!part.empty() && std::isspace(static_cast<unsigned char>(part.back())) != 0)
      part.remove_suffix(1);
    if (!part.empty())
      to.emplace_back(part);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
}

/// ["a=1", "b=2"], or a=1,b=2 as one word on a command line.
problem read_list(const caf::config_value& from, std::vector<std::string>& to) {
  to.clear();
  if (auto list = caf::get_if<caf::config_value::list>(&from)) {
    for (const auto& item : *list) {
      auto text = caf::get_if<std::string>(&item);
      if (text == nullptr)
        return "write a list of texts, as [\"...\", \"...\"]";
      append_parts(*text, to);
    }
    return {};
  }
  auto text = caf::get_if<std::string>(&from);
  if (text == nullptr)
    return "write a list of texts, as [\"...\", \"...\"]";
  std::string plain;
  for (auto c : *text)
    if (c != '[' && c != ']' && c != '"')
      plain += c;
  // An IPv6 address keeps its brackets.
  append_parts(text->find("[\"") == 0 || text->find('"') != std::string::npos ? plain : *text, to);
  return {};
}

problem read_number(const caf::config_value& from, std::uint64_t& to) {
  if (auto number = caf::get_if<caf::config_value::integer>(&from);
      number != nullptr && *number >= 0) {
    to = static_cast<std::uint64_t>(*number);
    return {};
  }
  if (auto text = caf::get_if<std::string>(&from)) {
    const auto* end = text->data() + text->size();
    const auto [ptr, code] = std::from_chars(text->data(), end, to);
    if (code == std::errc{} && ptr == end && !text->empty())
      return {};
  }
  return "write a number that is not negative";
}

problem read_time(const caf::config_value& from, std::chrono::milliseconds& to) {
  constexpr auto advice = "write a time with its unit, such as 300ms, 3s or 1min";
  if (auto span = caf::get_if<caf::timespan>(&from)) {
    to = std::chrono::duration_cast<std::chrono::milliseconds>(*span);
    return {};
  }
  auto text = caf::get_if<std::string>(&from);
  if (text == nullptr)
    return advice;
  std::int64_t number = 0;
  const auto* end = text->data() + text->size();
  const auto [ptr, code] = std::from_chars(text->data(), end, number);
  const std::string_view unit{ptr, static_cast<std::size_t>(end - ptr)};
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 3> units{
    {{"ms", 1}, {"s", 1000}, {"min", 60'000}}};
  for (const auto& [name, factor] : units)
    if (code == std::errc{} && unit == name
        && number <= std::numeric_limits<std::int64_t>::max() / factor) {
      to = std::chrono::milliseconds{number * factor};
      return {};
    }
  return advice;
}

problem read_flag(const caf::config_value& from, bool& to) {
  if (auto flag = caf::get_if<bool>(&from)) {
    to = *flag;
    return {};
  }
  return "write true or false";
}

/// Also as a word: CAF takes a flag that is on by default for set whatever stands behind it.
problem read_switch(const caf::config_value& from, bool& to) {
  if (auto text = caf::get_if<std::string>(&from)) {
    to = *text == "true" || *text == "on";
    if (to || *text == "false" || *text == "off")
      return {};
  }
  return read_flag(from, to);
}

struct row {
  std::string_view name;
  std::string_view help;
  reader read;
};

template <auto Field, auto Read>
problem into(const caf::config_value& from, node_options& to) {
  return Read(from, to.*Field);
}

using o = node_options;

constexpr std::array<row, 18> rows{{
  {"cluster", "the cluster's name, the same on all nodes (default: paxtor)",
   into<&o::cluster, read_text>},
  {"name", "this node's stable name (default: host and process id)", into<&o::name, read_text>},
  {"listen", "HOST:PORT where this node listens; port 0 picks one", into<&o::listen, read_text>},
  {"advertise", "HOST:PORT under which others reach it, if it differs",
   into<&o::advertise, read_text>},
  {"voters", "NAME=HOST:PORT,... of the initial voters, the same on all nodes",
   into<&o::voters, read_list>},
  {"standby", "keep the log without being a voter, to become one: true or false (default)",
   into<&o::standby, read_switch>},
  {"labels", "KEY=VALUE,... that singletons may ask for", into<&o::labels, read_list>},
  {"capacity", "the most singletons this node hosts (0: no bound)",
   into<&o::capacity, read_number>},
  {"ttl", "how long a silent node keeps what it owns, 300ms to 60s (default: 3s)",
   into<&o::ttl, read_time>},
  {"join-timeout", "how long to wait for the cluster (default: 15s)",
   into<&o::join_timeout, read_time>},
  {"data-dir", "this node's directory: a voter's log, and proof of how its process before ended",
   into<&o::data_dir, read_text>},
  {"tls-certificate", "PEM file of this node's certificate", into<&o::tls_certificate, read_text>},
  {"tls-key", "PEM file of its private key", into<&o::tls_key, read_text>},
  {"tls-ca", "PEM file of the authority that signs all nodes' certificates",
   into<&o::tls_ca, read_text>},
  {"log-level", "trace, debug, info, warn (default), error or off", into<&o::log_level, read_text>},
  {"guardian", "tell the cluster at once when this process dies: true (default) or false",
   into<&o::guardian, read_switch>},
  {"guardian-program", "the program paxtor-guardian (default: it is looked for)",
   into<&o::guardian_program, read_text>},
  {"insecure", "allow plain TCP on other addresses than loopback", into<&o::insecure, read_flag>},
}};

/// CAF offers its option set to derived configs alone; load() is a function so that one call does
/// it all.
struct option_door : caf::actor_system_config {
  static caf::config_option_set& of(caf::actor_system_config& cfg) {
    return cfg.*(&option_door::custom_options_);
  }
};

std::string all_names() {
  std::string result;
  for (const auto& entry : rows)
    result += (result.empty() ? "" : ", ") + std::string{entry.name};
  return result;
}

} // namespace

void add_options(caf::actor_system_config& cfg) {
  caf::config_option_adder adder{option_door::of(cfg), "paxtor"};
  for (const auto& entry : rows) {
    const caf::string_view name{entry.name.data(), entry.name.size()};
    const caf::string_view help{entry.help.data(), entry.help.size()};
    if (entry.name == "insecure")
      adder.add<bool>(name, help);
    else
      adder.add<written>(name, help);
  }
}

caf::expected<node_options> read_options(const caf::settings& all, node_options result) {
  const auto group = all.find("paxtor");
  if (group == all.end())
    return result;
  const auto* values = caf::get_if<caf::config_value::dictionary>(&group->second);
  if (values == nullptr)
    return make_error(errc::invalid, "the config's 'paxtor' is no group of options");
  for (const auto& [name, value] : *values) {
    const auto entry =
      std::find_if(rows.begin(), rows.end(), [&name](const row& r) { return r.name == name; });
    if (entry == rows.end())
      return make_error(errc::invalid,
                        "there is no option paxtor." + name + "; there are: " + all_names());
    if (auto what = entry->read(value, result); !what.empty())
      return make_error(errc::invalid,
                        "paxtor." + name + " is " + caf::deep_to_string(value) + ": " + what);
  }
  return result;
}

} // namespace paxtor::detail
