#pragma once

/// \file
/// Terms: the JSON values that name locks, singletons and KV entries, in canonical form (keys
/// sorted, compact dump), so that equal values are equal strings on every replica.

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace paxtor {

/// The most bytes a term's canonical form may have. Longer ones are refused at the door and by
/// peers.
inline constexpr std::size_t max_term_bytes = 4096;

/// The deepest nesting of arrays and objects in a term.
inline constexpr std::size_t max_term_depth = 32;

/// A canonical term. Cheap to compare and order; ordered by its bytes.
class term {
public:
  /// The term `null`.
  term() : text_("null") {}

  /// Makes the canonical form of `value`. Returns false and sets `why` (one line that says what to
  /// do) if it is too long, too deep, holds invalid UTF-8 or a number that is not finite.
  [[nodiscard]] static bool from_json(const nlohmann::json& value, term& out, std::string& why);

  /// Parses JSON text. Same errors, and the position of a syntax error.
  [[nodiscard]] static bool parse(std::string_view text, term& out, std::string& why);

  /// What an operator types: JSON if it parses as JSON or begins with `{`, `[` or `"`, else the
  /// text itself as a JSON string. `stock/42` and `"stock/42"` are the same term; `42` is a number.
  [[nodiscard]] static bool from_user(std::string_view text, term& out, std::string& why);

  /// Wraps text that is known to be canonical (decoded from the log). REQUIRES: it came from
  /// `text()`.
  [[nodiscard]] static term from_canonical(std::string text) {
    term result;
    result.text_ = std::move(text);
    return result;
  }

  /// The canonical form.
  [[nodiscard]] const std::string& text() const { return text_; }

  [[nodiscard]] nlohmann::json to_json() const { return nlohmann::json::parse(text_); }

  auto operator<=>(const term&) const = default;

  template <class Packer>
  void msgpack_pack(Packer& pk) const {
    pk.pack(text_);
  }

  template <class Object>
  void msgpack_unpack(Object obj) {
    std::string text = obj;
    text_ = std::move(text);
  }

private:
  std::string text_;
};

[[nodiscard]] inline const std::string& to_string(const term& x) {
  return x.text();
}

} // namespace paxtor
