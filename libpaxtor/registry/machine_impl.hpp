#pragma once

/// \file
/// The machine's parts and what it does per command. Private to machine, query and image.

#include <string>
#include <string_view>
#include <vector>

#include "libpaxtor/registry/effect_list.hpp"
#include "libpaxtor/registry/kv.hpp"
#include "libpaxtor/registry/locks.hpp"
#include "libpaxtor/registry/machine.hpp"
#include "libpaxtor/registry/names.hpp"
#include "libpaxtor/registry/sessions.hpp"

namespace paxtor::registry {

struct machine::impl {
  sessions who;
  locks held;
  names singletons{who};
  kv entries;
  ballot reign;
  index last;

  void apply(index at, const command& what, outcome& out);

  // machine_run.cpp: one per command. Those with an origin are called once per command (R1).
  void run(index at, const open_session& what, outcome& out);
  void run(index at, const close_session& what, outcome& out);
  void run(index at, const expire_session& what, outcome& out);
  void run(index at, const certify_end& what, outcome& out);
  void run(index at, session& from, const acquire& what, answer& reply, effect_list& out);
  void run(index at, session& from, const withdraw& what, answer& reply, effect_list& out);
  void run(index at, session& from, const owner_exited& what, answer& reply, effect_list& out);
  void run(index at, session& from, const resolve& what, answer& reply, effect_list& out);
  void run(index at, session& from, const forget& what, answer& reply, effect_list& out);
  void run(index at, session& from, const started& what, answer& reply, effect_list& out);
  void run(index at, session& from, const start_failed& what, answer& reply, effect_list& out);
  void run(index at, session& from, const singleton_exited& what, answer& reply, effect_list& out);
  void run(index at, session& from, const put& what, answer& reply, effect_list& out);
  void run(index at, session& from, const drain& what, answer& reply, effect_list& out);

  /// The answer to a repeat, from state and what the window keeps.
  void repeat(session& from, const command& what, const record& known, answer& reply) const;

  void end_session(index at, session& whose, end_reason reason, const std::string& detail,
                   outcome& out);
  void note_grants(const std::vector<grant_note>& notes, effect_list& out);
  /// One effects_for per session, chained (R4).
  void send(index at, effect_list& effects, outcome& out);
  /// R3's error: the cycle as JSON.
  [[nodiscard]] std::string describe(const std::vector<cycle_hop>& cycle) const;

  // query.cpp: JSON text, shapes in README.md.
  /// What is left on a node that is drained.
  [[nodiscard]] std::string describe_drain(const session& whose) const;
  using silences = std::map<session_id, silence>;
  [[nodiscard]] std::string ask(const query_get& what, const silences& silent) const;
  [[nodiscard]] std::string ask(const query_list& what, const silences& silent) const;
  [[nodiscard]] std::string ask(const query_why& what, const silences& silent) const;
  [[nodiscard]] std::string ask(const query_members& what, const silences& silent) const;
  [[nodiscard]] std::string ask(const query_name& what, const silences& silent) const;
  [[nodiscard]] std::string ask(const query_counts& what, const silences& silent) const;

  /// The cheap part of I11-I13, after every command.
  void check_quick() const;
  /// The broken invariant, or null. O(state).
  [[nodiscard]] const char* audit() const;

  [[nodiscard]] std::string save() const;
  [[nodiscard]] bool load(std::string_view image);
};

} // namespace paxtor::registry
