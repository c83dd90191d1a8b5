#include "libpaxtor/cluster/sync_parts.hpp"

#include <utility>
#include <variant>

namespace paxtor::cluster {

namespace {

/// What each struct, id and length takes at most beside its texts.
constexpr std::size_t overhead = 96;

/// The same for one text in a list.
constexpr std::size_t text_overhead = 8;

std::size_t weight_of(const registry::lock_granted& what) {
  auto result = overhead;
  for (auto& key : what.keys)
    result += text_overhead + key.text().size();
  return result;
}

std::size_t weight_of(const registry::start_singleton& what) {
  auto result = overhead + what.name.text().size() + what.spec.type.size() + what.spec.args.size();
  for (auto& [name, value] : what.spec.labels)
    result += 2 * text_overhead + name.size() + value.size();
  return result;
}

std::size_t weight_of(const registry::name_located& what) {
  return overhead + what.where.name.text().size() + what.where.node_name.size()
         + what.where.endpoint.size() + what.where.type.size();
}

std::size_t weight_of(const registry::name_gone& what) {
  return overhead + what.name.text().size() + what.reason.size();
}

std::size_t weight_of(const registry::hand_over& what) {
  return overhead + what.name.text().size();
}

} // namespace

std::size_t weight(const registry::effect& what) {
  return std::visit([](const auto& x) { return weight_of(x); }, what);
}

std::size_t weight(const registry::effects_for& what) {
  auto result = overhead;
  for (auto& x : what.effects)
    result += weight(x);
  return result;
}

std::vector<registry::effects_for> split(registry::effects_for what, index as_of,
                                         std::size_t most_bytes) {
  auto effects = std::exchange(what.effects, {});
  what.as_of = as_of;
  std::vector<registry::effects_for> result{what};
  auto bytes = overhead;
  for (auto& x : effects) {
    auto more = weight(x);
    if (bytes + more > most_bytes && !result.back().effects.empty()) {
      result.push_back(what);
      bytes = overhead;
    }
    bytes += more;
    result.back().effects.push_back(std::move(x));
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i].part = i;
    result[i].parts = result.size();
  }
  return result;
}

} // namespace paxtor::cluster
