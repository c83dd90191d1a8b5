#pragma once

/// \file
/// What the commands that ask one question share.

#include <functional>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/client.hpp"
#include "tools/settings.hpp"

namespace paxtor::tools {

struct query_args {
  settings given;
  std::string timeout = "10s";
};

/// Adds the flags of a node and --timeout.
void add_query_flags(CLI::App& app, query_args& args);

/// The deadline; nullopt, and a complaint, if it is none.
[[nodiscard]] std::optional<std::chrono::milliseconds> patience_of(const query_args& args);

/// Asks one of the cluster's questions. On failure complains and sets `status`.
[[nodiscard]] std::optional<document> ask_cluster(client& node, const std::string& what,
                                                  const std::string& bucket, const key* about,
                                                  std::chrono::milliseconds patience, int& status);

/// --json: one line.
void print_json(const nlohmann::json& value);

/// A field as text for people: strings bare, null as "-".
[[nodiscard]] std::string text_of(const nlohmann::json& object, const char* field);

/// A field that counts milliseconds; "-" if it is null.
[[nodiscard]] std::string time_of(const nlohmann::json& object, const char* field);

} // namespace paxtor::tools
