#include "tools/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <random>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/config_file.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

/// `choice`: on or off; a flag that can be switched off too.
enum class form { text, list, number, time, flag, choice };

/// Who has a setting.
enum class whose { nodes, owners, all };

struct field {
  const char* key;
  form kind;
  whose scope;
  const char* help;
  const char* type;
};

// --join-timeout and PAXTOR_JOIN_TIMEOUT follow from the key join_timeout.
constexpr field fields[] = {
  {"voters", form::list, whose::all, "the voters: at first the same on all nodes",
   "NAME=HOST:PORT,..."},
  {"cluster", form::text, whose::all, "the cluster's name (default: paxtor)", "NAME"},
  {"name", form::text, whose::all, "this node's name; a voter's is one of --voters", "NAME"},
  {"listen", form::text, whose::nodes,
   "where to listen; port 0 picks one (default: a voter's address)", "HOST:PORT"},
  {"advertise", form::text, whose::nodes, "where others reach this node, if not at --listen",
   "HOST:PORT"},
  {"standby", form::flag, whose::nodes,
   "keep the log without a vote, to become a voter: see 'paxtor members'", ""},
  {"labels", form::list, whose::nodes, "labels that singletons may ask for", "KEY=VALUE,..."},
  {"capacity", form::number, whose::nodes, "the most singletons to host (default: no bound)", "N"},
  {"ttl", form::time, whose::all, "how long a silent node keeps what it owns (default: 3s)",
   "TIME"},
  {"join_timeout", form::time, whose::all, "give up joining after this time", "TIME"},
  {"data_dir", form::text, whose::nodes,
   "this node's directory: a voter's log survives a crash (default: the log is in memory)", "DIR"},
  {"tls_certificate", form::text, whose::all, "PEM file; needs --tls-key and --tls-ca", "FILE"},
  {"tls_key", form::text, whose::all, "PEM file", "FILE"},
  {"tls_ca", form::text, whose::all,
   "PEM file of the authority that signed all nodes' certificates", "FILE"},
  {"insecure", form::flag, whose::all, "allow plain TCP beyond loopback", ""},
  {"guardian", form::choice, whose::owners,
   "tell the cluster at once when this process dies (default: on)", "on|off"},
  {"guardian_program", form::text, whose::owners,
   "paxtor-guardian (default: beside this program, in PATH)", "FILE"},
  {"log_level", form::text, whose::all, "trace, debug, info, warn, error or off", "LEVEL"},
};

bool applies(const field& entry, stay kind) {
  switch (kind) {
    case stay::node:
      return true;
    case stay::owner:
      return entry.scope != whose::nodes;
    case stay::command:
      return entry.scope == whose::all;
  }
  return false;
}

std::string flag_of(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

std::string variable_of(std::string key) {
  std::transform(key.begin(), key.end(), key.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  return "PAXTOR_" + key;
}

/// One setting as given somewhere.
struct given {
  std::vector<std::string> values;
  std::string origin; ///< "--ttl", "PAXTOR_TTL", "paxtor.json:4: \"ttl\""
};

std::vector<std::string> known_keys() {
  std::vector<std::string> result;
  for (const auto& entry : fields)
    result.emplace_back(entry.key);
  return result;
}

const char* wanted(form kind) {
  switch (kind) {
    case form::text:
      return "a string";
    case form::list:
      return R"(a list of strings, or an object as {"a": "host:port"})";
    case form::number:
      return "a number that is not negative";
    case form::time:
      return R"(a time as "3s" or "500ms")";
    case form::flag:
    case form::choice:
      return "true or false";
  }
  return "";
}

/// The values of a JSON entry as the strings that flags have. False: wrong type.
bool strings_of(form kind, const nlohmann::json& value, std::vector<std::string>& out) {
  switch (kind) {
    case form::text:
      if (!value.is_string())
        return false;
      out = {value.get<std::string>()};
      return true;
    case form::list:
      if (value.is_object()) {
        for (const auto& [name, item] : value.items()) {
          if (!item.is_string())
            return false;
          out.push_back(name + "=" + item.get<std::string>());
        }
        return true;
      }
      if (!value.is_array())
        return false;
      for (const auto& item : value) {
        if (!item.is_string())
          return false;
        out.push_back(item.get<std::string>());
      }
      return true;
    case form::number:
      if (!value.is_number_unsigned())
        return false;
      out = {value.dump()};
      return true;
    case form::time:
      if (!value.is_string())
        return false;
      out = {value.get<std::string>()};
      return true;
    case form::flag:
    case form::choice:
      if (!value.is_boolean())
        return false;
      out = {value.dump()};
      return true;
  }
  return false;
}

bool from_file(const std::string& file, std::map<std::string, given>& out, std::string& why) {
  std::vector<config_entry> entries;
  if (!read_config(file, entries, why))
    return false;
  for (const auto& entry : entries) {
    const auto known = std::find_if(std::begin(fields), std::end(fields),
                                    [&](const field& f) { return entry.key == f.key; });
    if (known == std::end(fields)) {
      const auto near = nearest(entry.key, known_keys());
      why = entry.origin + ": unknown key \"" + entry.key + "\"; "
            + (near.empty() ? "known are: " + join_text(known_keys(), ", ")
                            : "did you mean \"" + near + "\"?");
      return false;
    }
    given item{{}, entry.origin + ": \"" + entry.key + "\""};
    if (!strings_of(known->kind, entry.value, item.values)) {
      why = item.origin + ": want " + wanted(known->kind) + ", have " + entry.value.dump();
      return false;
    }
    out[entry.key] = std::move(item);
  }
  return true;
}

bool parse_flag(const std::string& text, bool& out) {
  if (text == "true" || text == "1" || text == "yes" || text == "on")
    out = true;
  else if (text == "false" || text == "0" || text == "no" || text == "off")
    out = false;
  else
    return false;
  return true;
}

bool apply(const std::string& key, const given& item, node_options& out, std::string& why) {
  const auto& text = item.values.empty() ? std::string{} : item.values.front();
  const auto bad = [&](const std::string& what) {
    why = item.origin + ": " + what;
    return false;
  };
  const std::map<std::string, std::string*> texts{
    {"cluster", &out.cluster},
    {"name", &out.name},
    {"listen", &out.listen},
    {"advertise", &out.advertise},
    {"tls_key", &out.tls_key},
    {"tls_certificate", &out.tls_certificate},
    {"tls_ca", &out.tls_ca},
    {"log_level", &out.log_level},
    {"guardian_program", &out.guardian_program},
    {"data_dir", &out.data_dir},
  };
  if (const auto found = texts.find(key); found != texts.end()) {
    if (text.empty())
      return bad("is empty");
    *found->second = text;
  } else if (key == "voters" || key == "labels") {
    const bool voters = key == "voters";
    for (const auto& value : item.values) {
      const auto equals = value.find('=');
      if (equals == 0 || equals == std::string::npos || equals + 1 == value.size())
        return bad("'" + value + "' is not " + (voters ? "NAME=HOST:PORT" : "KEY=VALUE"));
    }
    (voters ? out.voters : out.labels) = item.values;
  } else if (key == "capacity") {
    const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), out.capacity);
    if (err != std::errc{} || end != text.data() + text.size())
      return bad("'" + text + "' is not a number");
  } else if (key == "ttl" || key == "join_timeout") {
    std::string problem;
    const auto time = parse_duration(text, problem);
    if (!time)
      return bad(problem);
    (key == "ttl" ? out.ttl : out.join_timeout) = *time;
  } else if (key == "insecure" || key == "standby") {
    if (!parse_flag(text, key == "insecure" ? out.insecure : out.standby))
      return bad("want true or false, have '" + text + "'");
  } else if (key == "guardian") {
    if (!parse_flag(text, out.guardian))
      return bad("want on or off, have '" + text + "'");
  }
  return true;
}

} // namespace

