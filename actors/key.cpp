#include <paxtor/key.hpp>

#include "libpaxtor/base/term.hpp"

namespace paxtor {

key::key(const nlohmann::json& value) {
  term canonical;
  if (term::from_json(value, canonical, problem_))
    text_ = canonical.text();
  else if (problem_.empty())
    problem_ = "the key is not a JSON value of at most 4 KiB";
}

key key::from_user(std::string_view text) {
  key result;
  term canonical;
  if (term::from_user(text, canonical, result.problem_))
    result.text_ = canonical.text();
  else if (result.problem_.empty())
    result.problem_ = "the key is not a JSON value of at most 4 KiB";
  return result;
}

} // namespace paxtor
