#include "libpaxtor/registry/sessions.hpp"

#include <algorithm>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/base/digest.hpp"
#include "libpaxtor/registry/image.hpp"
#include "libpaxtor/registry/placement.hpp"

namespace paxtor::registry {

bool session::hosts_type(std::string_view type) const {
  return std::binary_search(types.begin(), types.end(), type);
}

session* sessions::open(index at, const open_session& what, answer& reply, bool& fresh) {
  fresh = false;
  if (auto mine = by_node_.find(what.node); mine != by_node_.end()) {
    auto& known = all_.at(mine->second);
    if (known.nth == what.nth)
      return &known;
    // F3: the node closes its old session first, or silence ends it. Opening another is no proof.
    reply.code = what.nth < known.nth ? status::no_session : status::name_taken;
    reply.detail = "session " + to_string(known.id) + " of this node is still open; close it first";
    return nullptr;
  }
  // R1: a ghost of an open_session whose session has ended must not open one that nobody renews.
  bool drained = false;
  for (const auto& x : ended_) {
    if (x.node != what.node)
      continue;
    if (what.nth <= x.nth) {
      reply.code = status::no_session;
      reply.detail = "this session of the node has ended already; open the next one";
      return nullptr;
    }
    drained = x.drained;
  }
  if (auto other = by_name_.find(what.name); other != by_name_.end()) {
    const auto& known = all_.at(other->second);
    reply.code = status::name_taken;
    reply.detail = "a node named " + what.name + " is in the cluster already"
                   + (known.endpoint.empty() ? std::string{} : ", at " + known.endpoint)
                   + "; choose another name, or wait until that one has left or expired";
    return nullptr;
  }
  if (all_.size() >= max_sessions) {
    reply.code = status::invalid;
    reply.detail = "the cluster has " + std::to_string(max_sessions) + " sessions, its bound";
    return nullptr;
  }
  fresh = true;
  auto& added = all_[session_id{at.value}];
  added.id = session_id{at.value};
  added.node = what.node;
  added.nth = what.nth;
  added.name = what.name;
  added.endpoint = what.endpoint;
  added.types = what.types;
  std::sort(added.types.begin(), added.types.end());
  added.types.erase(std::unique(added.types.begin(), added.types.end()), added.types.end());
  added.labels = what.labels;
  added.capacity = what.capacity;
  added.seal = what.seal;
  added.name_hash = hash_text(what.name);
  added.last_effect = at;
  by_name_.emplace(added.name, added.id);
  by_node_.emplace(added.node, added.id);
  drain(added, drained);
  return &added;
}

void sessions::drain(session& who, bool on) {
  PAXTOR_CHECK("I13", who.open);
  who.drained = on;
  if (on)
    drained_.insert(who.id);
  else
    drained_.erase(who.id);
}

void sessions::note_end(const session& who, index at, end_reason reason,
                        const std::string& detail) {
  ended_session note{who.node, who.nth, who.id, who.name, at, reason, detail, who.drained};
  // A process that has ended opens nothing more, whatever of it is still on its way.
  if (reason == end_reason::process_died || reason == end_reason::store_reopened)
    note.nth = ~std::uint64_t{0};
  auto known =
    std::find_if(ended_.begin(), ended_.end(), [&](const auto& x) { return x.node == who.node; });
  if (known != ended_.end()) {
    // The end of an old session's strict owners does not make a ghost of a newer one welcome (R1).
    note.nth = std::max(note.nth, known->nth);
    if (!who.open) // kept for strict owners alone, which are not drained
      note.drained = known->drained;
    ended_.erase(known);
  } else if (ended_.size() >= max_ended_remembered) {
    ended_.pop_front();
  }
  ended_.push_back(std::move(note));
}

const ended_session* sessions::ended_by(index at) const {
  auto pos =
    std::find_if(ended_.rbegin(), ended_.rend(), [&](const auto& x) { return x.at == at; });
  return pos != ended_.rend() ? &*pos : nullptr;
}

std::vector<session_id> sessions::of_node(node_id node) const {
  std::vector<session_id> result;
  for (const auto& [id, x] : all_) {
    if (x.node == node)
      result.push_back(id);
  }
  return result;
}

void sessions::shut(session& who) {
  auto names = by_name_.erase(who.name);
  auto nodes = by_node_.erase(who.node);
  PAXTOR_CHECK("I13", who.open && names == 1 && nodes == 1);
  drain(who, false);
  who.open = false;
  who.applied.clear();
  who.ended_owners.clear();
  who.forgotten.clear();
  who.types.clear();
  who.labels.clear();
}

void sessions::erase(session_id id) {
  auto pos = all_.find(id);
  PAXTOR_CHECK("I13", pos != all_.end() && !pos->second.open);
  PAXTOR_CHECK("I13", pos->second.load() == 0 && pos->second.watching.empty());
  all_.erase(pos);
}

session* sessions::find(session_id id) {
  auto pos = all_.find(id);
  return pos != all_.end() ? &pos->second : nullptr;
}

const session* sessions::find(session_id id) const {
  auto pos = all_.find(id);
  return pos != all_.end() ? &pos->second : nullptr;
}

session* sessions::find_open(session_id id) {
  auto* result = find(id);
  return result != nullptr && result->open ? result : nullptr;
}

const session* sessions::find_open(session_id id) const {
  const auto* result = find(id);
  return result != nullptr && result->open ? result : nullptr;
}

session* sessions::find_named(const std::string& name) {
  auto pos = by_name_.find(name);
  return pos != by_name_.end() ? find_open(pos->second) : nullptr;
}

const session* sessions::find_named(const std::string& name) const {
  auto pos = by_name_.find(name);
  return pos != by_name_.end() ? find_open(pos->second) : nullptr;
}

const char* sessions::audit() const {
  std::size_t open = 0;
  std::size_t drained = 0;
  for (const auto& [id, x] : all_) {
    if (x.id != id || !id.valid() || !x.node.valid() || x.name.empty())
      return "I13";
    if (!x.open) {
      if (x.load() != 0 || !x.watching.empty() || x.drained)
        return "I13";
      continue;
    }
    ++open;
    drained += x.drained ? 1 : 0;
    if (x.drained != drained_.contains(id))
      return "I55";
    auto name = by_name_.find(x.name);
    auto node = by_node_.find(x.node);
    if (name == by_name_.end() || name->second != id || node == by_node_.end()
        || node->second != id)
      return "I13";
  }
  if (drained != drained_.size())
    return "I55";
  return open == by_name_.size() && open == by_node_.size() ? nullptr : "I13";
}

namespace {

void save_one(image_writer& out, const session& x) {
  out.id(x.id);
  out.id(x.node);
  out.number(x.nth);
  out.text(x.name);
  out.text(x.endpoint);
  out.text(x.seal);
  out.number(x.open ? 1 : 0);
  if (!x.open)
    return;
  out.number(x.types.size());
  for (const auto& type : x.types)
    out.text(type);
  out.number(x.labels.size());
  for (const auto& [key, value] : x.labels) {
    out.text(key);
    out.text(value);
  }
  out.number(x.capacity);
  if (out.version() >= image_with_drains)
    out.number(x.drained ? 1 : 0);
  out.id(x.last_effect);
  x.applied.save(out);
  out.number(x.ended_owners.by_seq().size());
  for (const auto& [at, actor] : x.ended_owners.by_seq()) {
    out.id(at);
    out.id(actor);
  }
  out.number(x.forgotten.by_seq().size());
  for (const auto& [at, name] : x.forgotten.by_seq()) {
    out.id(at);
    out.text(name.text());
  }
}

bool load_one(image_reader& in, session& x) {
  x.id = in.id<session_id>();
  x.node = in.id<node_id>();
  x.nth = in.number();
  x.name = in.text(max_text_bytes);
  x.endpoint = in.text(max_text_bytes);
  x.seal = in.text(digest_bytes);
  x.open = in.number_upto(1) == 1;
  x.name_hash = hash_text(x.name);
  if (!in.ok() || !x.open)
    return in.ok();
  auto types = in.count();
  for (std::size_t i = 0; in.ok() && i < types; ++i) {
    std::string type{in.text(max_text_bytes)};
    if (i > 0 && !(x.types.back() < type))
      return false;
    x.types.push_back(std::move(type));
  }
  auto labels = in.count();
  for (std::size_t i = 0; in.ok() && i < labels; ++i) {
    std::string key{in.text(max_text_bytes)};
    std::string value{in.text(max_text_bytes)};
    if (!x.labels.emplace(std::move(key), std::move(value)).second)
      return false;
  }
  x.capacity = in.number();
  x.drained = in.version() >= image_with_drains && in.number_upto(1) == 1;
  x.last_effect = in.id<index>();
  if (!in.ok() || !x.applied.load(in))
    return false;
  auto owners = in.count();
  for (std::size_t i = 0; in.ok() && i < owners; ++i) {
    auto at = in.id<seq>();
    x.ended_owners.add(in.id<local_actor_id>(), at);
  }
  auto names = in.count();
  for (std::size_t i = 0; in.ok() && i < names; ++i) {
    auto at = in.id<seq>();
    x.forgotten.add(term::from_canonical(std::string{in.text(max_term_bytes)}), at);
  }
  return in.ok();
}

} // namespace

bool sessions::has_drains() const {
  return !drained_.empty()
         || std::any_of(ended_.begin(), ended_.end(), [](const auto& x) { return x.drained; });
}

void sessions::save(image_writer& out) const {
  out.number(all_.size());
  for (const auto& [id, x] : all_)
    save_one(out, x);
  out.number(ended_.size());
  for (const auto& x : ended_) {
    out.id(x.node);
    out.number(x.nth);
    out.id(x.session);
    out.text(x.name);
    out.id(x.at);
    out.number(static_cast<std::uint64_t>(x.reason));
    out.text(x.detail);
    if (out.version() >= image_with_drains)
      out.number(x.drained ? 1 : 0);
  }
}

bool sessions::load(image_reader& in) {
  auto size = in.count();
  if (size > max_sessions)
    return false;
  for (std::size_t i = 0; in.ok() && i < size; ++i) {
    session x;
    if (!load_one(in, x))
      return false;
    if (x.open
        && (!by_name_.emplace(x.name, x.id).second || !by_node_.emplace(x.node, x.id).second))
      return false;
    if (x.drained)
      drained_.insert(x.id);
    auto id = x.id;
    if (!all_.emplace(id, std::move(x)).second)
      return false;
  }
  auto ended = in.count();
  if (ended > max_ended_remembered)
    return false;
  for (std::size_t i = 0; in.ok() && i < ended; ++i) {
    ended_session x;
    x.node = in.id<node_id>();
    x.nth = in.number();
    x.session = in.id<session_id>();
    x.name = in.text(max_text_bytes);
    x.at = in.id<index>();
    x.reason =
      static_cast<end_reason>(in.number_upto(static_cast<std::uint64_t>(end_reason::forced)));
    x.detail = in.text(max_text_bytes);
    x.drained = in.version() >= image_with_drains && in.number_upto(1) == 1;
    ended_.push_back(std::move(x));
  }
  return in.ok();
}

} // namespace paxtor::registry