void settings::add_to(CLI::App& app, stay kind) {
  for (const auto& entry : fields) {
    if (!applies(entry, kind))
      continue;
    const std::string key = entry.key;
    auto* const into = &flags;
    if (entry.kind == form::flag) {
      app
        .add_flag_callback(
          flag_of(key), [into, key] { (*into)[key] = {"true"}; }, entry.help)
        ->group("Node");
      continue;
    }
    const CLI::callback_t take = [into, key,
                                  list = entry.kind == form::list](const CLI::results_t& values) {
      auto& target = (*into)[key];
      target.clear();
      for (const auto& value : values) {
        const auto parts = list ? split(value, ',') : std::vector<std::string>{value};
        target.insert(target.end(), parts.begin(), parts.end());
      }
      return true;
    };
    app.add_option(flag_of(key), take, entry.help)
      ->type_name(entry.type)
      ->type_size(1)
      ->expected(1, entry.kind == form::list ? CLI::detail::expected_max_vector_size : 1)
      ->allow_extra_args(false)
      ->group("Node");
  }
  app
    .add_option("--config", config_file,
                "a JSON file with the settings above as keys (join_timeout)")
    ->type_name("FILE")
    ->group("Node");
  app.add_flag("--json", json, "print JSON");
}

bool settings::resolve(stay kind, node_options& out, std::string& why) const {
  std::map<std::string, given> file;
  auto path = config_file;
  if (path.empty()) {
    if (const char* text = std::getenv("PAXTOR_CONFIG"); text != nullptr)
      path = text;
  }
  if (!path.empty() && !from_file(path, file, why))
    return false;
  for (const auto& entry : fields) {
    const std::string key = entry.key;
    const bool own_only = !applies(entry, kind) || (kind != stay::node && key == "name");
    const char* text = own_only ? nullptr : std::getenv(variable_of(key).c_str());
    given item;
    if (const auto flag = flags.find(key); flag != flags.end()) {
      item = {flag->second, flag_of(key)};
    } else if (text != nullptr && *text != '\0') {
      item = {entry.kind == form::list ? split(text, ',') : std::vector<std::string>{text},
              variable_of(key)};
    } else if (const auto found = file.find(key); found != file.end() && !own_only) {
      item = found->second;
    } else {
      continue;
    }
    if (!apply(key, item, out, why))
      return false;
  }
  if (out.voters.empty()) {
    why = "which cluster? give --voters a=HOST:PORT,b=HOST:PORT,c=HOST:PORT (or PAXTOR_VOTERS, or "
          "\"voters\" in a --config "
          "file)";
    return false;
  }
  return true;
}

std::string unique_name(const std::string& tool) {
  char host[64] = "host";
  gethostname(host, sizeof host - 1);
  static constexpr char digits[] = "0123456789abcdef";
  std::random_device random;
  auto bits = random();
  std::string tail;
  for (int i = 0; i < 6; ++i, bits >>= 4)
    tail += digits[bits & 15];
  return tool + "-" + host + "-" + std::to_string(getpid()) + "-" + tail;
}

} // namespace paxtor::tools
