#include "libpaxtor/registry/commands.hpp"

#include <algorithm>
#include <type_traits>

#include "libpaxtor/base/digest.hpp"

namespace paxtor::registry {

namespace {

bool refuse(std::string& why, const char* text) {
  why = text;
  return false;
}

// -- canonical JSON: nearly all keys are plain strings or integers, which need no parser
// -----------

bool is_plain_string(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"')
    return false;
  auto inner = text.substr(1, text.size() - 2);
  return std::all_of(inner.begin(), inner.end(),
                     [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

bool is_plain_integer(std::string_view text) {
  if (text.empty() || text.size() > 18 || text.front() == '0')
    return text == "0";
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Before the parser sees it: its output is as deep as its input.
bool is_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_term_depth)
        return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

bool is_canonical(std::string_view text, std::size_t most) {
  if (text.size() > most)
    return false;
  if (is_plain_string(text) || is_plain_integer(text))
    return true;
  if (text.empty() || is_too_deep(text))
    return false;
  try {
    auto value = nlohmann::json::parse(text, nullptr, false);
    return !value.is_discarded() && value.dump() == text;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

// -- parts ----------------------------------------------------------------------------------------

bool check_text(const std::string& text, std::string& why) {
  return text.size() <= max_text_bytes || refuse(why, "a text is longer than 1024 bytes");
}

bool check_term(const term& what, std::string& why) {
  return is_canonical(what.text(), max_term_bytes)
         || refuse(why, "a term is over 4096 bytes, nested too deep or not canonical JSON");
}

bool check_labels(const std::map<std::string, std::string>& labels, std::string& why) {
  if (labels.size() > max_labels)
    return refuse(why, "more than 64 labels");
  return std::all_of(labels.begin(), labels.end(), [&](const auto& x) {
    return check_text(x.first, why) && check_text(x.second, why);
  });
}

bool check_origin(const origin& from, std::string& why) {
  if (!from.session.valid() || !from.number.valid())
    return refuse(why, "a command without its session or number");
  if (from.number.value > max_seq)
    return refuse(why, "a command's number is beyond any that can be reached by counting");
  // Its sender does not have the answer of this very command yet.
  return from.done_below <= from.number || refuse(why, "done_below is above the command's number");
}

bool check_actor(local_actor_id actor, std::string& why) {
  return actor.valid() || refuse(why, "an owner without an actor id");
}

/// msgpack reads any number into an enum.
template <class Enum>
bool check_enum(Enum value, Enum last, std::string& why) {
  using number = std::underlying_type_t<Enum>;
  return static_cast<number>(value) <= static_cast<number>(last)
         || refuse(why, "an option that this version does not know");
}

bool check_token(token grant, std::string& why) {
  return grant.valid() || refuse(why, "a report without its token");
}

// -- commands -------------------------------------------------------------------------------------

struct validator {
  std::string& why;

  bool operator()(const open_session& x) const {
    if (!x.node.valid() || x.nth == 0)
      return refuse(why, "a session without its node or number");
    if (x.name.empty())
      return refuse(why, "a node without a name");
    if (!x.seal.empty() && x.seal.size() != digest_bytes)
      return refuse(why, "a seal that is no SHA-256");
    if (x.types.size() > max_types_per_node)
      return refuse(why, "more than 1024 actor types");
    return check_text(x.name, why) && check_text(x.endpoint, why) && check_labels(x.labels, why)
           && std::all_of(x.types.begin(), x.types.end(),
                          [&](const auto& type) { return check_text(type, why); });
  }

  bool operator()(const close_session& x) const {
    if (x.proof != end_reason::left && x.proof != end_reason::exited)
      return refuse(why, "a node closes its own session; what others prove is a certify_end");
    return (x.session.valid() || refuse(why, "no session to close")) && check_text(x.detail, why);
  }

  bool operator()(const certify_end& x) const {
    if (!x.node.valid())
      return refuse(why, "a certificate without its node");
    if (x.proof == end_reason::forced) {
      if (!x.session.valid())
        return refuse(why, "no session to release");
    } else if (x.proof != end_reason::process_died && x.proof != end_reason::store_reopened) {
      return refuse(why, "neither silence nor a closed connection is a proof of an end");
    } else if (x.secret.size() < min_secret_bytes || x.secret.size() > max_secret_bytes) {
      return refuse(why, "a certificate shows a secret of 16 to 64 bytes");
    }
    return check_text(x.detail, why);
  }

  bool operator()(const expire_session& x) const {
    return (x.session.valid() && x.at.valid()) || refuse(why, "no session or reign to expire");
  }

  bool operator()(const acquire& x) const {
    if (x.keys.empty() || x.keys.size() > max_keys_per_acquire)
      return refuse(why, "an acquire has 1 to 64 keys");
    if (!check_origin(x.from, why) || !check_actor(x.actor, why)
        || !check_enum(x.mode, acquire_mode::try_once, why)
        || !check_enum(x.kind, ownership::strict, why))
      return false;
    for (std::size_t i = 0; i < x.keys.size(); ++i) {
      if (i > 0 && !(x.keys[i - 1] < x.keys[i]))
        return refuse(why, "the keys of an acquire are not sorted and distinct");
      if (!check_term(x.keys[i], why))
        return false;
    }
    return true;
  }

  bool operator()(const withdraw& x) const {
    if (!x.of.valid() || x.of >= x.from.number)
      return refuse(why, "a withdraw names no earlier command");
    return check_origin(x.from, why) && check_actor(x.actor, why);
  }

  bool operator()(const owner_exited& x) const {
    return check_origin(x.from, why) && check_actor(x.actor, why) && check_text(x.reason, why)
           && (x.owner_session.valid() || refuse(why, "an owner without its session"));
  }

  bool operator()(const resolve& x) const {
    if (x.spec.type.empty())
      return refuse(why, "a singleton without a type");
    if (x.spec.args.size() > max_value_bytes)
      return refuse(why, "the arguments of a singleton are over 64 KiB");
    return check_origin(x.from, why) && check_term(x.name, why) && check_text(x.spec.type, why)
           && check_labels(x.spec.labels, why) && check_enum(x.spec.where, placement::fewest, why)
           && check_enum(x.spec.restart, restart_policy::always, why);
  }

  bool operator()(const forget& x) const {
    return check_origin(x.from, why) && check_term(x.name, why);
  }

  bool operator()(const started& x) const {
    return check_origin(x.from, why) && check_term(x.name, why) && check_token(x.grant, why)
           && check_actor(x.actor, why);
  }

  bool operator()(const start_failed& x) const {
    return check_origin(x.from, why) && check_term(x.name, why) && check_token(x.grant, why)
           && check_text(x.error, why);
  }

  bool operator()(const singleton_exited& x) const {
    return check_origin(x.from, why) && check_term(x.name, why) && check_token(x.grant, why)
           && check_text(x.reason, why);
  }

  bool operator()(const put& x) const {
    if (x.bucket.empty())
      return refuse(why, "a put without a bucket");
    if (x.owner && *x.owner == 0)
      return refuse(why, "an owner without an actor id");
    if (!is_canonical(x.value, max_value_bytes))
      return refuse(why, "a value is over 64 KiB, nested too deep or not canonical JSON");
    return check_origin(x.from, why) && check_text(x.bucket, why) && check_term(x.key, why);
  }

  bool operator()(const drain& x) const {
    if (x.node.empty())
      return refuse(why, "no node to drain");
    return check_origin(x.from, why) && check_text(x.node, why);
  }
};

struct origin_reader {
  std::optional<origin> operator()(const open_session&) const { return std::nullopt; }
  std::optional<origin> operator()(const close_session&) const { return std::nullopt; }
  std::optional<origin> operator()(const expire_session&) const { return std::nullopt; }
  std::optional<origin> operator()(const acquire& x) const { return x.from; }
  std::optional<origin> operator()(const withdraw& x) const { return x.from; }
  std::optional<origin> operator()(const owner_exited& x) const { return x.from; }
  std::optional<origin> operator()(const resolve& x) const { return x.from; }
  std::optional<origin> operator()(const forget& x) const { return x.from; }
  std::optional<origin> operator()(const started& x) const { return x.from; }
  std::optional<origin> operator()(const start_failed& x) const { return x.from; }
  std::optional<origin> operator()(const singleton_exited& x) const { return x.from; }
  std::optional<origin> operator()(const put& x) const { return x.from; }
  std::optional<origin> operator()(const certify_end&) const { return std::nullopt; }
  std::optional<origin> operator()(const drain& x) const { return x.from; }
};

} // namespace

bool validate(const command& what, std::string& why) {
  return std::visit(validator{why}, what);
}

std::optional<origin> origin_of(const command& what) {
  return std::visit(origin_reader{}, what);
}

} // namespace paxtor::registry
