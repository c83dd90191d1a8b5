#include "libpaxtor/registry/placement.hpp"

#include "libpaxtor/registry/sessions.hpp"

namespace paxtor::registry {

std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

std::uint64_t rendezvous_score(std::uint64_t name_hash, std::uint64_t node_hash) {
  // splitmix64's finalizer: FNV alone leaves similar texts with similar hashes.
  std::uint64_t z = name_hash ^ (node_hash * 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

bool can_host(const session& who, const singleton_spec& spec) {
#ifdef PAXTOR_CANARY_ANY_NODE_HOSTS
  if (who.open)
    return true;
#endif
  if (!who.open || !who.hosts_type(spec.type))
    return false;
  if (who.capacity != 0 && who.load() >= who.capacity)
    return false;
  for (const auto& [key, value] : spec.labels) {
    auto pos = who.labels.find(key);
    if (pos == who.labels.end() || pos->second != value)
      return false;
  }
  return true;
}

session* choose_host(sessions& among, const term& name, const singleton_spec& spec) {
  auto name_hash = hash_text(name.text());
  session* best = nullptr;
  std::uint64_t best_score = 0;
  for (auto& [id, who] : among.all()) {
    if (who.drained || !can_host(who, spec))
      continue;
    auto score = rendezvous_score(name_hash, who.name_hash);
#ifdef PAXTOR_CANARY_VOTERS_PLACE_APART
    static std::uint64_t calls = 0;
    score ^= ++calls << 60;
#endif
    bool better = best == nullptr || score > best_score;
    if (best != nullptr && spec.where == placement::fewest && who.load() != best->load())
      better = who.load() < best->load();
    if (better) {
      best = &who;
      best_score = score;
    }
  }
  return best;
}

} // namespace paxtor::registry
