#include "libpaxtor/registry/kv.hpp"

#include <limits>

#include "libpaxtor/registry/commands.hpp"
#include "libpaxtor/registry/image.hpp"

namespace paxtor::registry {

const kv::entry* kv::put(index at, const std::string& name, const term& key,
                         const std::string& value, std::optional<owner_id> owner) {
  if (const auto* chosen = get(name, key))
    return chosen;
  if (size_ >= max_kv_entries)
    return nullptr;
  auto where = buckets_.try_emplace(name).first;
  auto what = where->second.emplace(key, entry{value, owner, at}).first;
  ++size_;
  if (owner)
    owned_.insert({*owner, at, where, what});
  return &what->second;
}

const kv::entry* kv::get(const std::string& name, const term& key) const {
  const auto* all = list(name);
  if (all == nullptr)
    return nullptr;
  auto pos = all->find(key);
  return pos != all->end() ? &pos->second : nullptr;
}

const kv::bucket* kv::list(const std::string& name) const {
  auto pos = buckets_.find(name);
  return pos != buckets_.end() ? &pos->second : nullptr;
}

std::size_t kv::end_range(owner_id first, owner_id last) {
  const auto before = size_;
  auto pos = owned_.lower_bound(owned_entry{first, index{0}, {}, {}});
  while (pos != owned_.end() && pos->owner <= last) {
    pos->where->second.erase(pos->what);
    if (pos->where->second.empty())
      buckets_.erase(pos->where); // R6
    --size_;
    pos = owned_.erase(pos);
  }
  return before - size_;
}

std::size_t kv::end_owner(owner_id who) {
  return owned_.empty() ? 0 : end_range(who, who);
}

std::size_t kv::end_session([[maybe_unused]] session_id who) {
#ifdef PAXTOR_CANARY_ENTRIES_OUTLIVE_NODES
  return 0;
#endif
  return end_range({who, local_actor_id{0}},
                   {who, local_actor_id{std::numeric_limits<std::uint64_t>::max()}});
}

const char* kv::audit() const {
  std::size_t count = 0;
  std::size_t with_owner = 0;
  for (const auto& [name, entries] : buckets_) {
    if (entries.empty())
      return "I13";
    count += entries.size();
    for (const auto& [key, x] : entries) {
      if (x.owner) {
        ++with_owner;
        if (!owned_.contains(owned_entry{*x.owner, x.since, {}, {}}))
          return "I13";
      }
    }
  }
  return count == size_ && with_owner == owned_.size() ? nullptr : "I13";
}

void kv::save(image_writer& out) const {
  out.number(buckets_.size());
  for (const auto& [name, entries] : buckets_) {
    out.text(name);
    out.number(entries.size());
    for (const auto& [key, x] : entries) {
      out.text(key.text());
      out.text(x.value);
      out.id(x.since);
      out.number(x.owner ? 1 : 0);
      if (x.owner) {
        out.id(x.owner->session);
        out.id(x.owner->actor);
      }
    }
  }
}

bool kv::load(image_reader& in) {
  auto buckets = in.count();
  for (std::size_t i = 0; in.ok() && i < buckets; ++i) {
    std::string name{in.text(max_text_bytes)};
    auto entries = in.count();
    for (std::size_t k = 0; in.ok() && k < entries; ++k) {
      auto key = term::from_canonical(std::string{in.text(max_term_bytes)});
      std::string value{in.text(max_value_bytes)};
      auto since = in.id<index>();
      std::optional<owner_id> owner;
      if (in.number_upto(1) == 1) {
        owner.emplace();
        owner->session = in.id<session_id>();
        owner->actor = in.id<local_actor_id>();
      }
      auto before = size_;
      if (!in.ok() || put(since, name, key, value, owner) == nullptr || size_ == before)
        return false;
    }
  }
  // Entries that share an owner and an index would have collapsed into one.
  return in.ok() && audit() == nullptr;
}

} // namespace paxtor::registry
