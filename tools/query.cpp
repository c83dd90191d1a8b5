#include "tools/query.hpp"

#include <iostream>

#include <CLI/CLI.hpp>

#include "tools/exit_status.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

void add_query_flags(CLI::App& app, query_args& args) {
  app.add_option("--timeout", args.timeout, "give up after this time (status 75)")
    ->type_name("TIME")
    ->capture_default_str();
  args.given.add_to(app, stay::command);
}

std::optional<std::chrono::milliseconds> patience_of(const query_args& args) {
  std::string why;
  const auto result = parse_duration(args.timeout, why);
  if (!result)
    complain("--timeout: " + why, exit_usage);
  return result;
}

std::optional<document> ask_cluster(client& node, const std::string& what,
                                    const std::string& bucket, const key* about,
                                    std::chrono::milliseconds patience, int& status) {
  detail::ask_request question{what,
                               bucket,
                               about != nullptr ? about->text() : std::string{},
                               about != nullptr ? about->problem() : std::string{},
                               1000,
                               patience};
  auto answer =
    await<document>(node.system(), patience + std::chrono::seconds{1},
                    [&](caf::event_based_actor* self) { return node.door().ask(self, question); });
  if (answer)
    return *answer;
  status = complain(answer.error());
  return std::nullopt;
}

void print_json(const nlohmann::json& value) {
  std::cout << value.dump() << std::endl;
}

std::string text_of(const nlohmann::json& object, const char* field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  if (!object.is_object() || found == object.end() || found->is_null())
    return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string time_of(const nlohmann::json& object, const char* field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  if (!object.is_object() || found == object.end() || !found->is_number())
    return "-";
  return show_duration(std::chrono::milliseconds{found->get<std::int64_t>()});
}

} // namespace paxtor::tools
