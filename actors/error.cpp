#include <paxtor/error.hpp>

#include <array>
#include <string_view>

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

namespace paxtor {

namespace {

constexpr auto category = caf::atom("paxtor");

struct entry {
  std::string_view name;
  /// What happened and what to do, where the error itself carries no text.
  std::string_view advice;
};

constexpr std::array<entry, 16> table{{
  {"none", "no error"},
  {"deadlock", "waiting would never end: lock in one order, or several keys at once"},
  {"timed_out", "the deadline passed and nothing is held: try again if it is still wanted"},
  {"busy", "somebody else holds or waits for the key"},
  {"no_host", "no node hosts this actor type: start one that calls add_actor_type for it"},
  {"type_mismatch", "the name runs with another actor type: use another name, or that type"},
  {"start_failed", "the host could not start the actor"},
  {"not_delivered",
   "the singleton moved or ended before it took the message: it may be sent again"},
  {"overloaded", "too many messages or requests wait: send slower"},
  {"ownership_lost", "the node lost its session: what it held is not held any more"},
  {"outcome_unknown", "it may or may not have been done: look before it is tried again"},
  {"not_joined", "this node is not in the cluster: join again"},
  {"name_taken", "another node is in the cluster under this node's name: choose another name"},
  {"wrong_cluster", "the other side belongs to another cluster, or is set up differently"},
  {"invalid", "a key, value or option is out of bounds or malformed"},
  {"cannot_open", "an address cannot be listened on, or a file cannot be read"},
}};

const entry& row(errc code) {
  const auto i = static_cast<std::size_t>(code);
  return i < table.size() ? table[i] : table[0];
}

std::string render(std::uint8_t code, const caf::message& context) {
  const auto& known = row(static_cast<errc>(code));
  std::string line{known.name};
  line += ": ";
  if (context.size() == 1 && context.match_element<std::string>(0)
      && !context.get_as<std::string>(0).empty())
    line += context.get_as<std::string>(0);
  else
    line += known.advice;
  return line;
}

} // namespace

namespace detail {

/// For config.cpp: how CAF prints our errors.
void add_error_renderer(caf::actor_system_config& cfg) {
  cfg.add_error_category(category,
                         [](std::uint8_t code, caf::atom_value, const caf::message& context) {
                           return render(code, context);
                         });
}

} // namespace detail

std::string to_string(errc code) {
  return std::string{row(code).name};
}

caf::error make_error(errc code, std::string text) {
  if (code == errc::none)
    return {};
  if (text.empty())
    return caf::error{static_cast<std::uint8_t>(code), category};
  return caf::error{static_cast<std::uint8_t>(code), category, caf::make_message(std::move(text))};
}

errc code_of(const caf::error& err) {
  if (!err || err.category() != category || err.code() >= table.size())
    return errc::none;
  return static_cast<errc>(err.code());
}

std::string describe(const caf::error& err) {
  if (!err)
    return "no error";
  if (err.category() == category)
    return render(err.code(), err.context());
  if (err == caf::sec::request_receiver_down)
    return "not_delivered: the actor ended before it took the message: it may be sent again";
  if (err == caf::sec::request_timeout)
    return "timed out: no answer came in time; it may or may not have been done";
  return caf::actor_system_config::render(err);
}

} // namespace paxtor
