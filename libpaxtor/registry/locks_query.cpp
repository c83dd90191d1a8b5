// What is asked of the locks: it changes nothing.

#include <algorithm>
#include <map>

#include "libpaxtor/registry/locks.hpp"

namespace paxtor::registry {

std::optional<token> locks::granted(owner_id who, seq of) const {
  auto me = owners_.find(who);
  if (me == owners_.end())
    return std::nullopt;
  if (me->second.extra) {
    for (const auto& x : me->second.extra->mixed) {
      if (x.of == of)
        return x.grant;
    }
  }
  auto none = const_cast<lock_map&>(locks_).end();
  for (auto key = me->second.held; key != none; key = key->second.next) {
    if (key->second.of == of)
      return token{key->second.grant};
  }
  return std::nullopt;
}

bool locks::holds(owner_id who, token grant) const {
  auto me = owners_.find(who);
  if (me == owners_.end())
    return false;
  auto none = const_cast<lock_map&>(locks_).end();
  auto key = me->second.held;
  while (key != none && key->second.grant != grant.value)
    key = key->second.next;
  return key != none;
}

std::uint64_t locks::position(owner_id who, seq of) const {
  auto me = owners_.find(who);
  if (me == owners_.end() || !me->second.extra)
    return 0;
  for (const auto& req : me->second.extra->waits) {
    if (req->of == of)
      return position(*req);
  }
  return 0;
}

std::vector<grant_note> locks::grants(session_id who, token above) const {
  std::vector<grant_note> result;
  auto none = const_cast<lock_map&>(locks_).end();
  auto me = owners_.lower_bound(owner_id{who, local_actor_id{0}});
  for (; me != owners_.end() && me->first.session == who; ++me) {
    std::map<seq, grant_note> mine;
    for (auto key = me->second.held; key != none; key = key->second.next) {
      const auto& x = key->second;
      if (x.grant <= above.value)
        continue;
      auto& note =
        mine.try_emplace(x.of, grant_note{me->first, x.of, token{x.grant}, {}}).first->second;
      note.keys.push_back(term::from_canonical(key->first));
    }
    if (me->second.extra) {
      for (const auto& x : me->second.extra->mixed) {
        if (x.grant > above)
          mine[x.of] = {me->first, x.of, x.grant, to_terms(x.keys)};
      }
    }
    for (auto& [of, note] : mine) {
      std::sort(note.keys.begin(), note.keys.end());
      result.push_back(std::move(note));
    }
  }
  return result;
}

lock_tally locks::tally(session_id who) const {
  auto pos = tallies_.find(who);
  return pos != tallies_.end() ? pos->second : lock_tally{};
}

const lock* locks::find(const term& key) const {
  auto pos = locks_.find(key.text());
  return pos != locks_.end() ? &pos->second : nullptr;
}

bool locks::is_free(const lock& x) const {
  return x.who == const_cast<owner_map&>(owners_).end();
}

bool locks::counts_agree() const {
  return held_ <= locks_.size() && (held_ != 0 || waiting_ != 0 || locks_.empty())
         && owners_.size() <= held_ + waiting_ && locks_.empty() == owners_.empty();
}

} // namespace paxtor::registry
