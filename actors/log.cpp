#include "actors/log.hpp"

#include <array>
#include <memory>
#include <mutex>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace paxtor::actors {

namespace {

struct level_name {
  std::string_view text;
  severity level;
  spdlog::level::level_enum theirs;
};

constexpr std::array<level_name, 6> levels{{
  {"trace", severity::trace, spdlog::level::trace},
  {"debug", severity::debug, spdlog::level::debug},
  {"info", severity::info, spdlog::level::info},
  {"warn", severity::warn, spdlog::level::warn},
  {"error", severity::error, spdlog::level::err},
  {"off", severity::off, spdlog::level::off},
}};

spdlog::level::level_enum theirs(severity level) {
  return levels[static_cast<std::size_t>(level)].theirs;
}

std::shared_ptr<spdlog::logger> sink() {
  // Two nodes of one process may be the first at the same time.
  static std::mutex first;
  std::lock_guard guard{first};
  if (auto known = spdlog::get("paxtor"))
    return known;
  auto made = spdlog::stderr_color_mt("paxtor");
  made->set_pattern("%H:%M:%S.%e %^%-5l%$ %v");
  made->set_level(spdlog::level::warn);
  return made;
}

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of(" =\"\n\t") != std::string_view::npos;
}

void append_value(std::string& line, std::string_view value) {
  if (!needs_quotes(value)) {
    line += value;
    return;
  }
  line += '"';
  for (auto c : value) {
    if (c == '"' || c == '\\')
      line += '\\';
    if (c == '\n')
      line += "\\n";
    else
      line += c;
  }
  line += '"';
}

} // namespace

bool parse(std::string_view text, severity& out) {
  for (const auto& entry : levels)
    if (entry.text == text) {
      out = entry.level;
      return true;
    }
  return false;
}

void set_level(severity least) {
  sink()->set_level(theirs(least));
}

bool enabled(severity level) {
  return sink()->should_log(theirs(level));
}

void logger::write(severity level, std::string_view what, std::initializer_list<fact> facts) const {
  auto out = sink();
  if (!out->should_log(theirs(level)))
    return;
  std::string line{what};
  line += " node=";
  append_value(line, node_);
  for (const auto& one : facts) {
    line += ' ';
    line += one.key;
    line += '=';
    append_value(line, one.value);
  }
  out->log(theirs(level), "{}", line);
}

} // namespace paxtor::actors
