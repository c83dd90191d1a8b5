#pragma once

/// \file
/// Keys: JSON values that name locks, singletons and entries. At most 4 KiB in canonical form.

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace paxtor {

/// A JSON value in canonical form: `"apple"`, `42`, `{"invoice", 7}` as nlohmann::json. Made from
/// strings (which become JSON strings), integers, or any nlohmann::json. A key that is out of
/// bounds is not ok(); using it fails with errc::invalid.
class key {
public:
  key(const char* text) : key(nlohmann::json(text)) {}
  key(std::string_view text) : key(nlohmann::json(std::string{text})) {}
  key(const std::string& text) : key(nlohmann::json(text)) {}
  template <std::integral T>
  key(T number) : key(nlohmann::json(number)) {}
  key(const nlohmann::json& value);

  /// What people type: JSON if it is, or begins with `{`, `[` or `"`; else `text` as a JSON string.
  [[nodiscard]] static key from_user(std::string_view text);

  /// Canonical JSON text.
  [[nodiscard]] const std::string& text() const { return text_; }

  [[nodiscard]] bool ok() const { return problem_.empty(); }

  /// What is wrong with it, and what to do; empty if ok().
  [[nodiscard]] const std::string& problem() const { return problem_; }

  bool operator==(const key& other) const { return text_ == other.text_; }

private:
  key() = default;

  std::string text_;
  std::string problem_;
};

/// One key or several, to be locked atomically: `"a"` or `{"a", "b"}`.
class keys {
public:
  keys(key one) : items_{std::move(one)} {}
  keys(const char* one) : items_{key{one}} {}
  keys(const std::string& one) : items_{key{one}} {}
  keys(const nlohmann::json& one) : items_{key{one}} {}
  template <std::integral T>
  keys(T one) : items_{key{one}} {}
  keys(std::initializer_list<key> several) : items_(several) {}
  keys(std::vector<key> several) : items_(std::move(several)) {}

  [[nodiscard]] const std::vector<key>& items() const { return items_; }

private:
  std::vector<key> items_;
};

} // namespace paxtor
