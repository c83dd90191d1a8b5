#pragma once

/// \file
/// Names: which singleton runs where, who wants to know, and what happens when it or its host ends.

#include <cstdint>
#include <string>
#include <string_view>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/term.hpp"
#include "libpaxtor/registry/effect_list.hpp"
#include "libpaxtor/registry/sessions.hpp"
#include "libpaxtor/registry/singleton.hpp"

namespace paxtor::registry {

class image_reader;
class image_writer;

/// The most names that run or start at once. Beyond, a resolve of a new one is refused as invalid.
inline constexpr std::size_t max_names = std::size_t{1} << 20;

/// A singleton that its policy restarts, and that ends again soon, is forgotten at the end after
/// this many restarts in a row. "Soon" is counted in entries of the log, the only clock here.
inline constexpr std::uint32_t max_restarts = 5;
inline constexpr std::uint64_t settled_after = 1000;

/// I55 what moves runs, and its next host, if it has one, is open, not drained, and keeps room for
/// it. No node keeps room for anything else, and only open sessions are drained.
class names {
public:
  /// REQUIRES: `who` lives as long as this.
  explicit names(sessions& who) : sessions_(who) {}
  names(const names&) = delete;
  names& operator=(const names&) = delete;

  void resolve(index at, session& from, const registry::resolve& what, answer& reply,
               effect_list& out);
  /// The state of a name for a repeated resolve.
  void locate(const session& from, const registry::resolve& what, answer& reply) const;
  void forget(session& from, const registry::forget& what);
  status started(index at, session& from, const registry::started& what, effect_list& out);
  status start_failed(session& from, const registry::start_failed& what, effect_list& out);
  status exited(index at, session& from, const singleton_exited& what, effect_list& out);

  /// The session is not open any more: it watches nothing, and what it hosted is placed again (S5).
  /// REQUIRES: `shut` was called.
  void end_session(index at, session& who, std::string_view why, effect_list& out);

  // -- names_moves.cpp ---------------------------------------------------------------------------
  /// An operator wants `whose` empty (or not any more): what runs there and can be hosted elsewhere
  /// begins to move. With `on` false nothing more begins to; what moves already goes on.
  void drain(index at, session& whose, bool on, effect_list& out);
  /// A session has opened: what stayed on drained nodes for want of a host may move there.
  void offer(index at, session& fresh, effect_list& out);

  [[nodiscard]] const singleton* find(const term& name) const;
  [[nodiscard]] const name_map& all() const { return all_; }
  [[nodiscard]] location where(const term& name, const singleton& x) const;

  /// The broken invariant, or null.
  [[nodiscard]] const char* audit() const;

  /// Some singleton moves.
  [[nodiscard]] bool has_moves() const;

  void save(image_writer& out) const;
  /// REQUIRES: empty, and the sessions are loaded.
  [[nodiscard]] bool load(image_reader& in);

private:
  [[nodiscard]] name_it hosted_by(const session& from, const term& name, token grant);
  [[nodiscard]] bool place(index at, name_it what, effect_list& out);
  void watch(session& who, name_it what, seq since);
  void gone(name_it what, bool failed, const std::string& reason, effect_list& out);

  // -- names_moves.cpp ---------------------------------------------------------------------------
  /// True if it moves from now on, or did before.
  bool try_to_move(index at, name_it what, effect_list& out);
  void begin_to_move(index at, name_it what, session& next, effect_list& out);
  /// What moves to `whose`, which can take it no more, goes elsewhere.
  void turn_away(session& whose);
  /// It does not move any more: the room kept for it is free.
  void stop_moving(name_it what);
  void start_at(index at, name_it what, session& host, effect_list& out);
  [[nodiscard]] const char* audit_moves() const;

  sessions& sessions_;
  name_map all_;
};

} // namespace paxtor::registry
