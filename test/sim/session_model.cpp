#include "test/sim/session_model.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "libpaxtor/base/digest.hpp"

namespace paxtor::sim {

namespace {

std::string name_of(session_id who) {
  return "session " + to_string(who);
}

} // namespace

bool session_model::counts(const registry::origin& from) {
  auto* whose = find(from.session);
  if (whose == nullptr || !whose->open || from.number < whose->done_below)
    return false;
  if (from.number.value - std::max(whose->done_below, from.done_below).value
      >= registry::max_window)
    return false;
  whose->done_below = std::max(whose->done_below, from.done_below);
  whose->applied.erase(whose->applied.begin(), whose->applied.lower_bound(whose->done_below));
  return whose->applied.insert(from.number).second;
}

void session_model::void_acquire(session_id who, seq of) {
  auto* whose = find(who);
  if (whose != nullptr && of >= whose->done_below)
    whose->applied.insert(of);
}

verdict session_model::opened(index at, const registry::command& by,
                              const registry::session_opened& what) {
  const auto* wish = std::get_if<registry::open_session>(&by);
  if (wish == nullptr || wish->node != what.node || what.session.value != at.value)
    return wrong("sessions", name_of(what.session) + " opened by another command");
  for (const auto& [id, x] : all_)
    if (x.open && (x.node == what.node || x.name == what.name))
      return wrong("sessions", name_of(what.session) + " opened, while " + name_of(id) + " of "
                                 + x.name + " is open");
  auto& nth = nth_[what.node];
  if (wish->nth <= nth)
    return wrong("ghosts", name_of(what.session) + " opened by a command whose session has ended");
  nth = wish->nth;
  session fresh;
  fresh.node = what.node;
  fresh.name = what.name;
  fresh.seal = wish->seal;
  fresh.what = *wish;
  fresh.last_effect = at;
  all_.emplace(what.session, std::move(fresh));
  return {};
}

verdict session_model::closed(const registry::command& by, const registry::session_closed& what) {
  auto* whose = find(what.session);
  if (whose == nullptr)
    return wrong("sessions", name_of(what.session) + " closed, which is not there");
  if (const auto* silent = std::get_if<registry::expire_session>(&by)) {
    if (silent->session != what.session || !whose->open || silent->at != reign_)
      return wrong("ghosts", name_of(what.session) + " expired by an entry of ballot "
                               + to_string(silent->at) + "; the reign in force is "
                               + to_string(reign_));
  } else if (const auto* left = std::get_if<registry::close_session>(&by)) {
    if (left->session != what.session)
      return wrong("sessions", name_of(what.session) + " closed by another's command");
  } else if (const auto* proof = std::get_if<registry::certify_end>(&by)) {
    const auto forced = proof->proof == registry::end_reason::forced;
    if (proof->node != whose->node || (forced && (whose->open || proof->session != what.session)))
      return wrong("proofs", name_of(what.session) + " ended by a proof of another's end");
    if (!forced && (whose->seal.empty() || sha256(proof->secret) != whose->seal))
      return wrong("proofs", name_of(what.session) + " ended by a certificate without its secret");
  } else {
    return wrong("sessions", name_of(what.session) + " closed by a command that ends none");
  }
  whose->open = false;
  return {};
}

verdict session_model::should_have_closed(const registry::command& by, bool any) const {
  const auto* silent = std::get_if<registry::expire_session>(&by);
  if (any || silent == nullptr || silent->at != reign_ || !is_open(silent->session))
    return {};
  return wrong("sessions", name_of(silent->session) + " was expired in its reign, and is open");
}

verdict session_model::told(const registry::effects_for& what) {
  auto* whose = find(what.session);
  if (whose == nullptr || !whose->open || whose->node != what.node)
    return wrong("a grant only to an open session",
                 name_of(what.session) + " is told something, and is not open");
  if (what.previous != whose->last_effect)
    return wrong("effects", name_of(what.session) + " is told what follows index "
                              + to_string(what.previous) + ", but it was told of "
                              + to_string(whose->last_effect));
  whose->last_effect = what.at;
  return {};
}

bool session_model::is_open(session_id who) const {
  auto i = all_.find(who);
  return i != all_.end() && i->second.open;
}

session_model::session* session_model::find(session_id who) {
  auto i = all_.find(who);
  return i == all_.end() ? nullptr : &i->second;
}

std::uint64_t session_model::open_count() const {
  return static_cast<std::uint64_t>(
    std::count_if(all_.begin(), all_.end(), [](const auto& x) { return x.second.open; }));
}

} // namespace paxtor::sim
