#include "libpaxtor/base/term.hpp"

#include <cmath>

namespace paxtor {

namespace {

bool well_formed(const nlohmann::json& value, std::size_t depth, std::string& why) {
  if (depth > max_term_depth) {
    why = "the term is nested deeper than " + std::to_string(max_term_depth)
          + " levels; use a flatter key";
    return false;
  }
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    why = "the term holds a number that JSON cannot express (NaN or infinity)";
    return false;
  }
  if (value.is_structured()) {
    for (const auto& part : value) {
      if (!well_formed(part, depth + 1, why))
        return false;
    }
  }
  return true;
}

} // namespace

bool term::from_json(const nlohmann::json& value, term& out, std::string& why) {
  if (value.is_discarded()) {
    why = "the term is not valid JSON";
    return false;
  }
  if (!well_formed(value, 1, why))
    return false;
  std::string text;
  try {
    // nlohmann::json's objects are ordered maps: the dump is sorted by key. -1: compact.
    text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::strict);
  } catch (const nlohmann::json::exception&) {
    why = "the term holds bytes that are not UTF-8; encode binary keys, as base64 for example";
    return false;
  }
  if (text.size() > max_term_bytes) {
    why = "the term has " + std::to_string(text.size()) + " bytes, more than the "
          + std::to_string(max_term_bytes) + " allowed; use a shorter key, or a hash of it";
    return false;
  }
  out.text_ = std::move(text);
  return true;
}

bool term::parse(std::string_view text, term& out, std::string& why) {
  // A term has few redundant bytes, so text much longer than the bound is refused before it is
  // parsed.
  if (text.size() > 4 * max_term_bytes) {
    why = "the term has " + std::to_string(text.size()) + " bytes, more than the "
          + std::to_string(max_term_bytes) + " allowed; use a shorter key, or a hash of it";
    return false;
  }
  // The parser takes a zero byte for the end of the text: `42`, a zero and more would be 42.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    why = "the term is not valid JSON: a zero byte at byte " + std::to_string(zero + 1)
          + "; mend it, or quote what is meant as text, as in \"apple\"";
    return false;
  }
  std::size_t depth = 0;
  bool too_deep = false;
  auto watch_depth = [&](int, nlohmann::json::parse_event_t event, nlohmann::json&) {
    using event_t = nlohmann::json::parse_event_t;
    if (event == event_t::object_start || event == event_t::array_start)
      too_deep = ++depth > max_term_depth || too_deep;
    else if (event == event_t::object_end || event == event_t::array_end)
      --depth;
    return true;
  };
  try {
    auto value = nlohmann::json::parse(text, watch_depth);
    if (too_deep) {
      why = "the term is nested deeper than " + std::to_string(max_term_depth)
            + " levels; use a flatter key";
      return false;
    }
    return from_json(value, out, why);
  } catch (const nlohmann::json::parse_error& err) {
    why = "the term is not valid JSON: error at byte " + std::to_string(err.byte)
          + "; mend it, or quote what is meant as text, as in \"apple\"";
    return false;
  } catch (const nlohmann::json::exception& err) {
    why = std::string{"the term is not valid JSON: "} + err.what();
    return false;
  }
}

bool term::from_user(std::string_view text, term& out, std::string& why) {
  if (text.empty()) {
    why = "the key is empty; name what is to be locked, as in stock/42";
    return false;
  }
  // What begins as JSON does is meant as JSON: a typo in it must not name another lock.
  if (text.find_first_of("{[\"") == 0 || nlohmann::json::accept(text))
    return parse(text, out, why);
  return from_json(nlohmann::json(std::string{text}), out, why);
}

} // namespace paxtor
