#include "actors/answers.hpp"

#include <string>
#include <utility>
#include <vector>

#include <caf/expected.hpp>

namespace paxtor::actors {

errc code_for(cluster::failure what) {
  switch (what) {
    case cluster::failure::deadlock:
      return errc::deadlock;
    case cluster::failure::timed_out:
      return errc::timed_out;
    case cluster::failure::busy:
      return errc::busy;
    case cluster::failure::no_host:
      return errc::no_host;
    case cluster::failure::type_mismatch:
      return errc::type_mismatch;
    case cluster::failure::start_failed:
      return errc::start_failed;
    case cluster::failure::name_taken:
      return errc::name_taken;
    case cluster::failure::session_lost:
    case cluster::failure::owner_gone:
      return errc::ownership_lost;
    case cluster::failure::outcome_unknown:
      return errc::outcome_unknown;
    case cluster::failure::not_joined:
      return errc::not_joined;
    case cluster::failure::overloaded:
      return errc::overloaded;
    case cluster::failure::invalid:
      return errc::invalid;
  }
  return errc::invalid;
}

caf::error error_for(const cluster::failed& what) {
  return make_error(code_for(what.code), what.detail);
}

grant grant_for(const cluster::granted& what, session_id session,
                std::shared_ptr<const detail::lease_view> lease) {
  std::vector<std::string> keys;
  keys.reserve(what.keys.size());
  for (const auto& one : what.keys)
    keys.push_back(one.text());
  return {what.grant.value, std::move(keys), std::move(lease), session.value,
          what.kind == registry::ownership::strict};
}

whereabouts whereabouts_for(const registry::location& what) {
  return {what.node_name, what.node.value, what.endpoint, what.type, what.grant.value};
}

document document_for(const cluster::stored& what) {
  return {nlohmann::json::parse(what.value, nullptr, false), true};
}

caf::expected<document> document_for(const cluster::replied& what, bool entry) {
  auto value = nlohmann::json::parse(what.json, nullptr, false);
  if (value.is_discarded())
    return make_error(errc::invalid,
                      "the cluster's answer is no JSON: are all nodes of one version?");
  if (value.is_object() && value.contains("error") && value.size() == 1)
    return make_error(errc::invalid, value["error"].is_string() ? value["error"].get<std::string>()
                                                                : value["error"].dump());
  if (!entry)
    return document{std::move(value), true};
  // get: the entry's value, for programs; what else is known of it is in `list`.
  document result;
  result.found = value.value("found", false);
  result.value = result.found ? value.value("value", nlohmann::json{}) : nlohmann::json{};
  return result;
}

} // namespace paxtor::actors
