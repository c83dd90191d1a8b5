#include "test/scope/vocabulary.hpp"

#include <stdexcept>
#include <type_traits>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/base/codec.hpp"

namespace paxtor::scope {

std::uint16_t message_table::number(const paxos::envelope& what) {
  auto key = encode(what.from) + encode(what.to) + encode(static_cast<int>(what.to_role))
             + encode(what.what);
  const auto [pos, fresh] =
    numbers_.try_emplace(std::move(key), static_cast<std::uint16_t>(all_.size()));
  if (fresh) {
    if (all_.size() >= most_messages)
      throw std::length_error{"more different messages than there is room for; lower the bounds"};
    all_.push_back(what);
  }
  return pos->second;
}

namespace {

struct name_of {
  std::string operator()(const paxos::prepare& x) const {
    return "prepare " + paxtor::to_string(x.at);
  }
  std::string operator()(const paxos::promise& x) const {
    std::string result = "promise " + paxtor::to_string(x.at) + " with";
    for (const auto& [where, held] : x.accepted)
      result += " " + paxtor::to_string(where) + "@" + paxtor::to_string(held.at);
    return x.accepted.empty() ? result + " nothing" : result;
  }
  std::string operator()(const paxos::rejected& x) const {
    return "rejected " + paxtor::to_string(x.asked) + ", promised " + paxtor::to_string(x.promised);
  }
  std::string operator()(const paxos::accept& x) const {
    return "accept " + paxtor::to_string(x.at) + " slot " + paxtor::to_string(x.where)
           + ", decided up to " + paxtor::to_string(x.decided_upto);
  }
  std::string operator()(const paxos::accepted& x) const {
    return "accepted " + paxtor::to_string(x.at) + " slot " + paxtor::to_string(x.where);
  }
  std::string operator()(const paxos::heartbeat& x) const {
    return "heartbeat " + paxtor::to_string(x.at) + " round " + std::to_string(x.round);
  }
  std::string operator()(const paxos::heartbeat_reply& x) const {
    return "heartbeat_reply " + paxtor::to_string(x.at) + " round " + std::to_string(x.round);
  }
  std::string operator()(const paxos::learn& x) const {
    return "learn from " + paxtor::to_string(x.from);
  }
  std::string operator()(const paxos::learned_values& x) const {
    return "learned_values from " + paxtor::to_string(x.first) + ", "
           + std::to_string(x.values.size());
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "another message";
  }
};

} // namespace

std::string to_string(const paxos::envelope& what) {
  return std::visit(name_of{}, what.what) + " from " + paxtor::to_string(what.from);
}

// -- registries -----------------------------------------------------------------------------------

namespace {

term key() {
  term result;
  std::string why;
  PAXTOR_CHECK("scope", term::from_user("key", result, why));
  return result;
}

registry::origin first_of(session_id session) {
  return {session, seq{1}, seq{1}};
}

} // namespace

registry_table::registry_table() {
  registry::machine reg;
  registry::outcome out;
  const auto apply = [&](const registry::command& what) {
    base_index_ = base_index_.next();
    reg.apply(base_index_, what, out);
  };
  apply(registry::open_session{node_id{1}, 1, "n1", {}, {}, {}, 0, {}});
  first_ = session_id{base_index_.value};
  apply(registry::open_session{node_id{2}, 1, "n2", {}, {}, {}, 0, {}});
  second_ = session_id{base_index_.value};
  apply(registry::acquire{first_of(first_), local_actor_id{1}, {key()}, {}, {}});
  apply(registry::acquire{first_of(second_), local_actor_id{1}, {key()}, {}, {}});
  (void)number(reg);
  PAXTOR_CHECK("scope", all_[base].first_open && !all_[base].second_owns);
}

std::uint16_t registry_table::number(const registry::machine& reg) {
  auto image = reg.image();
  const auto pos = numbers_.find(image.view());
  if (pos != numbers_.end())
    return pos->second;
  reg.check_all();
  const auto result = static_cast<std::uint16_t>(all_.size());
  numbers_.emplace(image.view(), result);
  const auto holder = reg.holder_of(key());
  all_.push_back({std::move(image), reg.reign(), reg.is_open(first_),
                  holder && holder->owner.session == second_});
  return result;
}

std::uint16_t registry_table::apply(std::uint16_t before, index at, const paxos::entry& what) {
  const auto name = encode(at) + encode(what);
  const auto pos = applied_.find({before, name});
  if (pos != applied_.end())
    return pos->second;
  registry::machine reg;
  PAXTOR_CHECK("scope", reg.restore(all_[before].image));
  registry::outcome out;
  if (what.kind == paxos::entry_kind::reign) {
    ballot by;
    if (decode(what.data, by))
      reg.begin_reign(at, by, out);
  } else if (what.kind == paxos::entry_kind::command) {
    registry::command command;
    if (decode(what.data, command))
      reg.apply(at, command, out);
  }
  const auto result = number(reg);
  applied_.emplace(std::pair{before, name}, result);
  return result;
}

} // namespace paxtor::scope
