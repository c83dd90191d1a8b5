#include "test/sim/put_checker.hpp"

namespace paxtor::sim {

verdict put_checker::agree(const std::string& key, const std::string& value) {
  ++checked_;
  auto known = offered_.find(key);
  if (known == offered_.end() || !known->second.contains(value))
    return wrong("put once", key + " = " + value + ", which nobody put");
  auto [chosen, fresh] = chosen_.emplace(key, value);
  if (!fresh && chosen->second != value)
    return wrong("put once", key + " = " + value + ", but it was " + chosen->second + " before");
  return {};
}

verdict put_checker::stored(const std::string& key, const std::string& value) {
  return agree(key, value);
}

verdict put_checker::answered(const std::string& key, bool found, const std::string& value,
                              bool must_exist) {
  if (found)
    return agree(key, value);
  if (must_exist)
    return wrong("put once",
                 key + " is said to have no value, but one was answered before the question");
  return {};
}

} // namespace paxtor::sim
