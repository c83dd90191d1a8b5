// The locks' part of the image: owners with what they hold, then queues, then waiting requests.

#include <algorithm>
#include <map>
#include <utility>

#include "libpaxtor/registry/image.hpp"
#include "libpaxtor/registry/locks.hpp"

namespace paxtor::registry {

namespace {

/// Tokens have 63 bits in a lock.
constexpr std::uint64_t max_token = (std::uint64_t{1} << 63) - 1;

void save_owner(image_writer& out, owner_id who) {
  out.id(who.session);
  out.id(who.actor);
}

owner_id load_owner(image_reader& in) {
  owner_id result;
  result.session = in.id<session_id>();
  result.actor = in.id<local_actor_id>();
  return result;
}

void save_keys(image_writer& out, const std::vector<lock_it>& keys) {
  out.number(keys.size());
  for (auto key : keys)
    out.text(key->first);
}

bool load_keys(image_reader& in, lock_map& among, std::vector<lock_it>& keys) {
  auto size = in.count();
  if (size == 0 || size > max_keys_per_acquire)
    return false;
  for (std::size_t i = 0; in.ok() && i < size; ++i) {
    auto key = among.find(in.text(max_term_bytes));
    if (key == among.end())
      return false;
    keys.push_back(key);
  }
  return in.ok();
}

} // namespace

void locks::save(image_writer& out) const {
  auto none = const_cast<lock_map&>(locks_).end();
  out.number(owners_.size());
  for (const auto& [id, x] : owners_) {
    save_owner(out, id);
    std::uint64_t count = 0;
    for (auto key = x.held; key != none; key = key->second.next)
      ++count;
    out.number(count);
    for (auto key = x.held; key != none; key = key->second.next) {
      out.text(key->first);
      out.number(key->second.grant);
      out.number(key->second.strict);
      out.id(key->second.of);
    }
  }
  std::uint64_t queues = 0;
  for (const auto& [key, x] : locks_)
    queues += x.queue ? 1 : 0;
  out.number(queues);
  for (const auto& [key, x] : locks_) {
    if (!x.queue)
      continue;
    out.text(key);
    out.number(x.queue->size());
    for (const auto& p : *x.queue) {
      save_owner(out, p.who->first);
      out.id(p.since);
    }
  }
  std::uint64_t extras = 0;
  for (const auto& [id, x] : owners_)
    extras += x.extra ? 1 : 0;
  out.number(extras);
  for (const auto& [id, x] : owners_) {
    if (!x.extra)
      continue;
    save_owner(out, id);
    out.number(x.extra->waits.size());
    for (const auto& req : x.extra->waits) {
      out.id(req->id);
      out.id(req->of);
      out.number(static_cast<std::uint64_t>(req->kind));
      save_keys(out, req->keys);
    }
    out.number(x.extra->mixed.size());
    for (const auto& grant : x.extra->mixed) {
      out.id(grant.of);
      out.id(grant.grant);
      save_keys(out, grant.keys);
    }
  }
}

bool locks::load_owners(image_reader& in) {
  auto owners = in.count();
  owner_id before;
  for (std::size_t i = 0; in.ok() && i < owners; ++i) {
    auto id = load_owner(in);
    if (!(before < id))
      return false;
    before = id;
    auto me = ensure_owner(id);
    // The list is written latest first, and linked from its end.
    struct line {
      std::string_view key;
      std::uint64_t grant;
      std::uint64_t strict;
      seq of;
    };
    std::vector<line> lines;
    auto count = in.count();
    for (std::size_t k = 0; in.ok() && k < count; ++k) {
      line x{};
      x.key = in.text(max_term_bytes);
      x.grant = in.number_upto(max_token);
      x.strict = in.number_upto(1);
      x.of = in.id<seq>();
      lines.push_back(x);
    }
    for (auto x = lines.rbegin(); in.ok() && x != lines.rend(); ++x) {
      auto [key, fresh] = locks_.try_emplace(std::string{x->key});
      if (!fresh)
        return false; // I11: one owner per key
      link(key, me, token{x->grant}, x->of,
           x->strict == 1 ? ownership::strict : ownership::bounded);
    }
  }
  return in.ok();
}

bool locks::load_queues(image_reader& in) {
  auto queues = in.count();
  for (std::size_t i = 0; in.ok() && i < queues; ++i) {
    auto [key, fresh] = locks_.try_emplace(std::string{in.text(max_term_bytes)});
    auto& x = key->second;
    if (fresh) {
      x.who = owners_.end();
      x.next = locks_.end();
    } else if (x.queue) {
      return false;
    }
    x.queue = std::make_unique<place_list>();
    auto places = in.count();
    for (std::size_t k = 0; in.ok() && k < places; ++k) {
      auto who = owners_.find(load_owner(in));
      if (who == owners_.end())
        return false;
      x.queue->push_back({who, in.id<index>(), 0});
    }
    if (x.who != owners_.end())
      ++x.who->second.contended;
  }
  return in.ok();
}

bool locks::load_requests(image_reader& in) {
  std::map<std::pair<const lock*, owner_id>, place_it> places;
  for (auto& [key, x] : locks_) {
    if (!x.queue)
      continue;
    for (auto p = x.queue->begin(); p != x.queue->end(); ++p)
      places.emplace(std::pair{&x, p->who->first}, p);
  }
  auto extras = in.count();
  for (std::size_t i = 0; in.ok() && i < extras; ++i) {
    auto me = owners_.find(load_owner(in));
    if (me == owners_.end() || me->second.extra)
      return false;
    auto& extra = extra_of(me);
    auto waits = in.count();
    for (std::size_t k = 0; in.ok() && k < waits; ++k) {
      auto req = std::make_unique<request>();
      req->id = in.id<index>();
      req->of = in.id<seq>();
      req->kind = static_cast<ownership>(in.number_upto(1));
      if (!load_keys(in, locks_, req->keys))
        return false;
      for (auto key : req->keys) {
        if (key->second.who == me)
          continue;
        auto where = places.find({&key->second, me->first});
        if (where == places.end())
          return false;
        ++where->second->requests;
        req->missing.push_back({key, where->second});
      }
      extra.waits.push_back(std::move(req));
      ++waiting_;
      ++tallies_[me->first.session].waits;
    }
    auto mixed = in.count();
    for (std::size_t k = 0; in.ok() && k < mixed; ++k) {
      mixed_grant grant{in.id<seq>(), token{}, {}};
      grant.grant = in.id<token>();
      if (!load_keys(in, locks_, grant.keys))
        return false;
      extra.mixed.push_back(std::move(grant));
    }
  }
  return in.ok();
}

bool locks::load(image_reader& in) {
  return load_owners(in) && load_queues(in) && load_requests(in);
}

} // namespace paxtor::registry
