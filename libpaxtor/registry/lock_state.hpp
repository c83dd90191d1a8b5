#pragma once

/// \file
/// How locks, owners and waits refer to each other. Built for many held locks: a key is stored
/// once, what only contended keys and waiting owners need hangs on a pointer that is null for all
/// others. A held lock with an owner of its own costs two tree nodes: about 200 bytes with a key of
/// 13.

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/registry/commands.hpp"

namespace paxtor::registry {

struct lock;
struct owner;

// References between the two are iterators: stable until the element goes, and they erase without a
// search. `end()` of the map means "none". (std::map takes an incomplete mapped type in libstdc++,
// libc++ and MSVC's library, as long as nothing is instantiated that needs its size.)
using lock_map = std::map<std::string, lock, std::less<>>;
using lock_it = lock_map::iterator;
using owner_map = std::map<owner_id, owner>;
using owner_it = owner_map::iterator;

/// An owner's place in the queue of a key. One per owner and queue, shared by all its requests for
/// the key: else an owner that asks twice would wait behind those that wait for itself.
struct place {
  owner_it who;
  index since;
  std::uint32_t requests = 0;
};
using place_list = std::list<place>;
using place_it = place_list::iterator;

/// A key that a request still waits for.
struct wait {
  lock_it key;
  place_it where;
};

/// A waiting acquire.
struct request {
  index id; ///< the entry that queued it
  seq of;
  ownership kind = ownership::bounded;
  std::vector<lock_it> keys; ///< all of them, in order
  std::vector<wait> missing; ///< those that its owner does not hold, in order
};

/// An acquire whose keys were not all new to its owner when it was granted, so that the grant can
/// not be read from the locks alone (R4).
struct mixed_grant {
  seq of;
  token grant;
  std::vector<lock_it> keys;
};

struct owner_extra {
  std::vector<std::unique_ptr<request>> waits; // in the order of the log
  std::vector<mixed_grant> mixed;
};

struct owner {
  lock_it held;                       ///< head of the list of its locks, latest first
  std::unique_ptr<owner_extra> extra; ///< null unless it waits or has mixed grants
  std::uint32_t contended = 0;        ///< how many of its locks somebody waits for
};

struct lock {
  owner_it who;             ///< none: free, and somebody waits (for another key as well)
  std::uint64_t grant : 63; ///< the token
  std::uint64_t strict : 1;
  lock_it next;                      ///< the owner's next lock
  seq of;                            ///< the acquire that it was granted to
  std::unique_ptr<place_list> queue; ///< in the order of the log; null: nobody waits

  lock() : grant(0), strict(0) {}
};

} // namespace paxtor::registry
