#pragma once

/// \file
/// Locks: who owns what, who waits for what. Ends only with the owner: there is no release of one
/// key.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/term.hpp"
#include "libpaxtor/registry/effects.hpp"
#include "libpaxtor/registry/lock_state.hpp"
#include "libpaxtor/registry/wait_graph.hpp"

namespace paxtor::registry {

/// The keys that these locks are for.
[[nodiscard]] std::vector<term> to_terms(const std::vector<lock_it>& keys);

class image_reader;
class image_writer;

/// The most keys that one session's owners hold, and the most acquires that may wait, for a session
/// and for one owner. Beyond, an acquire is refused as invalid.
inline constexpr std::uint64_t max_keys_per_session = std::uint64_t{4} << 20;
inline constexpr std::uint64_t max_waits_per_session = std::uint64_t{1} << 18;
inline constexpr std::size_t max_waits_per_owner = 256;

/// A wait that ended with a grant.
struct grant_note {
  owner_id who;
  seq of;
  token grant;
  std::vector<term> keys;
};

struct acquire_result {
  status code = status::granted;
  token grant;
  std::uint64_t position = 0;
  std::vector<cycle_hop> cycle;
  const char* detail = "";
};

/// How much a session has.
struct lock_tally {
  std::uint64_t held = 0;
  std::uint64_t waits = 0;
};

class locks {
public:
  locks();
  locks(const locks&) = delete;
  locks& operator=(const locks&) = delete;

  /// REQUIRES: `keys` are sorted and distinct, at least one; `at` is above all before. `notes`: the
  /// owner's earlier requests that were granted with this one.
  acquire_result acquire(index at, owner_id who, seq of, const std::vector<term>& keys,
                         acquire_mode mode, ownership kind, std::vector<grant_note>& notes);

  /// Ends the wait of acquire `of`, if it waits.
  bool withdraw(index at, owner_id who, seq of, std::vector<grant_note>& notes);

  /// The token of acquire `of`, if a lock of the owner still tells.
  [[nodiscard]] std::optional<token> granted(owner_id who, seq of) const;

  /// True if the owner holds a key that it got under this token.
  [[nodiscard]] bool holds(owner_id who, token grant) const;

  /// The position of a waiting acquire (1: next), or 0.
  [[nodiscard]] std::uint64_t position(owner_id who, seq of) const;

  /// All of an owner ends. `dropped`: the acquires that waited.
  void end_owner(index at, owner_id who, std::vector<seq>& dropped, std::vector<grant_note>& notes);

  /// S5, F5: all owners of a session end; with `keep_strict` they keep what they hold strictly.
  void end_session(index at, session_id who, bool keep_strict, std::vector<grant_note>& notes);

  /// R4: every grant of the session above `above`, in a fixed order.
  [[nodiscard]] std::vector<grant_note> grants(session_id who, token above) const;

  [[nodiscard]] lock_tally tally(session_id who) const;
  [[nodiscard]] std::uint64_t held() const { return held_; }
  [[nodiscard]] std::uint64_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t owners() const { return owners_.size(); }
  [[nodiscard]] bool empty() const { return locks_.empty() && owners_.empty(); }

  /// Null if nobody holds or waits for it.
  [[nodiscard]] const lock* find(const term& key) const;
  [[nodiscard]] bool is_free(const lock& x) const;
  /// True if all that `x` holds is held strictly.
  [[nodiscard]] bool all_strict(const owner& x) const;
  [[nodiscard]] const owner_map& all_owners() const { return owners_; }

  /// The cheap part of I11 and I13.
  [[nodiscard]] bool counts_agree() const;
  /// All of I11, I13, I14, I15 as far as locks go: the broken one, or null. O(state).
  [[nodiscard]] const char* audit() const;

  void save(image_writer& out) const;
  /// REQUIRES: empty. Checks references, not yet the invariants.
  [[nodiscard]] bool load(image_reader& in);

private:
  [[nodiscard]] bool may_take(lock_it key, owner_it me) const;
  [[nodiscard]] bool ready(const request& req, owner_it me) const;
  [[nodiscard]] std::uint64_t position(const request& req) const;
  [[nodiscard]] place_it own_place(lock_it key, owner_it me) const;
  [[nodiscard]] bool has_place(lock_it key, owner_it me) const;
  owner_extra& extra_of(owner_it me);
  owner_it ensure_owner(owner_id who);
  void link(lock_it key, owner_it me, token grant, seq of, ownership kind);
  void take(lock_it key, owner_it me, token grant, seq of, ownership kind);
  acquire_result grant_now(index at, owner_id who, seq of, const std::vector<term>& keys,
                           ownership kind, std::vector<grant_note>& notes);
  acquire_result enqueue(index at, owner_id who, seq of, const std::vector<term>& keys,
                         ownership kind);
  void grant_request(index at, owner_it me, std::size_t which, std::vector<grant_note>& notes);
  void settle(index at, owner_it me, std::vector<grant_note>& notes);
  void leave(const wait& from, owner_it me, std::vector<lock_it>& touched);
  void drop_waits(owner_it me, std::vector<lock_it>& touched);
  void release(owner_it me, bool keep_strict, std::vector<lock_it>& touched);
  void serve(index at, std::vector<lock_it>& touched, std::vector<grant_note>& notes);
  void forget_if_idle(owner_it me);
  void drop_tally(session_id who);

  [[nodiscard]] const char* audit_owner(owner_map::const_iterator me) const;
  [[nodiscard]] const char* audit_queues() const;
  [[nodiscard]] const char* audit_cycles() const;
  [[nodiscard]] bool load_owners(image_reader& in);
  [[nodiscard]] bool load_queues(image_reader& in);
  [[nodiscard]] bool load_requests(image_reader& in);

  lock_map locks_;
  owner_map owners_;
  std::map<session_id, lock_tally> tallies_;
  std::uint64_t held_ = 0;
  std::uint64_t waiting_ = 0;
  std::vector<lock_it> found_; // of the acquire at hand; kept for its memory
};

} // namespace paxtor::registry
